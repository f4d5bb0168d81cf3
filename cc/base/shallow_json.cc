#include "cc/base/shallow_json.h"

#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <string>

namespace thaw {
namespace {

namespace json = boost::json;

// Returns the position after the string that begins at `at`.
size_t StringEnd(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at < text.size() ? at + 1 : text.size();
}

// Returns `text` with null in place of each list and object that is nested too deeply; only brackets and
// strings inside those are looked at.
std::string WithoutDeepValues(std::string_view text) {
  std::string shallow;
  size_t depth = 0, kept_from = 0, at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = StringEnd(text, at);
      continue;
    }
    if ((c == '[' || c == '{') && ++depth == kMaxShallowDepth + 1) {
      shallow.append(text.substr(kept_from, at - kept_from));
      shallow.append("null");
      kept_from = text.size();
    } else if ((c == ']' || c == '}') && depth > 0 && depth-- == kMaxShallowDepth + 1) {
      kept_from = at + 1;
    }
    ++at;
  }
  shallow.append(text.substr(kept_from));
  return shallow;
}

}  // namespace

json::value ParseShallowJson(std::string_view text, boost::system::error_code& error) {
  json::parse_options options;
  options.max_depth = kMaxShallowDepth;
  json::value value = json::parse(text, error, {}, options);
  if (error == json::error::too_deep) value = json::parse(WithoutDeepValues(text), error, {}, options);
  return value;
}

}  // namespace thaw
