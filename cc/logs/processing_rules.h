// Rules that people configure for the text of lines: which are left out, and what is masked.
//
//   std::vector<std::string> errors;
//   // [{"type": "mask_sequences", "name": "tokens", "pattern": "token=\\w+", "replace_placeholder": "token=?"}]
//   const ProcessingRules rules(json, errors);
//   std::string buffer;
//   bool cut = false;
//   if (std::optional<std::string_view> text = rules.Apply(line, limits, buffer, cut)) ...   // nullopt: left out
//
// Rules are applied in order, each to the result of the one before it. A pattern has RE2's syntax and is matched in
// linear time. A rule that can't be used costs that rule alone. If it is one that masks, or may be one,
// masking_failed() is true: no text may leave that it would have masked.
//
// Immutable, any thread.

#ifndef THAW_CC_LOGS_PROCESSING_RULES_H_
#define THAW_CC_LOGS_PROCESSING_RULES_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/trace/process/pattern.h"
#include "cc/trace/process/replace_all.h"

namespace thaw {

class ProcessingRules {
 public:
  ProcessingRules();
  // Parses the list of rules; an empty text has none. Each rule that can't be used, or has a member that is not
  // read, yields one error, which names it.
  ProcessingRules(std::string_view json, std::vector<std::string>& errors);
  ProcessingRules(ProcessingRules&&) noexcept;
  ProcessingRules& operator=(ProcessingRules&&) noexcept;
  ~ProcessingRules();

  bool empty() const { return rules_.empty(); }
  bool masking_failed() const { return masking_failed_; }

  // Returns `text` itself if nothing is masked, else a view of `buffer`, in which `text` must not lie; nullopt if
  // a rule leaves the line out. Where a limit of masking is reached, the rest of the text is left out, and `cut` is
  // set.
  std::optional<std::string_view> Apply(std::string_view text, ReplaceLimits& limits, std::string& buffer,
                                        bool& cut) const;

 private:
  enum class Type { kExclude, kInclude, kMask };
  struct Rule {
    Type type;
    std::unique_ptr<const re2::RE2> pattern;
    std::string rewrite;  // in RE2's form
  };

  static absl::StatusOr<Type> TypeOf(std::string_view name);
  static absl::StatusOr<Rule> MakeRule(Type type, std::string_view pattern, std::string_view placeholder);

  std::vector<Rule> rules_;
  bool masking_failed_ = false;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_PROCESSING_RULES_H_
