// When a function's data is sent: the value of DD_SERVERLESS_FLUSH_STRATEGY. What follows from it, invocation
// by invocation, is decided in cc/flush/flush_schedule.h.
//
//   text                 strategy
//   default              adapts to how often the function is invoked
//   end                  at the end of each invocation
//   end,<ms>             the same, where so many milliseconds have passed since the last time
//   periodically,<ms>    at the start of an invocation, likewise, before the next event is asked for
//   continuously,<ms>    the same in the background, while the next event is asked for
//
//   THAW_ASSIGN_OR_RETURN(const FlushStrategy strategy, ParseFlushStrategy("end, 20000"));

#ifndef THAW_CC_CONFIG_FLUSH_STRATEGY_H_
#define THAW_CC_CONFIG_FLUSH_STRATEGY_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace thaw {

struct FlushStrategy {
  enum class Kind { kDefault, kEnd, kEndPeriodically, kPeriodically, kContinuously };

  Kind kind = Kind::kDefault;
  // Of the last three, above zero; zero for the others.
  absl::Duration interval;

  bool operator==(const FlushStrategy&) const = default;
};

// Words in lower case; spaces may stand around word and number. InvalidArgument says what is wrong with the
// text without showing it.
absl::StatusOr<FlushStrategy> ParseFlushStrategy(std::string_view text);

// As it is parsed: "default", "end", "end,20000".
std::string ToString(const FlushStrategy& strategy);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_FLUSH_STRATEGY_H_
