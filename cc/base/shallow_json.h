// Parses untrusted JSON of which only a few members near the top are needed.
//
//   boost::system::error_code error;
//   const boost::json::value value = ParseShallowJson(response.body, error);
//
// Deep nesting costs no stack and loses nothing near the top: values deeper than kMaxShallowDepth become
// null. Invalid JSON gives an error and null.

#ifndef THAW_CC_BASE_SHALLOW_JSON_H_
#define THAW_CC_BASE_SHALLOW_JSON_H_

#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string_view>

namespace thaw {

// Largest depth of nested lists and objects.
inline constexpr size_t kMaxShallowDepth = 32;

boost::json::value ParseShallowJson(std::string_view text, boost::system::error_code& error);

}  // namespace thaw

#endif  // THAW_CC_BASE_SHALLOW_JSON_H_
