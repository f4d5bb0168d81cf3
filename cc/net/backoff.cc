#include "cc/net/backoff.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace thaw {

absl::Duration Backoff(absl::Duration base, absl::Duration cap, int tries, double fraction) {
  // 2^20 times any base exceeds every cap.
  const int doublings = std::clamp(tries - 1, 0, 20);
  return std::min(cap, base * (int64_t{1} << doublings)) * fraction;
}

std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time wall) {
  value = absl::StripAsciiWhitespace(value);
  uint32_t seconds = 0;
  if (absl::SimpleAtoi(value, &seconds)) return absl::Seconds(seconds);
  absl::Time date;
  std::string error;
  // Abseil also parses "infinite-future", whatever the format.
  if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", std::string(value), &date, &error) &&
      date != absl::InfiniteFuture() && date != absl::InfinitePast()) {
    return std::max(date - wall, absl::ZeroDuration());
  }
  return std::nullopt;
}

}  // namespace thaw
