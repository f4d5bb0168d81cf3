#include "cc/base/normalize_tag.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"

namespace thaw {
namespace {

constexpr size_t kMostCodePoints = 200;
constexpr size_t kMostBytes = 400;
// Bytes of a character that begins within the bound; text that is not UTF-8 could go on for ever.
constexpr size_t kMostBytesOver = 3;

enum class ByteKind : uint8_t { kOther, kLetter, kNotFirst, kUnderscore };

// The kind of each byte in a normal tag.
constexpr std::array<ByteKind, 256> kKinds = [] {
  std::array<ByteKind, 256> kinds{};
  for (int c = 'a'; c <= 'z'; ++c) kinds[c] = ByteKind::kLetter;
  for (int c = 0x80; c <= 0xFF; ++c) kinds[c] = ByteKind::kLetter;
  for (int c = '0'; c <= '9'; ++c) kinds[c] = ByteKind::kNotFirst;
  kinds[':'] = ByteKind::kLetter;
  kinds['.'] = kinds['/'] = kinds['-'] = ByteKind::kNotFirst;
  kinds['_'] = ByteKind::kUnderscore;
  return kinds;
}();

// Returns whether `text` is certainly normal. Longer texts may be normal too; they take the slow path.
bool IsNormal(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() > kMostCodePoints) return false;
  // kOther stands before the first character, which must be a letter; no underscore follows another.
  ByteKind last = ByteKind::kOther;
  for (const char byte : text) {
    const ByteKind kind = kKinds[static_cast<uint8_t>(byte)];
    if (kind == ByteKind::kOther) return false;
    if (kind == ByteKind::kUnderscore && (last == ByteKind::kUnderscore || last == ByteKind::kOther))
      return false;
    if (kind == ByteKind::kNotFirst && last == ByteKind::kOther) return false;
    last = kind;
  }
  return last != ByteKind::kUnderscore;
}

}  // namespace

std::string_view NormalizeTag(std::string_view text, std::string& buffer) {
  if (IsNormal(text)) return text;
  std::string& tag = buffer;
  tag.clear();
  size_t code_points = 0;
  for (const char byte : text) {
    const bool continuation = (byte & 0xC0) == 0x80;
    if (!continuation && (code_points == kMostCodePoints || tag.size() >= kMostBytes)) break;
    if (tag.size() >= kMostBytes + kMostBytesOver) break;
    const char lower = absl::ascii_tolower(byte);
    const ByteKind kind = kKinds[static_cast<uint8_t>(lower)];
    if (kind == ByteKind::kLetter || (kind == ByteKind::kNotFirst && !tag.empty())) {
      tag.push_back(lower);
    } else if (!tag.empty() && tag.back() != '_') {
      tag.push_back('_');
    } else {
      continue;
    }
    if (!continuation) ++code_points;
  }
  if (!tag.empty() && tag.back() == '_') tag.pop_back();
  return tag;
}

std::string NormalizeTag(std::string_view text) {
  std::string buffer;
  return std::string(NormalizeTag(text, buffer));
}

}  // namespace thaw
