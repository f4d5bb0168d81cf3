#include "cc/trace/process/pattern.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/mask.h"
#include "re2/re2.h"

namespace thaw {

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

}  // namespace thaw
