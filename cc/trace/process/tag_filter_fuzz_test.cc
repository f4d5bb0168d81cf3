// Any text as settings: each entry works or is named by warnings, one for its tag and one for its expression,
// and a root without such a tag is not rejected.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "cc/trace/process/tag_filter.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto colons = static_cast<size_t>(std::count(input.begin(), input.end(), ':'));
  std::vector<std::string> warnings;
  const thaw::TagFilter rejecting({.reject = input, .regex_reject = input}, warnings);
  const std::vector<std::string_view> entries =
      absl::StrSplit(input, absl::ByAnyChar(" \t\n\r\v\f"), absl::SkipEmpty());
  Check(warnings.size() <= 2 * entries.size() + colons);
  const thaw::TagFilter requiring({.require = input, .regex_require = input}, warnings);

  const auto none = [](std::string_view) -> const std::string_view* { return nullptr; };
  if (input.find_first_of("nrst") == std::string_view::npos)  // no letter that begins a field's name
    Check(rejecting.Keeps({.meta = none}));
  const auto same = [&input](std::string_view) { return &input; };
  const thaw::RootSpan root = {
      .service = input, .name = input, .resource = input, .type = input, .meta = same};
  const bool kept = rejecting.Keeps(root);
  Check(!requiring.empty() || kept);
  requiring.Keeps(root);
  return 0;
}
