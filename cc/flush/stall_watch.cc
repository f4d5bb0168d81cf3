#include "cc/flush/stall_watch.h"

#include <algorithm>
#include <utility>

namespace thaw {

StallWatch::StallWatch(Clock& clock, Limits limits, absl::AnyInvocable<int64_t()> moved,
                       absl::AnyInvocable<absl::Duration()> allowance, absl::AnyInvocable<void()> stalled)
    : clock_(clock),
      limits_(limits),
      moved_(std::move(moved)),
      allowance_(std::move(allowance)),
      stalled_(std::move(stalled)),
      last_(moved_()) {
  if (limits_.idle_limit != absl::InfiniteDuration()) Wait();
}

void StallWatch::Wait() {
  const absl::Duration until_stalled = std::max(limits_.idle_limit - idle_for_, limits_.at_least - passed_);
  step_ = std::min({limits_.look_every, until_stalled, allowance_() - idle_for_});
  looked_at_ = clock_.Now().monotonic;
  // kRearm: frozen time is not the peer's slowness.
  alarm_ = Alarm(clock_, step_, [this] { Look(); }, LateAlarm::kRearm);
}

void StallWatch::Look() {
  passed_ += step_;
  const int64_t now = moved_();
  idle_for_ = now == last_ ? idle_for_ + step_ : absl::ZeroDuration();
  last_ = now;
  step_ = absl::ZeroDuration();
  const bool over = idle_for_ >= limits_.idle_limit && passed_ >= limits_.at_least;
  if (over || idle_for_ >= allowance_()) return stalled_();
  Wait();
}

absl::Duration StallWatch::idle_for() const {
  // Adds at most the step, since the clock may have counted a freeze.
  return idle_for_ + std::min(step_, clock_.Now().monotonic - looked_at_);
}

absl::Duration StallWatch::active_for() const {
  return passed_ + std::min(step_, clock_.Now().monotonic - looked_at_);
}

}  // namespace thaw
