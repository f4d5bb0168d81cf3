// How much the process says of itself.

#ifndef THAW_CC_CONFIG_LOG_LEVEL_H_
#define THAW_CC_CONFIG_LOG_LEVEL_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace thaw {

// Each says what those before it say, and more.
enum class LogLevel { kError, kWarn, kInfo, kDebug, kTrace };
std::string_view ToString(LogLevel level);

// error, warn (warning), info, debug, trace (all); in any case.
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_LOG_LEVEL_H_
