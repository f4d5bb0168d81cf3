// The version of everything that is built from this tree.

#ifndef THAW_CC_BASE_VERSION_H_
#define THAW_CC_BASE_VERSION_H_

#include <string_view>

namespace thaw {

// The text of the file VERSION.
extern const std::string_view kVersion;

}  // namespace thaw

#endif  // THAW_CC_BASE_VERSION_H_
