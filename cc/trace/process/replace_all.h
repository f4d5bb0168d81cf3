// Replaces all matches of a pattern, within bounds of work and memory.
//
//   ReplaceLimits limits{.work = 1 << 20, .most_bytes = 1 << 20};
//   std::string out;
//   if (ReplaceAll(text, *pattern, "(\\1)", limits, out) == ReplaceOutcome::kReplaced) text = out;
//
// A short text may become a very long one, and RE2 may look at the whole rest of a text for each match, so neither
// the memory nor the time follows from the length of the text.
//
// Pure but for the limits: any thread.

#ifndef THAW_CC_TRACE_PROCESS_REPLACE_ALL_H_
#define THAW_CC_TRACE_PROCESS_REPLACE_ALL_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "cc/base/byte_account.h"

namespace re2 {
class RE2;
}

namespace thaw {

struct ReplaceLimits {
  // The work that is left, in the units of TextWork: about 2.7 ns each. It is reduced by what was done, and may
  // become negative by the work of one match.
  int64_t work = std::numeric_limits<int64_t>::max();
  // The longest result.
  size_t most_bytes = std::numeric_limits<size_t>::max();
  // The charge for the memory of results of 64 KiB or more; null: none is charged.
  ByteCharge* charge = nullptr;
};

enum class ReplaceOutcome {
  kUnchanged,  // there is no match, and the result is empty
  kReplaced,
  kCutShort,  // a limit was reached: the result ends there, and everything before is replaced
};

// Replaces the content of `out`, in which `text` must not lie, by what RE2::GlobalReplace makes of `text`.
// `rewrite`: a text in RE2's form that is valid for the pattern.
ReplaceOutcome ReplaceAll(std::string_view text, const re2::RE2& pattern, std::string_view rewrite,
                          ReplaceLimits& limits, std::string& out);

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_REPLACE_ALL_H_
