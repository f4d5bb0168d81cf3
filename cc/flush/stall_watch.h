// Ends sending in which nothing moves.
//
//   StallWatch watch(clock, {.idle_limit = absl::Milliseconds(1500)},
//                    [&] { return bytes_moved; },
//                    [&] { return allowance; },
//                    [&] { cancellation.Request(...); });
//
// It looks now and then; what it counts is active time, since an alarm that a freeze made late is armed
// again. Destroying it ends it. One thread.

#ifndef THAW_CC_FLUSH_STALL_WATCH_H_
#define THAW_CC_FLUSH_STALL_WATCH_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/clock/clock.h"

namespace thaw {

class StallWatch {
 public:
  struct Limits {
    // Nothing moved for so long: it is over,
    absl::Duration idle_limit;
    // but not before this time has passed.
    absl::Duration at_least = absl::ZeroDuration();
    // How often it looks.
    absl::Duration look_every = absl::Milliseconds(100);
  };

  // `moved`: a number that grows with whatever counts as movement.
  // `allowance`: how long it may be idle besides.
  // `stalled`: called once, when a limit is reached.
  StallWatch(Clock& clock, Limits limits, absl::AnyInvocable<int64_t()> moved,
             absl::AnyInvocable<absl::Duration()> allowance, absl::AnyInvocable<void()> stalled);

  // For how long nothing has moved.
  absl::Duration idle_for() const;
  // How much active time has passed.
  absl::Duration active_for() const;

 private:
  void Wait();
  void Look();

  Clock& clock_;
  const Limits limits_;
  absl::AnyInvocable<int64_t()> moved_;
  absl::AnyInvocable<absl::Duration()> allowance_;
  absl::AnyInvocable<void()> stalled_;
  int64_t last_;
  // Up to the last look.
  absl::Duration passed_;
  absl::Duration idle_for_;
  absl::Duration looked_at_;  // on the monotonic clock
  absl::Duration step_;       // until the next look
  Alarm alarm_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_STALL_WATCH_H_
