// Percent-encoding of RFC 3986 section 2.1, as URLs and W3C baggage have it.

#ifndef THAW_CC_BASE_PERCENT_H_
#define THAW_CC_BASE_PERCENT_H_

#include <optional>
#include <string>
#include <string_view>

namespace thaw {

// `text` with each %XX as its byte; nothing if a '%' is followed by anything else than two hexadecimal
// digits.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_PERCENT_H_
