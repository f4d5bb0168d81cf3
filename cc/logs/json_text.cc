#include "cc/logs/json_text.h"

#include <cstdint>

#include "cc/base/json_special.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr size_t kUnicodeEscape = 6;  // \u0000

void AppendEscape(unsigned char c, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      out.append("\\u00");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
  }
}

uint32_t HexAt(std::string_view text, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4 && i < text.size(); ++i) {
    const char c = text[i];
    const uint32_t digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    value = value << 4 | (digit & 15);
  }
  return value;
}

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

bool IsHigh(uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLow(uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }
bool IsUnicodeEscape(std::string_view text, size_t at) {
  return at + kUnicodeEscape <= text.size() && text[at] == '\\' && text[at + 1] == 'u';
}

// Returns the number of bytes of the escape at `at`: two, six, or twelve for a surrogate pair.
size_t EscapeSize(std::string_view inside, size_t at) {
  if (!IsUnicodeEscape(inside, at)) return 2;
  const size_t next = at + kUnicodeEscape;
  const bool pair =
      IsHigh(HexAt(inside, at + 2)) && IsUnicodeEscape(inside, next) && IsLow(HexAt(inside, next + 2));
  return pair ? 2 * kUnicodeEscape : kUnicodeEscape;
}

void AppendUnicodeEscape(std::string_view escape, std::string& out) {
  const uint32_t unit = HexAt(escape, 2);
  if (escape.size() == 2 * kUnicodeEscape) {
    AppendUtf8(0x10000 + ((unit - 0xd800) << 10) + (HexAt(escape, kUnicodeEscape + 2) - 0xdc00), out);
  } else if (IsHigh(unit) || IsLow(unit)) {
    out.append(kReplacement);
  } else {
    AppendUtf8(unit, out);
  }
}

}  // namespace

void AppendJsonEscaped(std::string_view text, std::string& out) {
  size_t begin = 0;
  while (true) {
    const size_t at = FindJsonSpecial(text, begin);
    out.append(text, begin, at - begin);
    if (at == text.size()) return;
    AppendEscape(static_cast<unsigned char>(text[at]), out);
    begin = at + 1;
  }
}

void AppendJsonUnescaped(std::string_view inside, std::string& out) {
  size_t begin = 0;
  while (true) {
    const size_t at = inside.find('\\', begin);
    if (at == std::string_view::npos || at + 1 >= inside.size()) break;
    out.append(inside, begin, at - begin);
    const size_t size = EscapeSize(inside, at);
    switch (const char c = inside[at + 1]) {
      case 'u':
        AppendUnicodeEscape(inside.substr(at, size), out);
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      default:
        out.push_back(c);
    }
    begin = at + size;
  }
  if (begin < inside.size()) out.append(inside, begin, inside.size() - begin);
}

bool MayHaveHalfPairs(std::string_view inside) {
  for (size_t at = inside.find('\\'); at != std::string_view::npos; at = inside.find('\\', at)) {
    if (IsUnicodeEscape(inside, at) && (inside[at + 2] | 0x20) == 'd' && inside[at + 3] > '7') return true;
    at += 2;
    if (at >= inside.size()) return false;
  }
  return false;
}

std::string_view CutEscaped(std::string_view inside, size_t most) {
  if (inside.size() <= most) return inside;
  size_t end = 0;
  // The last escape that begins within the limit may end beyond it.
  for (size_t at = inside.find('\\'); at < most; at = inside.find('\\', end)) {
    const size_t size = EscapeSize(inside, at);
    if (at + size > most) return inside.substr(0, at);
    end = at + size;
  }
  return CutUtf8(inside, most);
}

}  // namespace thaw
