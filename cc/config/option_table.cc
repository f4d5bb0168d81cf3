#include "cc/config/option_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace thaw {

std::string JsonPathOf(const OptionRow& row) {
  const std::string_view group = GroupOf(row);
  return absl::StrCat(group, group.empty() ? "" : ".", row.name);
}

std::vector<OptionSource> SourcesOf(const OptionRow& row) {
  std::vector<OptionSource> sources;
  for (std::string_view word : absl::StrSplit(row.sources, ' ')) {
    const bool is_yaml = absl::ConsumePrefix(&word, "yaml:");
    sources.push_back({.is_yaml = is_yaml, .name = std::string(word)});
  }
  return sources;
}

std::string OtherNameOf(std::string_view variable) {
  if (!absl::ConsumePrefix(&variable, "DD_")) return "";
  return absl::StrCat("DATADOG_", variable);
}

}  // namespace thaw
