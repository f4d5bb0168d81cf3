#include "cc/base/version.h"

#include <string_view>

namespace thaw {

// Initialized by the compiler, so that every other initialization may read it. The build gives THAW_VERSION.
constexpr std::string_view kVersion = THAW_VERSION;

}  // namespace thaw
