// Percent-encoding (RFC 3986 section 2.1), as URLs and W3C baggage use it.

#ifndef THAW_CC_BASE_PERCENT_H_
#define THAW_CC_BASE_PERCENT_H_

#include <optional>
#include <string>
#include <string_view>

namespace thaw {

// Returns `text` with each %XX decoded, or nullopt if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_PERCENT_H_
