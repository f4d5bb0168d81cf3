// Replacements in tags and resources that people configure: DD_APM_REPLACE_TAGS.
//
//   std::vector<std::string> warnings;
//   // [{"name": "http.url", "pattern": "(token/)[^/]*", "repl": "${1}?"}]
//   const ReplaceRules rules(json, warnings);
//   std::string buffer;
//   // "https://host/token/?" of "https://host/token/abc"
//   url = rules.ApplyToTag("http.url", url, buffer);
//
// A rule's name is a tag's key, "*" for all tags, or "resource.name" for the resource. All matches of its
// pattern are replaced. In `repl`, $1 and ${1} are the text of a group, $name and ${name} of a named group,
// $$ is '$'; as in Go, "$1x" is the group "1x". Each rule is applied to the result of the one before it.

#ifndef THAW_CC_TRACE_PROCESS_REPLACE_RULES_H_
#define THAW_CC_TRACE_PROCESS_REPLACE_RULES_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cc/trace/process/pattern.h"
#include "cc/trace/process/replace_all.h"

namespace thaw {

class ReplaceRules {
 public:
  // Makes an empty list of rules.
  ReplaceRules();
  // Parses `json`. Each rule that can't be used is left out with one warning, which names its index, counted
  // from 0, and the reason. A reference to a group that the pattern lacks stands for nothing, as in Go, and
  // is a warning too.
  ReplaceRules(std::string_view json, std::vector<std::string>& warnings);
  ReplaceRules(ReplaceRules&&) noexcept;
  ReplaceRules& operator=(ReplaceRules&&) noexcept;
  ~ReplaceRules();

  bool empty() const { return rules_.empty(); }
  // Return how many rules are applied to the tag, or to the resource.
  int RulesOfTag(std::string_view key) const;
  int RulesOfResource() const;

  // Return `value` itself if no rule matches, else a view of `buffer`, in which `value` must not lie; nullopt if a
  // limit was reached.
  std::optional<std::string_view> ApplyToTag(std::string_view key, std::string_view value,
                                             ReplaceLimits& limits, std::string& buffer) const;
  std::optional<std::string_view> ApplyToResource(std::string_view resource, ReplaceLimits& limits,
                                                  std::string& buffer) const;
  // Likewise, without limits.
  std::string_view ApplyToTag(std::string_view key, std::string_view value, std::string& buffer) const;
  std::string_view ApplyToResource(std::string_view resource, std::string& buffer) const;

 private:
  struct Rule {
    std::string name;
    std::unique_ptr<const re2::RE2> pattern;
    std::string rewrite;  // in RE2's form
  };

  static bool IsForTag(const Rule& rule, std::string_view key);
  // Returns false if a limit was reached.
  static bool Apply(const Rule& rule, std::string_view& value, ReplaceLimits& limits, std::string& buffer);

  std::vector<Rule> rules_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_REPLACE_RULES_H_
