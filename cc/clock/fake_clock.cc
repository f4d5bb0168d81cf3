#include "cc/clock/fake_clock.h"

#include <algorithm>

#include "absl/log/check.h"

namespace thaw {

FakeClock::FakeClock(Executor& executor)
    : executor_(executor),
      now_({.wall = absl::FromUnixSeconds(1767225600),
            .monotonic = absl::Seconds(1000),
            .boot = absl::Seconds(2000)}) {
  alarms_.Turn(now_.monotonic);
}

void FakeClock::Move(const Step& step) {
  CHECK_GE(step.monotonic, absl::ZeroDuration()) << "the monotonic clock never steps back";
  now_.wall += step.wall;
  now_.monotonic += step.monotonic;
  now_.boot += step.boot;
}

void FakeClock::Advance(Step step) {
  const absl::Duration end = now_.monotonic + step.monotonic;
  // Stops at each alarm on the way, so that its function sees the time at which it was due.
  while (alarms_.NextDue().has_value() && *alarms_.NextDue() <= end) {
    const absl::Duration part = std::max(*alarms_.NextDue() - now_.monotonic, absl::ZeroDuration());
    const Step portion = {std::min(step.wall, part), part, std::min(step.boot, part)};
    Move(portion);
    step = {step.wall - portion.wall, step.monotonic - part, step.boot - portion.boot};
    alarms_.Turn(now_.monotonic);
    alarms_.FireDue(now_.monotonic,
                    [this](absl::AnyInvocable<void()> fire) { executor_.Post(std::move(fire)); });
  }
  Move(step);
  alarms_.Turn(now_.monotonic);
}

void FakeClock::Freeze(Step step) {
  Move(step);
  alarms_.FireDue(now_.monotonic,
                  [this](absl::AnyInvocable<void()> fire) { executor_.Post(std::move(fire)); });
  alarms_.Turn(now_.monotonic);
}

std::optional<absl::Duration> FakeClock::UntilNextAlarm() const {
  const auto due = alarms_.NextDue();
  if (!due.has_value()) return std::nullopt;
  return std::max(*due - now_.monotonic, absl::ZeroDuration());
}

}  // namespace thaw
