#include "cc/net/backoff.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace thaw {

absl::Duration Backoff(absl::Duration base, absl::Duration cap, int tries, double fraction) {
  // 2^20 times any base exceeds every cap.
  const int doublings = std::clamp(tries - 1, 0, 20);
  return std::min(cap, base * (int64_t{1} << doublings)) * fraction;
}

namespace {

// The date forms that a recipient accepts (RFC 9110 section 5.6.7): the current one, that of RFC 850 and that
// of C's asctime().
constexpr const char* kDateForms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                      "%a %b %e %H:%M:%S %Y"};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time wall) {
  value = absl::StripAsciiWhitespace(value);
  const size_t point = std::min(value.find('.'), value.size());
  if (IsDigits(value.substr(0, point)) && (point == value.size() || IsDigits(value.substr(point + 1)))) {
    uint32_t seconds = 0;
    if (!absl::SimpleAtoi(value.substr(0, point), &seconds)) seconds = std::numeric_limits<uint32_t>::max();
    // A fraction is no valid form, and rounded up it is a delay that the server meant.
    return absl::Seconds(seconds) + absl::Seconds(point == value.size() ? 0 : 1);
  }
  for (const char* form : kDateForms) {
    absl::Time date;
    std::string error;
    // Abseil also parses "infinite-future", whatever the format.
    if (absl::ParseTime(form, std::string(value), &date, &error) && date != absl::InfiniteFuture() &&
        date != absl::InfinitePast()) {
      return std::max(date - wall, absl::ZeroDuration());
    }
  }
  return std::nullopt;
}

}  // namespace thaw
