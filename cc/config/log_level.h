// The amount that the process logs.

#ifndef THAW_CC_CONFIG_LOG_LEVEL_H_
#define THAW_CC_CONFIG_LOG_LEVEL_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace thaw {

// Each level includes those before it.
enum class LogLevel { kError, kWarn, kInfo, kDebug, kTrace };
std::string_view ToString(LogLevel level);

// Parses error, warn (warning), info, debug, trace (all), in any case.
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_LOG_LEVEL_H_
