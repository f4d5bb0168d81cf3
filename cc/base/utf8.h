// UTF-8: is it, and if not, made so. Intakes refuse a whole request for one bad string.

#ifndef THAW_CC_BASE_UTF8_H_
#define THAW_CC_BASE_UTF8_H_

#include <string>
#include <string_view>

namespace thaw {

// Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, shortest forms).
bool IsValidUtf8(std::string_view text);

// `text` with each maximal ill-formed part replaced by U+FFFD, as the Unicode standard recommends (§3.9).
std::string RepairUtf8(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_UTF8_H_
