// Regular expressions that people configure: RE2's syntax (Go's), matched in linear time.

#ifndef THAW_CC_TRACE_PROCESS_PATTERN_H_
#define THAW_CC_TRACE_PROCESS_PATTERN_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace re2 {
class RE2;
}

namespace thaw {

// Compiles a thread-safe, immutable expression, which holds at most about 1 MB, most of it allocated at first
// use. InvalidArgument shows the expression and says what is wrong with it.
absl::StatusOr<std::unique_ptr<const re2::RE2>> CompilePattern(std::string_view pattern);

// Returns whether the pattern matches any part of the text.
bool Matches(const re2::RE2& pattern, std::string_view text);

struct PatternRewrite {
  std::string text;     // in RE2's form
  std::string missing;  // the first named group that does not exist
};

// Translates a replacement from Go's form: $1 and ${1} are the text of a group, $name and ${name} of a named group,
// $$ is '$'. Returns InvalidArgument for a group that RE2's rewrites can't name; the error completes a sentence that
// begins with the replacement.
absl::StatusOr<PatternRewrite> RewriteFor(std::string_view replacement, const re2::RE2& pattern);

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_PATTERN_H_
