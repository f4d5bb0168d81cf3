#include "cc/flush/flush_schedule.h"

namespace thaw {
namespace {

using Kind = FlushStrategy::Kind;

constexpr absl::Duration kAdaptiveInterval = absl::Seconds(20);
// A function that is invoked less often than this, on average, may not be invoked again for long, so its data
// is sent at once.
constexpr absl::Duration kSeldom = absl::Seconds(120);

constexpr absl::Duration kAdaptiveRaceInterval = absl::Seconds(60);
// Longer than any invocation, so that the race timer never fires.
constexpr absl::Duration kNoRace = absl::Minutes(15);

}  // namespace

FlushStrategy FlushSchedule::Adapt(const ClockReading& now) {
  invokes_[invoked_++ % kRemembered] = now;
  if (invoked_ < kRemembered) return {.kind = Kind::kEnd};
  // The next place to be written holds the oldest entry.
  const absl::Duration elapsed = LargestAdvance(invokes_[invoked_ % kRemembered], now);
  if (elapsed / (kRemembered - 1) >= kSeldom) return {.kind = Kind::kEnd};
  if (elapsed < flush_timeout_) return {Kind::kContinuously, kAdaptiveInterval};
  return {Kind::kPeriodically, kAdaptiveInterval};
}

FlushDecision FlushSchedule::OnInvoke(const ClockReading& now, bool background_flush_runs) {
  effective_ = strategy_.kind == Kind::kDefault ? Adapt(now) : strategy_;
  if (effective_.kind == Kind::kEnd) return FlushDecision::kAtEnd;
  if (LargestAdvance(last_, now) <= effective_.interval) return FlushDecision::kNone;
  if (effective_.kind == Kind::kContinuously && background_flush_runs) return FlushDecision::kNone;
  last_ = now;
  switch (effective_.kind) {
    case Kind::kEndPeriodically:
      return FlushDecision::kAtEnd;
    case Kind::kPeriodically:
      return FlushDecision::kBlocking;
    default:
      return FlushDecision::kInBackground;
  }
}

absl::Duration FlushSchedule::race_interval() const {
  switch (strategy_.kind) {
    case Kind::kDefault:
      return kAdaptiveRaceInterval;
    case Kind::kEnd:
      return kNoRace;
    default:
      return strategy_.interval;
  }
}

bool FlushSchedule::RaceFlushes(FlushDecision decision) const {
  return decision == FlushDecision::kAtEnd || strategy_.kind == Kind::kDefault;
}

}  // namespace thaw
