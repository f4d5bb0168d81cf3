// Any text as the list of rules, and any list's effect on any text: no abort, and UTF-8 stays UTF-8.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cc/base/utf8.h"
#include "cc/logs/processing_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> errors;
  const thaw::ProcessingRules rules(input, errors);
  if (rules.masking_failed() && errors.empty()) std::abort();
  const std::string text = thaw::RepairUtf8(input);
  std::string buffer;
  thaw::ReplaceLimits limits;
  bool cut = false;
  const std::optional<std::string_view> ruled = rules.Apply(text, limits, buffer, cut);
  if (cut) std::abort();
  if (ruled.has_value() && rules.empty() && *ruled != text) std::abort();
  return 0;
}
