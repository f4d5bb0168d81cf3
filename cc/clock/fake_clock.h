// A clock that tests move. Each of the three times moves by itself, so that a test can make them disagree.
//
//   FakeClock clock(executor);
//   clock.Advance(absl::Seconds(1));                       // all three; alarms due meanwhile fire in order
//   clock.Advance({.wall = absl::Seconds(90)});            // a freeze that the monotonic clock did not see
//   clock.Freeze({.wall = s, .monotonic = s, .boot = s});  // the loop did not turn: alarms are late

#ifndef THAW_CC_CLOCK_FAKE_CLOCK_H_
#define THAW_CC_CLOCK_FAKE_CLOCK_H_

#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "cc/base/executor.h"
#include "cc/clock/alarm_queue.h"
#include "cc/clock/clock.h"

namespace thaw {

class FakeClock : public Clock {
 public:
  struct Step {
    absl::Duration wall;
    absl::Duration monotonic;
    absl::Duration boot;
  };

  // Fired alarms are posted to `executor`, which must outlive the clock. The first reading is
  // 2026-01-01T00:00:00Z, monotonic 1000 s, boot 2000 s.
  explicit FakeClock(Executor& executor);

  ClockReading Now() const override { return now_; }
  AlarmId SetAlarm(absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire) override {
    return alarms_.Set(now_.monotonic, delay, late, std::move(fire));
  }
  bool CancelAlarm(AlarmId id) override { return alarms_.Cancel(id); }
  std::optional<absl::Duration> UntilAlarm(AlarmId id) const override {
    return alarms_.Until(id, Now().monotonic);
  }

  // Moves the clocks as running time does: alarms fire when they are due and none is late. If the steps
  // differ, the monotonic one decides which alarms fire. Steps may be negative, except the monotonic one.
  void Advance(Step step);
  void Advance(absl::Duration all) { Advance({all, all, all}); }

  // Moves the clocks in one step while the loop stands still: alarms that came due meanwhile are late.
  void Freeze(Step step);
  void Freeze(absl::Duration all) { Freeze({all, all, all}); }

  // Returns the time until the next alarm, or nullopt if none is set.
  std::optional<absl::Duration> UntilNextAlarm() const;
  int64_t late() const { return alarms_.late(); }

 private:
  void Move(const Step& step);
  Executor& executor_;
  ClockReading now_;
  AlarmQueue alarms_;
};

}  // namespace thaw

#endif  // THAW_CC_CLOCK_FAKE_CLOCK_H_
