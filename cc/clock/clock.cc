#include "cc/clock/clock.h"

#include <algorithm>

namespace thaw {

absl::Duration LargestAdvance(const ClockReading& earlier, const ClockReading& later) {
  return std::max({later.wall - earlier.wall, later.monotonic - earlier.monotonic, later.boot - earlier.boot,
                   absl::ZeroDuration()});
}

}  // namespace thaw
