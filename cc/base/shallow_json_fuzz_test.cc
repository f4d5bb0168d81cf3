// For any bytes, shallow JSON is read as the library reads it, and every result is shallow.

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cc/base/shallow_json.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

size_t DepthOf(const boost::json::value& value) {
  size_t deepest = 0;
  if (const auto* list = value.if_array())
    for (const boost::json::value& item : *list) deepest = std::max(deepest, DepthOf(item));
  if (const auto* object = value.if_object())
    for (const auto& member : *object) deepest = std::max(deepest, DepthOf(member.value()));
  return deepest + (value.is_structured() ? 1 : 0);
}

void Try(std::string_view text) {
  boost::system::error_code error, plain_error;
  const boost::json::value value = thaw::ParseShallowJson(text, error);
  Check(error.failed() ? value.is_null() : DepthOf(value) <= thaw::kMaxShallowDepth);
  const boost::json::value plain = boost::json::parse(text, plain_error);
  // Compare texts, since the library's value of 0e99999 is not equal to itself.
  if (!plain_error) Check(!error && boost::json::serialize(plain) == boost::json::serialize(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Try(input);
  std::string nested(40, '[');
  nested.append(input);
  nested.append(40, ']');
  Try(nested);
  return 0;
}
