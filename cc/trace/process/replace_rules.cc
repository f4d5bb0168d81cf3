#include "cc/trace/process/replace_rules.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "cc/base/mask.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "re2/re2.h"

namespace thaw {
namespace {

constexpr std::string_view kAllTags = "*";
constexpr std::string_view kResource = "resource.name";
absl::StatusOr<std::string_view> Text(const boost::json::object& rule, std::string_view key) {
  const boost::json::value* value = rule.if_contains(key);
  if (value == nullptr) return absl::InvalidArgumentError(absl::StrCat("it has no \"", key, "\""));
  const boost::json::string* text = value->if_string();
  if (text == nullptr) return absl::InvalidArgumentError(absl::StrCat("its \"", key, "\" is not a string"));
  return std::string_view(*text);
}

}  // namespace

ReplaceRules::ReplaceRules() = default;
ReplaceRules::ReplaceRules(ReplaceRules&&) noexcept = default;
ReplaceRules& ReplaceRules::operator=(ReplaceRules&&) noexcept = default;
ReplaceRules::~ReplaceRules() = default;

ReplaceRules::ReplaceRules(std::string_view json, std::vector<std::string>& warnings) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  const boost::json::array* list = error ? nullptr : value.if_array();
  if (list == nullptr) {
    warnings.push_back(absl::StrCat("the replace rules are ", error ? "not JSON" : "no list of objects",
                                    "; none is applied"));
    return;
  }
  const auto make_rule = [&warnings](const boost::json::value& item, size_t index) -> absl::StatusOr<Rule> {
    const boost::json::object* object = item.if_object();
    if (object == nullptr) return absl::InvalidArgumentError("it is not an object");
    Rule rule;
    THAW_ASSIGN_OR_RETURN(rule.name, Text(*object, "name"));
    if (rule.name.empty()) return absl::InvalidArgumentError("its \"name\" is empty");
    THAW_ASSIGN_OR_RETURN(const std::string_view pattern, Text(*object, "pattern"));
    THAW_ASSIGN_OR_RETURN(rule.pattern, CompilePattern(pattern));
    THAW_ASSIGN_OR_RETURN(const std::string_view replacement, Text(*object, "repl"));
    absl::StatusOr<PatternRewrite> rewrite = RewriteFor(replacement, *rule.pattern);
    if (!rewrite.ok())
      return absl::InvalidArgumentError(absl::StrCat("\"repl\" ", rewrite.status().message()));
    if (!rewrite->missing.empty())
      warnings.push_back(absl::StrCat("replace rule ", index, ": \"repl\" refers to a group ",
                                      Quoted(rewrite->missing),
                                      ", which \"pattern\" does not have, so that it "
                                      "stands for nothing; ${1}x is group 1 and an x"));
    rule.rewrite = std::move(rewrite->text);
    return rule;
  };
  for (size_t i = 0; i < list->size(); ++i) {
    absl::StatusOr<Rule> rule = make_rule((*list)[i], i);
    if (rule.ok()) {
      rules_.push_back(*std::move(rule));
    } else {
      warnings.push_back(absl::StrCat("replace rule ", i, " can't be used: ", rule.status().message()));
    }
  }
}

bool ReplaceRules::IsForTag(const Rule& rule, std::string_view key) {
  return rule.name == key ? key != kResource : rule.name == kAllTags;
}

int ReplaceRules::RulesOfTag(std::string_view key) const {
  return static_cast<int>(
      std::count_if(rules_.begin(), rules_.end(), [key](const Rule& rule) { return IsForTag(rule, key); }));
}

int ReplaceRules::RulesOfResource() const {
  return static_cast<int>(
      std::count_if(rules_.begin(), rules_.end(), [](const Rule& rule) { return rule.name == kResource; }));
}

std::optional<std::string_view> ReplaceRules::ApplyToTag(std::string_view key, std::string_view value,
                                                         ReplaceLimits& limits, std::string& buffer) const {
  for (const Rule& rule : rules_)
    if (IsForTag(rule, key) && !Apply(rule, value, limits, buffer)) return std::nullopt;
  return value;
}

std::optional<std::string_view> ReplaceRules::ApplyToResource(std::string_view resource,
                                                              ReplaceLimits& limits,
                                                              std::string& buffer) const {
  for (const Rule& rule : rules_)
    if (rule.name == kResource && !Apply(rule, resource, limits, buffer)) return std::nullopt;
  return resource;
}

std::string_view ReplaceRules::ApplyToTag(std::string_view key, std::string_view value,
                                          std::string& buffer) const {
  ReplaceLimits none;
  return *ApplyToTag(key, value, none, buffer);
}

std::string_view ReplaceRules::ApplyToResource(std::string_view resource, std::string& buffer) const {
  ReplaceLimits none;
  return *ApplyToResource(resource, none, buffer);
}

bool ReplaceRules::Apply(const Rule& rule, std::string_view& value, ReplaceLimits& limits,
                         std::string& buffer) {
  std::string replaced;
  const ReplaceOutcome outcome = ReplaceAll(value, *rule.pattern, rule.rewrite, limits, replaced);
  if (outcome == ReplaceOutcome::kReplaced) {
    buffer.swap(replaced);
    value = buffer;
  }
  // The result of the rule before, or one that is of no use.
  if (limits.charge != nullptr && replaced.capacity() >= kLargeAllocation)
    limits.charge->Shrink(replaced.capacity());
  return outcome != ReplaceOutcome::kCutShort;
}

}  // namespace thaw
