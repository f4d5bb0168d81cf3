// A path with what looks like an id in it as a name, so that requests for many things are one resource.
//
//   ParameterizePath("/users/17")   "/users/{user_id}"

#ifndef THAW_CC_LAMBDA_INVOCATION_PARAMETERIZE_PATH_H_
#define THAW_CC_LAMBDA_INVOCATION_PARAMETERIZE_PATH_H_

#include <string>
#include <string_view>

namespace thaw {

// Digits, UUIDs and ULIDs are named after the segment before them. Paths with braces are kept.
std::string ParameterizePath(std::string_view path);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_PARAMETERIZE_PATH_H_
