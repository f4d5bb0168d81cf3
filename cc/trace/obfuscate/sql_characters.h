// Classes of characters in SQL: white space, and what names are made of.

#ifndef THAW_CC_TRACE_OBFUSCATE_SQL_CHARACTERS_H_
#define THAW_CC_TRACE_OBFUSCATE_SQL_CHARACTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/strings/match.h"

namespace thaw {

// Classes of bytes.
inline constexpr uint8_t kSqlSpace = 1;
inline constexpr uint8_t kSqlNameStart = 2;
inline constexpr uint8_t kSqlNamePart = 4;

// '@' and '#' begin operators in PostgreSQL; elsewhere they are part of names. Code points beyond ASCII are
// part of names everywhere.
constexpr std::array<uint8_t, 256> SqlCharacterClasses(bool postgresql) {
  std::array<uint8_t, 256> classes{};
  for (const char c : std::string_view(" \t\n\v\f\r")) classes[static_cast<uint8_t>(c)] = kSqlSpace;
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = kSqlNameStart | kSqlNamePart;
  for (int c = 0x80; c <= 0xFF; ++c) classes[c] = kSqlNameStart | kSqlNamePart;
  for (int c = '0'; c <= '9'; ++c) classes[c] = kSqlNamePart;
  classes['_'] = kSqlNameStart | kSqlNamePart;
  classes['.'] = classes['$'] = kSqlNamePart;
  if (!postgresql) {
    classes['@'] = kSqlNameStart | kSqlNamePart;
    classes['#'] = kSqlNamePart;
  }
  return classes;
}
inline constexpr std::array<uint8_t, 256> kSqlClasses = SqlCharacterClasses(false);
inline constexpr std::array<uint8_t, 256> kPostgreSqlClasses = SqlCharacterClasses(true);

// Returns the length of the white space beyond ASCII that begins here, or 0.
inline size_t WideSpaceAt(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at, 3);
  if (absl::StartsWith(rest, "\xC2\x85") || absl::StartsWith(rest, "\xC2\xA0")) return 2;
  if (rest.size() < 3) return 0;
  if (rest == "\xE1\x9A\x80" || rest == "\xE2\x81\x9F" || rest == "\xE3\x80\x80") return 3;
  if (!absl::StartsWith(rest, "\xE2\x80")) return 0;
  const auto last = static_cast<uint8_t>(rest[2]);
  return last <= 0x8A || last == 0xA8 || last == 0xA9 || last == 0xAF ? 3 : 0;
}

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_SQL_CHARACTERS_H_
