// When a function's data is sent: the value of DD_SERVERLESS_FLUSH_STRATEGY. cc/flush/flush_schedule.h
// decides from it for each invocation.
//
//   text                 strategy
//   default              adapts to how often the function is invoked
//   end                  at the end of each invocation
//   end,<ms>             at the end of an invocation, if the interval has passed since the last flush
//   periodically,<ms>    at the start of an invocation, likewise, before the next event is asked for
//   continuously,<ms>    like periodically, but in the background, while the next event is asked for
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
  // The interval, above zero, of the last three kinds; zero for the others.
  absl::Duration interval;

  bool operator==(const FlushStrategy&) const = default;
};

// Parses lower-case words; spaces may surround word and number. The error, InvalidArgument, says what is
// wrong with the text without showing it.
absl::StatusOr<FlushStrategy> ParseFlushStrategy(std::string_view text);

// Returns the text that ParseFlushStrategy accepts: "default", "end", "end,20000".
std::string ToString(const FlushStrategy& strategy);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_FLUSH_STRATEGY_H_
