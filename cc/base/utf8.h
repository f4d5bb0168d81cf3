// Checks and repairs UTF-8. Intakes refuse a whole request because of one bad string.

#ifndef THAW_CC_BASE_UTF8_H_
#define THAW_CC_BASE_UTF8_H_

#include <string>
#include <string_view>

namespace thaw {

// Returns whether `text` is valid UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, shortest forms).
bool IsValidUtf8(std::string_view text);

// Returns `text` with each maximal ill-formed part replaced by U+FFFD (Unicode standard, section 3.9).
std::string RepairUtf8(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_UTF8_H_
