#include "cc/config/yaml_source.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cc/base/utf8.h"

namespace thaw {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool IsForbidden(unsigned char c) { return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f; }

// Returns the error for the character at `offset`.
absl::Status AtOffset(std::string_view text, size_t offset, std::string_view what) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return AtYamlPlace(static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
                     static_cast<int>(offset - line_begin) + 1, what);
}

bool EndsWord(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Skips anchor and tag, and the white space and comments after them.
size_t SkipProperties(std::string_view text, size_t offset) {
  while (offset < text.size() && (text[offset] == '&' || text[offset] == '!')) {
    while (offset < text.size() && !EndsWord(text[offset])) ++offset;
    while (offset < text.size() && (EndsWord(text[offset]) || text[offset] == '#')) {
      if (text[offset] == '#') {
        offset = std::min(text.find('\n', offset), text.size());
      } else {
        ++offset;
      }
    }
  }
  return offset;
}

// Returns whether the line that begins at `offset` has text at or left of column `indent`.
bool BeginsLeft(std::string_view text, size_t offset, int indent) {
  const size_t first = text.find_first_not_of(' ', offset);
  if (first == std::string_view::npos || text[first] == '\n' || text[first] == '\r') return false;
  return static_cast<int>(first - offset) <= indent;
}

}  // namespace

absl::Status AtYamlPlace(int line, int column, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ", column ", column, ": ", what));
}

absl::Status CheckYamlCharacters(std::string_view text) {
  const auto forbidden = std::find_if(text.begin(), text.end(), IsForbidden);
  if (forbidden != text.end()) {
    const bool is_nul = *forbidden == '\0';
    return AtOffset(
        text, static_cast<size_t>(forbidden - text.begin()),
        absl::StrCat(is_nul ? "a NUL character" : "a control character, ",
                     is_nul ? "" : absl::StrFormat("0x%02x", *forbidden), ", which YAML does not allow"));
  }
  // Other line ends would be read by some parts of YAML's grammar as such and by others as white space.
  for (size_t at = text.find('\r'); at != text.npos; at = text.find('\r', at + 1)) {
    if (at + 1 < text.size() && text[at + 1] == '\n') continue;
    return AtOffset(text, at, "a carriage return without a line feed behind it, which ends no line here");
  }
  if (IsValidUtf8(text)) return absl::OkStatus();
  // Checks line by line: lines are short, and the first one that is not UTF-8 gives the position.
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (!IsValidUtf8(text.substr(begin, end - begin))) break;
    begin = end + 1;
  }
  return AtOffset(text, std::min(begin, text.size()), "the line is not UTF-8");
}

QuoteFault CheckQuotes(std::string_view text, size_t offset, int indent) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) offset += kByteOrderMark.size();
  offset = SkipProperties(text, offset);
  if (offset >= text.size() || (text[offset] != '"' && text[offset] != '\'')) return QuoteFault::kNone;
  const char quote = text[offset];
  for (size_t i = offset + 1; i < text.size(); ++i) {
    if (text[i] == '\n' && BeginsLeft(text, i + 1, indent)) return QuoteFault::kNotIndented;
    if (quote == '"' && text[i] == '\\') {
      // A line break may be escaped; the line after it must be indented all the same.
      if (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else if (text[i] == quote) {
      const bool is_escaped = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!is_escaped) return QuoteFault::kNone;
      ++i;
    }
  }
  return QuoteFault::kNotClosed;
}

PlainFault CheckPlain(std::string_view text, size_t offset, std::string_view value) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) offset += kByteOrderMark.size();
  offset = SkipProperties(text, offset);
  constexpr std::string_view kNotPlain = "\"'|>";
  if (offset >= text.size() || absl::StrContains(kNotPlain, text[offset])) return PlainFault::kNone;
  // The parser writes a space for a line's end.
  if (text.substr(offset, value.size()) != value) return PlainFault::kGoesOn;
  if (value.size() < 2 || value[0] != '-') return PlainFault::kNone;
  const size_t before = text.substr(0, offset).find_last_not_of(' ');
  const bool is_first = before == std::string_view::npos || text[before] == '\n';
  return is_first ? PlainFault::kDash : PlainFault::kNone;
}

}  // namespace thaw
