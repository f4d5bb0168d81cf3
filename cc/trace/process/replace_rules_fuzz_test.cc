// Any text works, or is a warning, as rules and as the pattern, replacement and value of one rule.
//
// Zero bytes separate the parts of an input.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "cc/trace/process/replace_rules.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

std::string_view TakePart(std::string_view& input) {
  const size_t end = input.find('\0');
  const std::string_view part = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> warnings;
  {
    const thaw::ReplaceRules rules(input, warnings);
  }

  const std::string_view pattern = TakePart(input);
  const std::string_view replacement = TakePart(input);
  const std::string_view value = TakePart(input);
  const boost::json::object bad = {{"name", "*"}, {"pattern", "("}, {"repl", ""}};
  const boost::json::object rule = {{"name", "*"}, {"pattern", pattern}, {"repl", replacement}};
  const boost::json::object last = {{"name", "tag"}, {"pattern", "^"}, {"repl", "it holds: $0"}};
  warnings.clear();
  const thaw::ReplaceRules rules(boost::json::serialize(boost::json::array{bad, rule, last}), warnings);
  std::string buffer;
  // Boost refuses text that is not UTF-8; all of it is then one warning.
  if (rules.empty()) {
    Check(warnings.size() == 1);
    return 0;
  }
  Check(!warnings.empty() && warnings.size() <= 2);
  Check(rules.ApplyToTag("tag", value, buffer).substr(0, 10) == "it holds: ");
  Check(rules.ApplyToResource(value, buffer) == value);
  return 0;
}
