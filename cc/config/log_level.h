// The amount that the process logs.

#ifndef THAW_CC_CONFIG_LOG_LEVEL_H_
#define THAW_CC_CONFIG_LOG_LEVEL_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "cc/base/declare_enum.h"

namespace thaw {

// Each level includes those before it. X(enumerator, name, what is logged from it on)
#define THAW_LOG_LEVELS(X)                                  \
  X(kError, error, "lost data")                             \
  X(kWarn, warn, "states that last, when they begin")       \
  X(kInfo, info, "the ends of these states, and the start") \
  X(kDebug, debug, "each flush, with all counts")           \
  X(kTrace, trace, "everything")
THAW_DECLARE_ENUM(LogLevel, kLogLevels, THAW_LOG_LEVELS)

// Parses error, warn (warning), info, debug, trace (all), in any case.
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_LOG_LEVEL_H_
