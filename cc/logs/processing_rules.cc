#include "cc/logs/processing_rules.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "cc/base/mask.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "re2/re2.h"

namespace thaw {
namespace {

constexpr std::string_view kMask = "mask";

// Returns whether a text that can't be understood may be a rule that masks.
bool MayMask(std::string_view text) { return absl::StrContains(absl::AsciiStrToLower(text), kMask); }

// Syntax that other engines take and RE2 does not, and what to say of it.
struct ForeignSyntax {
  std::string_view part;
  std::string_view advice;
};
constexpr ForeignSyntax kForeign[] = {
    {"(?=", "RE2, which takes linear time, has no look-ahead"},
    {"(?!", "RE2, which takes linear time, has no look-ahead"},
    {"(?<=", "RE2, which takes linear time, has no look-behind"},
    {"(?<!", "RE2, which takes linear time, has no look-behind"},
    {"(?x", "Rust's regex takes the flag x, RE2 does not: write the pattern without blanks and comments"},
    {"\\b{", "Rust's regex takes \\b{start} and the like, RE2 only \\b"},
    {"&&", "Rust's regex takes intersections of classes, RE2 does not"},
    {"\\u", "Rust's regex takes \\u{…}, RE2 only \\x{…}"},
    {"\\U", "Rust's regex takes \\U{…}, RE2 only \\x{…}"},
    {"\\h", "neither Go nor RE2 has \\h; [0-9A-Fa-f] are hexadecimal digits"},
};

std::string_view AdviceOn(std::string_view pattern) {
  for (const auto& [part, advice] : kForeign)
    if (absl::StrContains(pattern, part)) return advice;
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    if (pattern[i + 1] >= '1' && pattern[i + 1] <= '9')
      return "RE2, which takes linear time, has no back-references";
    ++i;
  }
  return "";
}

// Returns whether a class has an operator of Rust's regex. RE2 compiles such a class with another meaning, so a
// rule that masks would mask something else.
bool HasClassOperator(std::string_view pattern) {
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest[0] == '\\') {
      ++i;
    } else if (!in_class) {
      in_class = rest[0] == '[';
      // A bracket that comes first in a class is one of its characters.
      if (in_class && absl::StartsWith(rest.substr(1), "^")) ++i;
      if (in_class && absl::StartsWith(pattern.substr(i + 1), "]")) ++i;
    } else if (absl::StartsWith(rest, "[:")) {
      const size_t end = rest.find(":]");
      if (end != std::string_view::npos) i += end + 1;
    } else if (absl::StartsWith(rest, "&&") || absl::StartsWith(rest, "~~") ||
               absl::StartsWith(rest, "--[")) {
      return true;
    } else if (rest[0] == ']') {
      in_class = false;
    }
  }
  return false;
}

// Returns the pattern with (?<name>…), which Go and Rust take as well, written as (?P<name>…).
std::string WithNamedGroups(std::string_view pattern) {
  std::string written;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest[0] == '\\' && rest.size() > 1) {
      written.append(rest.substr(0, 2));
      ++i;
    } else if (rest.size() > 3 && absl::StartsWith(rest, "(?<") &&
               (absl::ascii_isalpha(rest[3]) || rest[3] == '_')) {
      written.append("(?P<");
      i += 2;
    } else {
      written.push_back(rest[0]);
    }
  }
  return written;
}

// Returns a member that is a text, or nullptr.
const boost::json::string* TextOf(const boost::json::object& rule, std::string_view name) {
  const boost::json::value* const member = rule.if_contains(name);
  return member == nullptr ? nullptr : member->if_string();
}

absl::StatusOr<std::string_view> RequiredText(const boost::json::object& rule, std::string_view name) {
  const boost::json::string* const text = TextOf(rule, name);
  if (text == nullptr) return absl::InvalidArgumentError(absl::StrCat("it has no text \"", name, "\""));
  return std::string_view(*text);
}

// Returns the first member that no rule has, such as a misspelled one; empty if there is none.
std::string_view UnknownMember(const boost::json::value& rule) {
  constexpr std::string_view kKnown[] = {"type", "name", "pattern", "replace_placeholder"};
  const boost::json::object* const object = rule.if_object();
  if (object == nullptr) return "";
  for (const boost::json::key_value_pair& member : *object) {
    const std::string_view name = member.key();
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) return name;
  }
  return "";
}

std::string NameOf(const boost::json::value& rule, size_t index) {
  const boost::json::object* const object = rule.if_object();
  const boost::json::string* const name = object == nullptr ? nullptr : TextOf(*object, "name");
  if (name == nullptr || name->empty()) return absl::StrCat("log processing rule ", index);
  return absl::StrCat("log processing rule ", Quoted(std::string_view(*name)));
}

}  // namespace

ProcessingRules::ProcessingRules() = default;
ProcessingRules::ProcessingRules(ProcessingRules&&) noexcept = default;
ProcessingRules& ProcessingRules::operator=(ProcessingRules&&) noexcept = default;
ProcessingRules::~ProcessingRules() = default;

ProcessingRules::ProcessingRules(std::string_view json, std::vector<std::string>& errors) {
  if (json.empty()) return;
  constexpr std::string_view kClosed =
      "; the lines of functions and extensions are dropped until it is corrected, since it may have to mask them";
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  const boost::json::array* const list = error ? nullptr : value.if_array();
  if (list == nullptr) {
    masking_failed_ = MayMask(json);
    errors.push_back(absl::StrCat("the log processing rules are ", error ? "not JSON" : "no list of objects",
                                  masking_failed_ ? kClosed : "; none is applied"));
    return;
  }
  const auto make_rule = [](const boost::json::value& item, bool& masks) -> absl::StatusOr<Rule> {
    const boost::json::object* const object = item.if_object();
    if (object == nullptr) return absl::InvalidArgumentError("it is not an object");
    THAW_ASSIGN_OR_RETURN(const std::string_view type_name, RequiredText(*object, "type"));
    THAW_ASSIGN_OR_RETURN(const Type type, TypeOf(type_name));
    masks = type == Type::kMask;
    THAW_ASSIGN_OR_RETURN(const std::string_view pattern, RequiredText(*object, "pattern"));
    std::string_view placeholder;
    if (object->contains("replace_placeholder")) {
      THAW_ASSIGN_OR_RETURN(placeholder, RequiredText(*object, "replace_placeholder"));
    }
    return MakeRule(type, pattern, placeholder);
  };
  for (size_t i = 0; i < list->size(); ++i) {
    const boost::json::value& item = (*list)[i];
    bool masks = MayMask(boost::json::serialize(item));
    absl::StatusOr<Rule> rule = make_rule(item, masks);
    if (rule.ok()) {
      if (const std::string_view unknown = UnknownMember(item); !unknown.empty())
        errors.push_back(absl::StrCat(NameOf(item, i), " has a member ", Quoted(unknown),
                                      ", which is not read; the rule is applied without it"));
      rules_.push_back(*std::move(rule));
      continue;
    }
    masking_failed_ |= masks;
    errors.push_back(absl::StrCat(NameOf(item, i), " can't be used: ", rule.status().message(),
                                  masks ? kClosed : "; the other rules are applied"));
  }
}

absl::StatusOr<ProcessingRules::Type> ProcessingRules::TypeOf(std::string_view name) {
  if (name == "exclude_at_match") return Type::kExclude;
  if (name == "include_at_match") return Type::kInclude;
  if (name == "mask_sequences") return Type::kMask;
  return absl::InvalidArgumentError(absl::StrCat(
      "its \"type\" is ", Quoted(name), ", not exclude_at_match, include_at_match or mask_sequences"));
}

absl::StatusOr<ProcessingRules::Rule> ProcessingRules::MakeRule(Type type, std::string_view pattern,
                                                                std::string_view placeholder) {
  if (pattern.empty()) return absl::InvalidArgumentError("its \"pattern\" is empty");
  if (HasClassOperator(pattern)) {
    return absl::InvalidArgumentError(
        "its \"pattern\" combines classes by &&, -- or ~~, which RE2 would read as characters");
  }
  Rule rule{.type = type};
  absl::StatusOr<std::unique_ptr<const re2::RE2>> compiled = CompilePattern(WithNamedGroups(pattern));
  if (!compiled.ok()) {
    const std::string_view advice = AdviceOn(pattern);
    return absl::InvalidArgumentError(
        absl::StrCat(compiled.status().message(), advice.empty() ? "" : "; ", advice));
  }
  rule.pattern = *std::move(compiled);
  absl::StatusOr<PatternRewrite> rewrite = RewriteFor(placeholder, *rule.pattern);
  if (!rewrite.ok())
    return absl::InvalidArgumentError(absl::StrCat("\"replace_placeholder\" ", rewrite.status().message()));
  rule.rewrite = std::move(rewrite->text);
  return rule;
}

std::optional<std::string_view> ProcessingRules::Apply(std::string_view text, ReplaceLimits& limits,
                                                       std::string& buffer, bool& cut) const {
  for (const Rule& rule : rules_) {
    if (rule.type != Type::kMask) {
      if (Matches(*rule.pattern, text) != (rule.type == Type::kInclude)) return std::nullopt;
      continue;
    }
    std::string masked;
    const ReplaceOutcome outcome = ReplaceAll(text, *rule.pattern, rule.rewrite, limits, masked);
    if (outcome != ReplaceOutcome::kUnchanged) {
      buffer.swap(masked);
      text = buffer;
    }
    cut |= outcome == ReplaceOutcome::kCutShort;
    // The result of the rule before.
    if (limits.charge != nullptr && masked.capacity() >= kLargeAllocation)
      limits.charge->Shrink(masked.capacity());
  }
  return text;
}

}  // namespace thaw
