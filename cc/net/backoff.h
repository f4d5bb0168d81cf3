// Computes how long to wait before another try. Pure.

#ifndef THAW_CC_NET_BACKOFF_H_
#define THAW_CC_NET_BACKOFF_H_

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace thaw {

// Returns a delay with full jitter: `fraction` (in [0, 1)) of min(cap, base * 2^(tries - 1)), after `tries`
// >= 1 failed tries.
absl::Duration Backoff(absl::Duration base, absl::Duration cap, int tries, double fraction);

// Parses Retry-After (RFC 9110 section 10.2.3): seconds, or a date in any of its three forms, compared with
// `wall`. A fraction of a second is rounded up. Returns nullopt if it is neither; the result is never below zero.
std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time wall);

}  // namespace thaw

#endif  // THAW_CC_NET_BACKOFF_H_
