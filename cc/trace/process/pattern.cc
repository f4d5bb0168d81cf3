#include "cc/trace/process/pattern.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cc/base/mask.h"
#include "re2/re2.h"

namespace thaw {
namespace {

// RE2's rewrites name a group by one digit.
constexpr int kMostGroups = 9;

bool IsNamePart(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// Removes the reference after a '$' and returns the group's name; empty if there is none.
std::string_view TakeReference(std::string_view& text) {
  const bool braces = !text.empty() && text[0] == '{';
  const size_t begin = braces ? 1 : 0;
  size_t end = begin;
  while (end < text.size() && IsNamePart(text[end])) ++end;
  if (braces && (end == text.size() || text[end] != '}')) return {};
  const std::string_view name = text.substr(begin, end - begin);
  if (!name.empty()) text.remove_prefix(braces ? end + 1 : end);
  return name;
}

// Returns the group's index; -1 if there is no group of this name.
int GroupOf(std::string_view name, const re2::RE2& pattern) {
  int index;
  if (absl::ascii_isdigit(name[0]))
    return absl::SimpleAtoi(name, &index) && index <= pattern.NumberOfCapturingGroups() ? index : -1;
  const auto found = pattern.NamedCapturingGroups().find(std::string(name));
  return found == pattern.NamedCapturingGroups().end() ? -1 : found->second;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const re2::RE2>> CompilePattern(std::string_view pattern) {
  constexpr int64_t kMostMemory = 1 << 20;
  re2::RE2::Options options;
  options.set_max_mem(kMostMemory);
  options.set_log_errors(false);
  auto compiled = std::make_unique<const re2::RE2>(pattern, options);
  if (!compiled->ok())
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(pattern), " is not a regular expression: ", compiled->error()));
  return compiled;
}

bool Matches(const re2::RE2& pattern, std::string_view text) { return re2::RE2::PartialMatch(text, pattern); }

absl::StatusOr<PatternRewrite> RewriteFor(std::string_view replacement, const re2::RE2& pattern) {
  PatternRewrite rewrite;
  while (!replacement.empty()) {
    const char c = replacement[0];
    replacement.remove_prefix(1);
    if (c == '\\') {
      rewrite.text.append("\\\\");
      continue;
    }
    if (c != '$') {
      rewrite.text.push_back(c);
      continue;
    }
    const std::string_view name = TakeReference(replacement);
    if (name.empty()) {
      rewrite.text.push_back('$');
      if (!replacement.empty() && replacement[0] == '$') replacement.remove_prefix(1);
      continue;
    }
    const int group = GroupOf(name, pattern);
    if (group > kMostGroups)
      return absl::InvalidArgumentError(
          absl::StrCat("refers to group ", group, "; the first ", kMostGroups, " can be used"));
    if (group >= 0) {
      absl::StrAppend(&rewrite.text, "\\", group);
    } else if (rewrite.missing.empty()) {
      rewrite.missing = name;
    }
  }
  return rewrite;
}

}  // namespace thaw
