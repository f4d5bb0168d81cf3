#include "cc/config/tag_list.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace thaw {

TagList ParseTagList(std::string_view text) {
  const bool has_comma = text.find(',') != std::string_view::npos;
  TagList list;
  for (std::string_view part : absl::StrSplit(text, absl::ByAnyChar(has_comma ? "," : " \t\r\n\v\f"))) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty()) continue;
    const size_t colon = part.find(':');
    const std::string_view name = absl::StripAsciiWhitespace(part.substr(0, colon));
    const std::string_view value =
        colon == std::string_view::npos ? "" : absl::StripAsciiWhitespace(part.substr(colon + 1));
    if (name.empty()) {
      list.nameless.emplace_back(part);
    } else {
      list.tags.emplace_back(name, value);
    }
  }
  return list;
}

}  // namespace thaw
