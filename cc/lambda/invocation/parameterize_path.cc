#include "cc/lambda/invocation/parameterize_path.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace thaw {
namespace {

bool AllOf(std::string_view text, bool (*is)(unsigned char)) {
  return std::all_of(text.begin(), text.end(), [is](char c) { return is(static_cast<unsigned char>(c)); });
}

// Accepts digits, a UUID or a ULID.
bool LooksLikeId(std::string_view segment) {
  if (segment.empty()) return false;
  if (AllOf(segment, absl::ascii_isdigit)) return true;
  // The segment is in Crockford's base 32; its first character holds three bits.
  if (segment.size() == 26)
    return segment[0] >= '0' && segment[0] <= '7' && AllOf(segment, absl::ascii_isalnum) &&
           segment.find_first_of("ILOUilou") == std::string_view::npos;
  if (segment.size() != 36) return false;
  for (size_t i = 0; i < segment.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? segment[i] != '-' : !absl::ascii_isxdigit(static_cast<unsigned char>(segment[i])))
      return false;
  }
  return true;
}

// Makes "user" of "users" and "category" of "categories"; good enough for the names of ids.
std::string Singular(std::string_view word) {
  if (absl::ConsumeSuffix(&word, "ies")) return absl::StrCat(word, "y");
  for (const std::string_view ending : {"sses", "shes", "ches", "xes"})
    if (absl::EndsWith(word, ending)) return std::string(word.substr(0, word.size() - 2));
  if (absl::EndsWith(word, "s") && !absl::EndsWith(word, "ss")) word.remove_suffix(1);
  return std::string(word);
}

}  // namespace

std::string ParameterizePath(std::string_view path) {
  if (absl::StrContains(path, '{')) return std::string(path);
  std::vector<std::string> segments;
  std::string_view before;
  for (const std::string_view segment : absl::StrSplit(path, '/')) {
    if (!LooksLikeId(segment)) {
      segments.emplace_back(segment);
    } else if (before.empty() || LooksLikeId(before)) {
      segments.emplace_back("{id}");
    } else {
      segments.push_back(absl::StrCat("{", Singular(before), "_id}"));
    }
    before = segment;
  }
  return absl::StrJoin(segments, "/");
}

}  // namespace thaw
