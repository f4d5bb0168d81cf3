#include "cc/trace/process/tag_filter.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cc/base/mask.h"
#include "re2/re2.h"

namespace thaw {
namespace {

// The part of a text that is searched: a very long one would hold up the loop.
constexpr size_t kMostBytes = 256 << 10;
constexpr std::string_view kWhiteSpace = " \t\n\r\v\f";

std::optional<std::string_view> FieldOf(const RootSpan& root, std::string_view key) {
  if (key == "service") return root.service;
  if (key == "name") return root.name;
  if (key == "resource") return root.resource;
  if (key == "type") return root.type;
  return std::nullopt;
}

}  // namespace

TagFilter::TagFilter() = default;
TagFilter::TagFilter(TagFilter&&) noexcept = default;
TagFilter& TagFilter::operator=(TagFilter&&) noexcept = default;
TagFilter::~TagFilter() = default;

TagFilter::TagFilter(const Settings& settings, std::vector<std::string>& warnings) {
  require_ = Read(settings.require, settings.regex_require, "REQUIRE", "so that no trace is kept", warnings);
  reject_ = Read(settings.reject, settings.regex_reject, "REJECT", "so that it rejects no trace", warnings);
}

std::vector<TagFilter::Entry> TagFilter::Read(std::string_view exact, std::string_view regex,
                                              std::string_view purpose, std::string_view consequence,
                                              std::vector<std::string>& warnings) {
  std::vector<Entry> entries;
  const std::string exact_setting = absl::StrCat("DD_APM_FILTER_TAGS_", purpose);
  const std::string regex_setting = absl::StrCat("DD_APM_FILTER_TAGS_REGEX_", purpose);
  const auto add = [&](std::string_view text, std::string_view setting) -> Entry& {
    const size_t colon = text.find(':');
    Entry& entry = entries.emplace_back();
    entry.key = text.substr(0, colon);
    if (colon != std::string_view::npos) {
      entry.test = Test::kEqual;
      entry.value = text.substr(colon + 1);
    }
    // Brackets and quotation marks are those of a list in JSON, which this is not.
    if (entry.key.empty() || entry.key.find_first_of("{}[]\"'") != std::string::npos) {
      warnings.push_back(absl::StrCat(setting, ": ", Quoted(text),
                                      " does not begin with the name of a tag; it matches nothing, ",
                                      consequence));
    }
    return entry;
  };
  for (const std::string_view text : absl::StrSplit(exact, absl::ByAnyChar(kWhiteSpace), absl::SkipEmpty()))
    add(text, exact_setting);
  for (const std::string_view text : absl::StrSplit(regex, absl::ByAnyChar(kWhiteSpace), absl::SkipEmpty())) {
    Entry& entry = add(text, regex_setting);
    if (entry.test != Test::kEqual) continue;
    absl::StatusOr<std::unique_ptr<const re2::RE2>> pattern = CompilePattern(entry.value);
    if (pattern.ok()) {
      entry.test = Test::kMatches;
      entry.pattern = *std::move(pattern);
    } else {
      entry.test = Test::kNever;
      warnings.push_back(absl::StrCat(regex_setting, ": ", pattern.status().message(),
                                      "; it matches nothing, ", consequence));
    }
  }
  return entries;
}

bool TagFilter::Keeps(const RootSpan& root) const {
  const auto holds = [&root](const Entry& entry) { return entry.Holds(root); };
  return std::all_of(require_.begin(), require_.end(), holds) &&
         std::none_of(reject_.begin(), reject_.end(), holds);
}

bool TagFilter::Entry::Holds(const RootSpan& root) const {
  const std::string_view* tag = root.meta(key);
  if (tag != nullptr && HoldsFor(*tag)) return true;
  const std::optional<std::string_view> field = FieldOf(root, key);
  return field.has_value() && (test != Test::kPresent || !field->empty()) && HoldsFor(*field);
}

bool TagFilter::Entry::HoldsFor(std::string_view text) const {
  switch (test) {
    case Test::kPresent:
      return true;
    case Test::kEqual:
      return text == value;
    case Test::kMatches:
      // The intake cuts a tag at 25,000 characters.
      return Matches(*pattern, text.substr(0, kMostBytes));
    case Test::kNever:
      return false;
  }
  return false;
}

}  // namespace thaw
