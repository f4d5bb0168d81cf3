// Ends a flush in which nothing moves.
//
//   StallWatch watch(clock, {.idle_limit = absl::Milliseconds(1500)},
//                    [&] { return bytes_moved; },
//                    [&] { return allowance; },
//                    [&] { cancellation.Request(reason); });
//
// The watch checks periodically and counts active time, since an alarm that a freeze made late is armed
// again. Destroying it stops it. One thread.

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
    // The time without movement after which `stalled` is called.
    absl::Duration idle_limit;
    // The time since the start before which `stalled` is not called.
    absl::Duration at_least = absl::ZeroDuration();
    // The interval between checks.
    absl::Duration look_every = absl::Milliseconds(100);
  };

  // `moved` returns a number that grows with every movement. `allowance` returns a second limit on the idle
  // time. `stalled` is called once, when a limit is reached.
  StallWatch(Clock& clock, Limits limits, absl::AnyInvocable<int64_t()> moved,
             absl::AnyInvocable<absl::Duration()> allowance, absl::AnyInvocable<void()> stalled);

  // How long nothing has moved.
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
  // The active time up to the last check.
  absl::Duration passed_;
  absl::Duration idle_for_;
  absl::Duration looked_at_;  // on the monotonic clock
  absl::Duration step_;       // until the next check
  Alarm alarm_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_STALL_WATCH_H_
