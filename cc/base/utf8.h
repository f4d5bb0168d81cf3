// Checks and repairs UTF-8. Intakes refuse a whole request because of one bad string.

#ifndef THAW_CC_BASE_UTF8_H_
#define THAW_CC_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace thaw {

// Returns whether `text` is valid UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, shortest forms).
bool IsValidUtf8(std::string_view text);

// Returns `text` with each maximal ill-formed part replaced by U+FFFD (Unicode standard, section 3.9).
std::string RepairUtf8(std::string_view text);

// Returns where to cut `text`, at `at` or up to three bytes before it, so that no code point is cut: both
// functions above then give the same for the parts as for the whole. `at` must be within the text.
size_t Utf8Cut(std::string_view text, size_t at);

// Returns the longest beginning of `text`, which is UTF-8, that has at most `most` bytes and splits no character.
inline std::string_view CutUtf8(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace thaw

#endif  // THAW_CC_BASE_UTF8_H_
