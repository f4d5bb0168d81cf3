// Decides when to flush: at each INVOKE, and whenever the race timer fires. Pure: time comes in as readings.
//
//   FlushSchedule schedule(config.flush_strategy, config.flush_timeout, clock.Now());
//   switch (schedule.OnInvoke(clock.Now(), background_flush_runs)) {
//     case FlushDecision::kAtEnd: ...
//   }
//
// The adaptive strategy, `default`, looks at the last 20 invocations, the present one included, by how much
// time lies between the first and the last of them:
//
//   fewer than 20                     end
//   120 s and more from one to the    end
//   next, in the mean
//   all within the flush timeout      continuously, every 20 s
//   otherwise                         periodically, every 20 s
//
// An interval has passed when more time than that lies between two decisions to flush. Time is what the
// clock that advanced most says, since a freeze counts as time between invocations and a wall clock that
// steps back must not.
//
// One thread.

#ifndef THAW_CC_FLUSH_FLUSH_SCHEDULE_H_
#define THAW_CC_FLUSH_FLUSH_SCHEDULE_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/config/flush_strategy.h"

namespace thaw {

// When an invocation's flush is.
enum class FlushDecision {
  kAtEnd,         // wait for the function to end, flush, ask for the next event
  kBlocking,      // flush what there is now, beside the function; ask for the next event when that is done
  kInBackground,  // begin a flush now and ask for the next event at once
  kNone,          // ask for the next event at once
};
std::string_view ToString(FlushDecision decision);

class FlushSchedule {
 public:
  // `began`: from when on the first interval counts.
  FlushSchedule(FlushStrategy strategy, absl::Duration flush_timeout, ClockReading began)
      : strategy_(strategy), flush_timeout_(flush_timeout), last_(began) {}

  // An invocation begins. An interval that has passed is used up only if a flush follows: while a background
  // flush still runs, another is not begun, and is due as soon as that one has ended.
  FlushDecision OnInvoke(const ClockReading& now, bool background_flush_runs);

  // How long to wait for an invocation's end, or the next event, until RaceFlushes is asked; again after
  // each flush.
  absl::Duration race_interval() const;
  // Whether a flush is to be made because that time has passed. `decision`: of the invocation that is open,
  // or was last.
  bool RaceFlushes(FlushDecision decision) const;

  const FlushStrategy& strategy() const { return strategy_; }
  // What the adaptive strategy, or the given one, came to at the last INVOKE.
  const FlushStrategy& effective() const { return effective_; }

 private:
  FlushStrategy Adapt(const ClockReading& now);

  static constexpr size_t kRemembered = 20;

  const FlushStrategy strategy_;
  const absl::Duration flush_timeout_;
  FlushStrategy effective_{.kind = FlushStrategy::Kind::kEnd};
  ClockReading last_;                              // when a flush was last decided for by interval
  std::array<ClockReading, kRemembered> invokes_;  // a ring
  size_t invoked_ = 0;                             // in all
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSH_SCHEDULE_H_
