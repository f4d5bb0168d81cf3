#include "cc/trace/normalize_tag.h"

#include "absl/strings/ascii.h"

namespace thaw {

std::string NormalizeTag(std::string_view text) {
  constexpr int kMaxCodePoints = 200;
  std::string tag;
  tag.reserve(text.size());
  int code_points = 0;
  for (const char byte : text) {
    const bool continuation = (byte & 0xC0) == 0x80;
    if (!continuation && code_points == kMaxCodePoints) break;
    if (continuation || static_cast<signed char>(byte) < 0 || absl::ascii_isalpha(byte) || byte == ':') {
      tag.push_back(absl::ascii_tolower(byte));
    } else if (!tag.empty() && (absl::ascii_isdigit(byte) || byte == '.' || byte == '/' || byte == '-')) {
      tag.push_back(byte);
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

}  // namespace thaw
