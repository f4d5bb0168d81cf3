// Replaces ids in a path with names, so that requests for many things count as one resource.
//
//   ParameterizePath("/users/17");   // "/users/{user_id}"

#ifndef THAW_CC_LAMBDA_INVOCATION_PARAMETERIZE_PATH_H_
#define THAW_CC_LAMBDA_INVOCATION_PARAMETERIZE_PATH_H_

#include <string>
#include <string_view>

namespace thaw {

// Replaces digits, UUIDs and ULIDs with names made of the segment before them. Paths with braces stay as
// they are.
std::string ParameterizePath(std::string_view path);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_PARAMETERIZE_PATH_H_
