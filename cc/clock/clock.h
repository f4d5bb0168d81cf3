// Reads three clocks at once, and sets alarms.
//
// A freeze shows as a disagreement between clocks, so one reading takes all three together:
//   wall       may step when somebody sets it; the only clock that a peer shares;
//   monotonic  never steps back; may or may not count the time an environment was frozen;
//   boot       like monotonic, and counts suspended time where the kernel knows of it.
// No single clock can be trusted to notice a freeze; see LargestAdvance.
//
// Domain code takes a Clock& and never asks the system for the time. One thread only.

#ifndef THAW_CC_CLOCK_CLOCK_H_
#define THAW_CC_CLOCK_CLOCK_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace thaw {

struct ClockReading {
  absl::Time wall;
  absl::Duration monotonic;  // since an arbitrary origin
  absl::Duration boot;       // since an arbitrary origin
};

// Returns the largest advance of the three clocks between two readings; never negative. The age of anything
// that a peer may have given up is measured by this, since the clock that counted the freeze is the right
// one.
absl::Duration LargestAdvance(const ClockReading& earlier, const ClockReading& later);

// The behaviour of an alarm that fires far later than it was due. A freeze looks like this from inside: the
// work that the alarm limits had no chance to run meanwhile.
enum class LateAlarm {
  kRearm,  // waits again for the time that remained when the loop last turned
  kFire,   // fires: frozen time counts as the peer's slowness, as in the peers' clients
};

// An alarm that fires later than this after it was due is late (see LateAlarm).
inline constexpr absl::Duration kAlarmLateAfter = absl::Milliseconds(50);

using AlarmId = uint64_t;
inline constexpr AlarmId kNoAlarm = 0;

class Clock {
 public:
  virtual ~Clock() = default;

  virtual ClockReading Now() const = 0;

  // Runs `fire` once, from the executor's queue, when the monotonic clock has advanced by `delay`. A delay
  // below zero counts as zero; InfiniteDuration never fires. Alarms due at the same time fire in the order
  // they were set.
  virtual AlarmId SetAlarm(absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire) = 0;

  // Ensures that `fire` will not run. Returns false if it ran already or the id is unknown.
  virtual bool CancelAlarm(AlarmId id) = 0;

  // Returns the time until the alarm is due, never below zero; zero if it waits for its turn in the
  // executor's queue, and nullopt if it ran already or the id is unknown. With LateAlarm::kRearm this is
  // active time: frozen time does not count.
  virtual std::optional<absl::Duration> UntilAlarm(AlarmId id) const = 0;
};

// Owns an alarm and cancels it when destroyed.
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
  // Returns what is left of the delay; zero if the alarm fired, was cancelled or was never set.
  absl::Duration left() const { return Until().value_or(absl::ZeroDuration()); }
  // Returns whether the alarm will still run: it was set, and has neither run nor been cancelled.
  bool is_set() const { return Until().has_value(); }
  void Cancel() {
    if (clock_ != nullptr) std::exchange(clock_, nullptr)->CancelAlarm(id_);
  }

 private:
  std::optional<absl::Duration> Until() const {
    if (clock_ == nullptr) return std::nullopt;
    return clock_->UntilAlarm(id_);
  }

  Clock* clock_ = nullptr;
  AlarmId id_ = kNoAlarm;
};

}  // namespace thaw

#endif  // THAW_CC_CLOCK_CLOCK_H_
