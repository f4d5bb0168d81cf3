#include "cc/sim/sim_world.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace thaw {

void SimWorld::At(absl::Duration delay, absl::AnyInvocable<void()> event) {
  outside_.Set(now_, delay, LateAlarm::kFire, std::move(event));
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
  clock_.Advance(step);
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
