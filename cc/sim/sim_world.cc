#include "cc/sim/sim_world.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace thaw {
namespace {

// A packet is late only for something that happens within this time: holding it up for a timeout would be
// another fault than being overtaken.
constexpr absl::Duration kOvertakenWithin = absl::Milliseconds(25);

}  // namespace

void SimWorld::At(absl::Duration delay, absl::AnyInvocable<void()> event, uint64_t what) {
  if (!exploring()) {
    outside_.Set(now_, delay, LateAlarm::kFire, std::move(event));
    return;
  }
  const uint64_t number = next_event_++;
  pending_.push_back({now_ + std::max(delay, absl::ZeroDuration()), number, what});
  outside_.Set(now_, delay, LateAlarm::kFire, [this, number, event = std::move(event)]() mutable {
    std::erase_if(pending_, [number](const Pending& pending) { return pending.number == number; });
    event();
  });
}

void SimWorld::Arrive(uint64_t channel, absl::Duration delay, absl::AnyInvocable<void()> event,
                      uint64_t what) {
  if (!exploring()) return At(delay, std::move(event));
  what = Mixed(what, channel);
  At(
      delay,
      [this, channel, what, event = std::move(event)]() mutable {
        ArriveInOrder(channel, std::move(event), what);
      },
      what);
}

// Partial-order reduction: only arrivals at the client may be late. What happens at the intake touches one
// connection and counts that add up, so that its order among connections shows in nothing but the order of
// arrivals here. Offering each arrival the place behind the next thing that happens yields, step by step,
// every order of arrivals that keeps each channel's own.
void SimWorld::ArriveInOrder(uint64_t channel, absl::AnyInvocable<void()> event, uint64_t what) {
  if (const auto held = late_.find(channel); held != late_.end()) {
    held->second.push_back({what, std::move(event)});
    return;
  }
  const std::optional<absl::Duration> next = outside_.NextDue();
  const bool overtakable = late_left_ > 0 && next.has_value() && *next - now_ <= kOvertakenWithin;
  if (!overtakable || choices_->Choose(ChoiceKind::kLate, 2) == 0) return event();
  --late_left_;
  late_[channel].push_back({what, std::move(event)});
  // Events that are due at the same time run in the order in which they were set.
  At(*next - now_, [this, channel] { Release(channel); }, Mixed(what, uint64_t{1}));
}

void SimWorld::Release(uint64_t channel) {
  auto events = late_.extract(channel);
  for (LateArrival& each : events.mapped()) each.event();
}

void SimWorld::Explore(Choices& choices, int late) {
  choices_ = &choices;
  late_left_ = late;
}

uint64_t SimWorld::Fingerprint() const {
  // FakeClock's reading itself: this is no reading of the client's.
  const ClockReading clock = clock_.FakeClock::Now();
  uint64_t hash = Mixed(seen_, static_cast<uint64_t>(executor_.steps()));
  hash = Mixed(hash, static_cast<uint64_t>(late_left_));
  for (const absl::Duration each : {now_, clock.wall - absl::UnixEpoch(), clock.monotonic, clock.boot}) {
    hash = Mixed(hash, each);
  }
  std::vector<Pending> pending = pending_;
  std::sort(pending.begin(), pending.end(), [](const Pending& a, const Pending& b) {
    return std::pair(a.due, a.number) < std::pair(b.due, b.number);
  });
  for (const Pending& each : pending) hash = Mixed(Mixed(hash, each.due), each.what);
  for (const auto& [channel, arrivals] : late_) {
    hash = Mixed(hash, channel);
    for (const LateArrival& each : arrivals) hash = Mixed(hash, each.what);
  }
  return hash;
}

ClockReading SimWorld::WatchedClock::Now() const {
  const ClockReading reading = FakeClock::Now();
  if (world_.exploring()) {
    world_.seen_ = Mixed(Mixed(world_.seen_, reading.wall - absl::UnixEpoch()), reading.monotonic);
    world_.seen_ = Mixed(world_.seen_, reading.boot);
  }
  return reading;
}

AlarmId SimWorld::WatchedClock::SetAlarm(absl::Duration delay, LateAlarm late,
                                         absl::AnyInvocable<void()> fire) {
  if (world_.exploring()) Now();
  return FakeClock::SetAlarm(delay, late, std::move(fire));
}

std::optional<absl::Duration> SimWorld::WatchedClock::UntilAlarm(AlarmId id) const {
  if (world_.exploring()) Now();
  return FakeClock::UntilAlarm(id);
}

void SimWorld::AdvanceOutside(absl::Duration to) {
  while (outside_.NextDue().has_value() && *outside_.NextDue() <= to) {
    now_ = std::max(now_, *outside_.NextDue());
    outside_.FireDue(now_, [](absl::AnyInvocable<void()> event) { event(); });
  }
  now_ = to;
}

bool SimWorld::Step() {
  ++steps_;
  if (executor_.Step()) return true;
  std::optional<absl::Duration> next = outside_.NextDue();
  if (const auto alarm = clock_.UntilNextAlarm(); alarm.has_value() && *alarm != absl::InfiniteDuration()) {
    next = std::min(next.value_or(absl::InfiniteDuration()), now_ + *alarm);
  }
  if (!next.has_value()) return false;
  const absl::Duration step = std::max(*next - now_, absl::ZeroDuration());
  const int64_t posted = executor_.posted();
  clock_.Advance(step);
  if (executor_.posted() != posted) ClientSaw(0);  // alarms that were due
  AdvanceOutside(now_ + step);
  return true;
}

bool SimWorld::RunUntil(absl::FunctionRef<bool()> done) {
  while (!done()) {
    if (!Step()) return done();
  }
  return true;
}

void SimWorld::Run(absl::Duration duration) {
  bool over = false;
  At(duration, [&over] { over = true; });
  RunUntil([&over] { return over; });
}

void SimWorld::Freeze(absl::Duration duration, FrozenClocks clocks) {
  AdvanceOutside(now_ + duration);
  ClientSaw(Mixed(Mixed(uint64_t{1}, duration), static_cast<uint64_t>(clocks)));
  switch (clocks) {
    case FrozenClocks::kAllAdvance:
      clock_.Freeze(duration);
      break;
    case FrozenClocks::kMonotonicStandsStill:
      clock_.Freeze({.wall = duration, .monotonic = absl::ZeroDuration(), .boot = absl::ZeroDuration()});
      break;
    case FrozenClocks::kAllStandStill:
      break;
    case FrozenClocks::kWallSetBack:
      clock_.Freeze({.wall = -duration, .monotonic = duration, .boot = duration});
      break;
  }
}

}  // namespace thaw
