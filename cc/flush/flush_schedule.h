// Decides when to flush: at each INVOKE, and whenever the race timer fires. Pure: takes readings
// of the clock.
//
//   FlushSchedule schedule(config.flush_strategy, config.flush_timeout, clock.Now());
//   switch (schedule.OnInvoke(clock.Now(), background_flush_runs)) {
//     case FlushDecision::kAtEnd: ...
//   }
//
// The adaptive strategy, `default`, looks at the last 20 invocations, including the current one, and the time
// between the first and the last of them:
//
//   fewer than 20 invocations              end
//   120 s or more between two, on average  end
//   all within the flush timeout           continuously, every 20 s
//   otherwise                              periodically, every 20 s
//
// An interval has passed when more time than that lies between two decisions to flush. Time is measured by
// the clock that advanced most, since a freeze counts as time between invocations and a wall clock that is
// set back must not.
//
// One thread.

#ifndef THAW_CC_FLUSH_FLUSH_SCHEDULE_H_
#define THAW_CC_FLUSH_FLUSH_SCHEDULE_H_

#include <array>
#include <cstddef>
#include <optional>

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/config/flush_strategy.h"

namespace thaw {

// When an invocation's flush takes place.
enum class FlushDecision {
  kAtEnd,         // wait for the function to end, flush, ask for the next event
  kBlocking,      // flush now, beside the function; then ask for the next event
  kInBackground,  // begin a flush now and ask for the next event at once
  kNone,          // ask for the next event at once
};

class FlushSchedule {
 public:
  // `began` is when the first interval starts.
  FlushSchedule(FlushStrategy strategy, absl::Duration flush_timeout, ClockReading began)
      : strategy_(strategy), flush_timeout_(flush_timeout), last_(began) {}

  // Decides for an invocation that begins. An interval that has passed is used up only if a flush follows:
  // while a background flush is running, no other is begun, and the next is due as soon as that one has
  // ended.
  FlushDecision OnInvoke(const ClockReading& now, bool background_flush_runs);

  // Returns how long to wait for an invocation's end, or for the next event, before asking RaceFlushes; the
  // wait starts again after each flush.
  absl::Duration race_interval() const;
  // Returns whether to flush because that time has passed. `decision` is that of the invocation that is open,
  // or was last.
  bool RaceFlushes(FlushDecision decision) const;

  const FlushStrategy& strategy() const { return strategy_; }
  // The strategy that was applied at the last INVOKE: the given one, or the adaptive choice.
  const FlushStrategy& effective() const { return effective_; }

 private:
  FlushStrategy Adapt(const ClockReading& now);

  static constexpr size_t kRemembered = 20;

  const FlushStrategy strategy_;
  const absl::Duration flush_timeout_;
  FlushStrategy effective_{.kind = FlushStrategy::Kind::kEnd};
  ClockReading last_;                              // when an interval last led to a flush
  std::array<ClockReading, kRemembered> invokes_;  // a ring
  size_t invoked_ = 0;                             // total count
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSH_SCHEDULE_H_
