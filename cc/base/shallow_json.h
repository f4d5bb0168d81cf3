// JSON that came from outside and is read for a few members near its top.
//
//   boost::system::error_code error;
//   const boost::json::value value = ParseShallowJson(response.body, error);
//
// However deeply it is nested, it costs no stack and loses nothing near the top: what lies deeper than
// kMaxShallowDepth is null. Text that is no JSON gives an error and null.

#ifndef THAW_CC_BASE_SHALLOW_JSON_H_
#define THAW_CC_BASE_SHALLOW_JSON_H_

#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string_view>

namespace thaw {

// Lists and objects within one another.
inline constexpr size_t kMaxShallowDepth = 32;

boost::json::value ParseShallowJson(std::string_view text, boost::system::error_code& error);

}  // namespace thaw

#endif  // THAW_CC_BASE_SHALLOW_JSON_H_
