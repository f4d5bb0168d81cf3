#include "cc/base/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace thaw {
namespace {

template <typename Word>
Word Load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Most text is short ASCII. A last part shorter than a word is checked as a word that overlaps the one before
// it.
bool IsAscii(const char* text, size_t size) {
  constexpr uint64_t kHigh = 0x8080808080808080u;
  if (size >= 8) {
    uint64_t bits = Load<uint64_t>(text + size - 8);
    for (size_t i = 0; i + 8 < size; i += 8) bits |= Load<uint64_t>(text + i);
    return (bits & kHigh) == 0;
  }
  if (size >= 4)
    return ((Load<uint32_t>(text) | Load<uint32_t>(text + size - 4)) & static_cast<uint32_t>(kHigh)) == 0;
  for (size_t i = 0; i < size; ++i)
    if (static_cast<signed char>(text[i]) < 0) return false;
  return true;
}

// Returns how many bytes at the beginning of `text` are ASCII; checks eight at a time.
size_t AsciiPrefix(const char* text, size_t size) {
  size_t i = 0;
  while (i + 8 <= size && IsAscii(text + i, 8)) i += 8;
  while (i < size && static_cast<signed char>(text[i]) >= 0) ++i;
  return i;
}

// Returns the length of the code point at the beginning of `text` (1 to 4), or, as a negative number, how
// many bytes of an ill-formed one belong together.
int CodePoint(const char* text, size_t size) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  int length;
  // The second byte's range excludes overlong forms, surrogates and values that are too large.
  uint8_t low = 0x80, high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return -1;
  }
  for (int i = 1; i < length; ++i) {
    if (static_cast<size_t>(i) >= size || byte(i) < low || byte(i) > high) return -i;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  if (IsAscii(text.data(), text.size())) [[likely]]
    return true;
  const char* at = text.data();
  size_t left = text.size();
  while (true) {
    const size_t ascii = AsciiPrefix(at, left);
    at += ascii;
    left -= ascii;
    if (left == 0) return true;
    const int length = CodePoint(at, left);
    if (length < 0) return false;
    at += length;
    left -= length;
  }
}

std::string RepairUtf8(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  // The length is known before anything is copied, so that the text is allocated once.
  size_t size = 0;
  for (size_t at = 0; at < text.size();) {
    const int length = CodePoint(text.data() + at, text.size() - at);
    size += length > 0 ? length : kReplacement.size();
    at += length > 0 ? length : -length;
  }
  std::string repaired(size, '\0');
  char* out = repaired.data();
  for (size_t at = 0; at < text.size();) {
    const int length = CodePoint(text.data() + at, text.size() - at);
    if (length > 0) {
      std::memcpy(out, text.data() + at, length);
      out += length;
      at += length;
    } else {
      std::memcpy(out, kReplacement.data(), kReplacement.size());
      out += kReplacement.size();
      at += -length;
    }
  }
  return repaired;
}

size_t Utf8Cut(std::string_view text, size_t at) {
  const auto continues = [text](size_t i) { return (static_cast<uint8_t>(text[i]) & 0xC0) == 0x80; };
  if (at == text.size()) return at;
  for (size_t back = 0; back <= 3 && back <= at; ++back)
    if (!continues(at - back)) return at - back;
  // No code point has four bytes of this kind, so that none is cut here.
  return at;
}

}  // namespace thaw
