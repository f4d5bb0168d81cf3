#include "cc/config/log_level.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"

namespace thaw {

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text) {
  constexpr std::pair<std::string_view, LogLevel> kNames[] = {
      {"error", LogLevel::kError}, {"warn", LogLevel::kWarn},   {"warning", LogLevel::kWarn},
      {"info", LogLevel::kInfo},   {"debug", LogLevel::kDebug}, {"trace", LogLevel::kTrace},
      {"all", LogLevel::kTrace}};
  for (const auto& [name, level] : kNames)
    if (absl::EqualsIgnoreCase(text, name)) return level;
  return absl::InvalidArgumentError("it is not one of error, warn, info, debug and trace");
}

}  // namespace thaw
