// Three clocks in one reading, and alarms.
//
// A freeze is a disagreement between clocks, so one reading takes all three together:
//   wall       steps when somebody sets it; the only one that means anything to a peer;
//   monotonic  never steps back; may or may not count the time an environment was frozen;
//   boot       like monotonic, and counts suspended time where the kernel knows of it.
// No single one can be trusted to notice a freeze; see LargestAdvance.
//
// Domain code takes a Clock& and never asks the system. One thread only.

#ifndef THAW_CC_CLOCK_CLOCK_H_
#define THAW_CC_CLOCK_CLOCK_H_

#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace thaw {

struct ClockReading {
  absl::Time wall;
  absl::Duration monotonic;  // since an arbitrary origin
  absl::Duration boot;       // since an arbitrary origin
};

// How much time has passed at most, by any of the three clocks; never negative. The age of anything a
// peer may have given up: the clock that saw the freeze is the one that counts.
absl::Duration LargestAdvance(const ClockReading& earlier, const ClockReading& later);

// What an alarm does when it fires far later than it was due, which is what a freeze looks like from
// inside: the work it limits had no chance to run meanwhile.
enum class LateAlarm {
  kRearm,  // wait again for what remained when the loop last turned; counted `alarm_late`
  kFire,   // judge frozen time as the peer's slowness, as peers' clients do
};

// An alarm later than this is late (LateAlarm).
inline constexpr absl::Duration kAlarmLateAfter = absl::Milliseconds(50);

using AlarmId = uint64_t;
inline constexpr AlarmId kNoAlarm = 0;

class Clock {
 public:
  virtual ~Clock() = default;

  virtual ClockReading Now() const = 0;

  // Runs `fire` once, from the executor's queue, when the monotonic clock has advanced by `delay`
  // (below zero counts as zero; InfiniteDuration never fires). Alarms due at the same time fire in
  // the order they were set.
  virtual AlarmId SetAlarm(absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire) = 0;

  // After this `fire` will not run. Returns false if it ran already or the id is unknown.
  virtual bool CancelAlarm(AlarmId id) = 0;

  // How long until the alarm is due, never below zero; zero if it ran already or the id is unknown. Of
  // active time, as far as late alarms are (LateAlarm).
  virtual absl::Duration UntilAlarm(AlarmId id) const = 0;
};

// Holds an alarm; cancels it when destroyed.
class Alarm {
 public:
  Alarm() = default;
  Alarm(Clock& clock, absl::Duration delay, absl::AnyInvocable<void()> fire,
        LateAlarm late = LateAlarm::kRearm)
      : clock_(&clock), id_(clock.SetAlarm(delay, late, std::move(fire))) {}
  Alarm(Alarm&& other) noexcept : clock_(std::exchange(other.clock_, nullptr)), id_(other.id_) {}
  Alarm& operator=(Alarm&& other) noexcept {
    if (this != &other) {
      Cancel();
      clock_ = std::exchange(other.clock_, nullptr);
      id_ = other.id_;
    }
    return *this;
  }
  ~Alarm() { Cancel(); }
  // What is left of the delay; zero if it fired, was cancelled or never set.
  absl::Duration left() const { return clock_ == nullptr ? absl::ZeroDuration() : clock_->UntilAlarm(id_); }
  void Cancel() {
    if (clock_ != nullptr) std::exchange(clock_, nullptr)->CancelAlarm(id_);
  }

 private:
  Clock* clock_ = nullptr;
  AlarmId id_ = kNoAlarm;
};

}  // namespace thaw

#endif  // THAW_CC_CLOCK_CLOCK_H_
