// How long to wait before another try. Pure.

#ifndef THAW_CC_NET_BACKOFF_H_
#define THAW_CC_NET_BACKOFF_H_

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace thaw {

// Full jitter: `fraction` (of [0, 1)) of min(cap, base * 2^(tries - 1)), for `tries` >= 1 failed ones.
absl::Duration Backoff(absl::Duration base, absl::Duration cap, int tries, double fraction);

// Retry-After (RFC 9110 section 10.2.3): seconds, or a date against `wall`. Nothing if it is neither; never
// below zero.
std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time wall);

}  // namespace thaw

#endif  // THAW_CC_NET_BACKOFF_H_
