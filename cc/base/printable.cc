#include "cc/base/printable.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

bool IsPlain(char c) { return c >= 0x20 && c < 0x7f; }

void AppendEscaped(std::string& line, char c) {
  switch (c) {
    case '\n':
      line += "\\n";
      return;
    case '\r':
      line += "\\r";
      return;
    case '\t':
      line += "\\t";
      return;
    default:
      absl::StrAppend(&line, "\\x", absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
  }
}

// Returns true for controls beyond ASCII, line separators, and marks that change the reading direction.
bool Disturbs(uint32_t point) {
  return (point >= 0x80 && point <= 0x9f) || point == 0x061c || (point >= 0x200e && point <= 0x200f) ||
         (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

// Returns the code point of a well-formed sequence.
uint32_t PointOf(std::string_view sequence) {
  uint32_t point = static_cast<uint8_t>(sequence[0]) & (0xff >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) point = point << 6 | (static_cast<uint8_t>(c) & 0x3f);
  return point;
}

}  // namespace

void AppendPrintable(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const size_t plain = std::find_if_not(text.begin(), text.end(), IsPlain) - text.begin();
    line.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto first = static_cast<uint8_t>(text[0]);
    const size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const std::string_view sequence = text.substr(0, length);
    if (first < 0x80 || sequence.size() < length || !IsValidUtf8(sequence)) {
      AppendEscaped(line, text[0]);
      text.remove_prefix(1);
      continue;
    }
    if (const uint32_t point = PointOf(sequence); Disturbs(point)) {
      absl::StrAppend(&line, "\\u", absl::Hex(point, absl::kZeroPad4));
    } else {
      line.append(sequence);
    }
    text.remove_prefix(length);
  }
}

std::string Printable(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  AppendPrintable(line, text);
  return line;
}

}  // namespace thaw
