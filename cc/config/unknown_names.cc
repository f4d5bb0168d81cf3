#include "cc/config/unknown_names.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cc/base/mask.h"

namespace thaw {
namespace {

constexpr std::string_view kPrefix = "DD_";
constexpr std::string_view kOtherPrefix = "DATADOG_";
constexpr size_t kMostWarnings = 20;
// A longer name is not a typing error, and comparing costs the product of both lengths.
constexpr size_t kLongestName = 80;

// Names of other programs that are close to names known here.
constexpr std::string_view kNamesOfOthers[] = {
    "DD_APP_KEY",  // Datadog's application key, for its public API
};

// Names that users know from elsewhere, too far from the option's name to count as a typing error.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"DD_APM_IGNORE_RESOURCES", "DD_APM_FILTER_TAGS_REGEX_REJECT"},
    {"DD_FLUSH_STRATEGY", "DD_SERVERLESS_FLUSH_STRATEGY"},
    {"DD_HTTPS_PROXY", "DD_PROXY_HTTPS"},
    {"DD_NO_PROXY", "DD_PROXY_NO_PROXY"},
    {"https_proxy", "proxy.https"},
    {"no_proxy", "proxy.no_proxy"},
};

// Returns the optimal string alignment distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

size_t Tolerance(size_t length) { return length <= 5 ? 1 : length <= 12 ? 2 : 3; }

std::string Comparable(std::string_view name) {
  std::string lower = absl::AsciiStrToLower(name);
  return std::string(absl::StripPrefix(lower, "dd_"));
}

// Returns "DD_SITE" for "DATADOG_SITE", and "dd_SITE", which no option has, for "datadog_SITE".
std::string WithShortPrefix(std::string_view variable) {
  if (!absl::StartsWithIgnoreCase(variable, kOtherPrefix)) return std::string(variable);
  const bool is_upper = absl::StartsWith(variable, kOtherPrefix);
  return absl::StrCat(is_upper ? "DD_" : "dd_", variable.substr(kOtherPrefix.size()));
}

std::optional<std::string> SuggestionFor(std::string_view name, const NameSet& known) {
  for (const auto& [other, ours] : kOtherNames)
    if (name == other && known.contains(ours)) return std::string(ours);
  return NearestName(name, known);
}

// Returns whether `fewer` are the words of `more` without one of them.
bool LacksOneWord(const std::vector<std::string_view>& fewer, const std::vector<std::string_view>& more) {
  if (fewer.size() + 1 != more.size()) return false;
  size_t same = 0;
  while (same < fewer.size() && fewer[same] == more[same]) ++same;
  return std::equal(fewer.begin() + same, fewer.end(), more.begin() + same + 1);
}

// Returns the first known variable that has one word more: DD_LOGS_CONFIG_PROCESSING_RULES for
// DD_LOGS_PROCESSING_RULES. A name of one word is too short to go by.
std::optional<std::string> NameWithOneWordMore(std::string_view variable, const NameSet& known) {
  if (variable.size() > kLongestName) return std::nullopt;
  const std::string wanted = Comparable(variable);
  const std::vector<std::string_view> words = absl::StrSplit(wanted, '_');
  if (words.size() < 2) return std::nullopt;
  for (const std::string& candidate : known) {
    const std::string other = Comparable(candidate);
    if (LacksOneWord(words, absl::StrSplit(other, '_'))) return candidate;
  }
  return std::nullopt;
}

// Suggests a key for a path whose last part may be misspelled or in the wrong place.
std::optional<std::string> SuggestionForPath(std::string_view path, const NameSet& known) {
  if (std::optional<std::string> suggestion = SuggestionFor(path, known)) return suggestion;
  // A misplaced key equals the last part of another path: `https` for `proxy.https` is too short to go by.
  for (const std::string& other : known)
    if (absl::EndsWith(other, absl::StrCat(".", path)) && path.size() > 5) return other;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> NearestName(std::string_view name, const NameSet& known) {
  if (name.size() > kLongestName) return std::nullopt;
  const std::string wanted = Comparable(name);
  const size_t tolerance = Tolerance(wanted.size());
  std::optional<std::string> nearest;
  size_t least = tolerance + 1;
  for (const std::string& candidate : known) {
    const std::string other = Comparable(candidate);
    const size_t longer = std::max(other.size(), wanted.size());
    if (longer - std::min(other.size(), wanted.size()) >= least) continue;
    if (const size_t distance = Distance(wanted, other); distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::vector<ConfigWarning> MisspelledVariables(const Environment& environment, const NameSet& known) {
  std::vector<ConfigWarning> warnings;
  for (const auto& [variable, value] : environment.variables()) {
    const std::string name = WithShortPrefix(variable);
    if (!absl::StartsWithIgnoreCase(name, kPrefix) || known.contains(name)) continue;
    if (std::find(std::begin(kNamesOfOthers), std::end(kNamesOfOthers), name) != std::end(kNamesOfOthers))
      continue;
    std::optional<std::string> suggestion = SuggestionFor(name, known);
    if (!suggestion.has_value()) suggestion = NameWithOneWordMore(name, known);
    if (!suggestion.has_value() || warnings.size() == kMostWarnings) continue;
    warnings.push_back({.source = variable,
                        .text = absl::StrCat("the variable ", Quoted(variable), " is not read; did you mean ",
                                             *suggestion, "?")});
  }
  return warnings;
}

std::vector<ConfigWarning> UnknownYamlKeys(const YamlDocument& document, const NameSet& known) {
  std::vector<ConfigWarning> warnings;
  const std::vector<YamlDocument::Key> keys = document.KeysBeyond(known);
  for (const YamlDocument::Key& key : keys) {
    if (warnings.size() + 1 == kMostWarnings && keys.size() > kMostWarnings) {
      warnings.push_back({.source = "datadog.yaml",
                          .text = absl::StrCat("datadog.yaml has ", keys.size() - warnings.size(),
                                               " more keys that are not read")});
      break;
    }
    std::string text =
        absl::StrCat("datadog.yaml, line ", key.line, ": the key ", Quoted(key.path), " is not read");
    if (key.is_joined) {
      absl::StrAppend(&text, ": each name between its dots must be a key of its own, below the one before");
    } else if (const std::optional<std::string> suggestion = SuggestionForPath(key.path, known)) {
      absl::StrAppend(&text, "; did you mean ", *suggestion, "?");
    }
    warnings.push_back({.source = "datadog.yaml", .text = std::move(text)});
  }
  return warnings;
}

}  // namespace thaw
