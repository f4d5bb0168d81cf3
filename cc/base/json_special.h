// Finds the bytes of a JSON string that are not ordinary text, eight bytes at a time.
//
//   size_t at = FindJsonSpecial(R"(plain \n text")", 0);   // 6

#ifndef THAW_CC_BASE_JSON_SPECIAL_H_
#define THAW_CC_BASE_JSON_SPECIAL_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace thaw {

// Returns whether a byte must be escaped inside a JSON string: a quote, a backslash or a control character (RFC 8259
// section 7).
constexpr bool IsJsonSpecial(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == '"' || byte == '\\';
}

// Returns the position of the first such byte of `text` at `from` or behind it; the text's size if there is none.
inline size_t FindJsonSpecial(std::string_view text, size_t from) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  constexpr uint64_t kHigh = 0x8080808080808080u;
  // Sets the high bit of each byte that is below `limit`. A borrow may set further bits, but only behind, that is above,
  // the first right one.
  const auto below = [](uint64_t word, uint64_t limit) { return (word - kOnes * limit) & ~word & kHigh; };
  size_t at = from;
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof(word));
      const uint64_t special =
          below(word, 0x20) | below(word ^ kOnes * '"', 1) | below(word ^ kOnes * '\\', 1);
      if (special != 0) return at + static_cast<size_t>(std::countr_zero(special)) / 8;
    }
  }
  while (at < text.size() && !IsJsonSpecial(text[at])) ++at;
  return at;
}

}  // namespace thaw

#endif  // THAW_CC_BASE_JSON_SPECIAL_H_
