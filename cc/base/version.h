// The version of everything that is built from this tree.

#ifndef THAW_CC_BASE_VERSION_H_
#define THAW_CC_BASE_VERSION_H_

#include <string_view>

namespace thaw {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace thaw

#endif  // THAW_CC_BASE_VERSION_H_
