// Any text as rules, and as pattern, replacement and value of a rule: it is a warning, or it works.
//
// The parts of an input are between its zero bytes.

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
  // Boost refuses text that is no UTF-8; then all of it is one warning.
  if (rules.empty()) {
    Check(warnings.size() == 1);
    return 0;
  }
  Check(!warnings.empty() && warnings.size() <= 2);
  Check(rules.ApplyToTag("tag", value, buffer).substr(0, 10) == "it holds: ");
  Check(rules.ApplyToResource(value, buffer) == value);
  return 0;
}
