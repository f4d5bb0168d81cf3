// Holds the alarms of one clock in the order they are due. Every Clock uses it, so that the rule for late
// alarms is written once.
//
// The owner calls Turn() at the start of each turn of its loop and FireDue() after reading the clock;
// NextDue() says how long it may sleep.

#ifndef THAW_CC_CLOCK_ALARM_QUEUE_H_
#define THAW_CC_CLOCK_ALARM_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/clock/clock.h"

namespace thaw {

class AlarmQueue {
 public:
  // `now` is a reading of the monotonic clock.
  AlarmId Set(absl::Duration now, absl::Duration delay, LateAlarm late, absl::AnyInvocable<void()> fire);
  bool Cancel(AlarmId id);

  // Returns the time from `now` until the alarm is due, never below zero; zero if it was posted and has not
  // run, and nullopt if it isn't set.
  std::optional<absl::Duration> Until(AlarmId id, absl::Duration now) const;

  // Returns when the next alarm is due on the monotonic clock, or nullopt if none is set.
  std::optional<absl::Duration> NextDue() const;

  // Passes each alarm that is due at `now` to `post`, in order. An alarm that is cancelled before its turn
  // comes doesn't run. A late alarm with LateAlarm::kRearm is set again instead, for what remained of it at
  // the last turn. Posted functions refer to this queue, which must outlive them.
  void FireDue(absl::Duration now, absl::FunctionRef<void(absl::AnyInvocable<void()>)> post);

  // The loop begins a turn: alarms that were due before `now` have had their chance to fire.
  void Turn(absl::Duration now) { last_turn_ = now; }

  // The number of alarms that were re-armed because they fired late.
  int64_t late() const { return late_; }
  bool empty() const { return heap_.empty(); }

 private:
  // An alarm that is set or posted. Its place is used again for a later one.
  struct Alarm {
    AlarmId id = kNoAlarm;  // of none: the place is free
    size_t in_heap = 0;     // or kPosted
    LateAlarm late = LateAlarm::kFire;
    absl::Duration delay;
    absl::AnyInvocable<void()> fire;
  };
  struct Due {
    absl::Duration due;
    AlarmId id;
  };

  // Returns nullptr if the alarm is neither set nor posted.
  Alarm* Find(AlarmId id);
  const Alarm* Find(AlarmId id) const { return const_cast<AlarmQueue*>(this)->Find(id); }
  // Frees the alarm's place and returns its function.
  absl::AnyInvocable<void()> Release(Alarm& alarm);
  void RunPosted(AlarmId id);
  // Writes `due` to a place of the heap that is free.
  void Put(size_t at, const Due& due);
  void MoveUp(size_t at);
  void MoveDown(size_t at);
  void RemoveAt(size_t at);

  // An id has the alarm's place in its low bits. Above them are numbers that ascend, so that ids ascend in
  // the order in which alarms were set.
  std::vector<Alarm> alarms_;
  std::vector<size_t> free_;
  std::vector<Due> heap_;  // the earliest first; of two with one time that which was set first
  uint64_t next_number_ = 1;
  absl::Duration last_turn_ = -absl::InfiniteDuration();
  int64_t late_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_CLOCK_ALARM_QUEUE_H_
