// Reads the machine's own clocks. No other code asks the system for the time.

#ifndef THAW_CC_CLOCK_SYSTEM_CLOCK_H_
#define THAW_CC_CLOCK_SYSTEM_CLOCK_H_

#include "cc/clock/clock.h"

namespace thaw {

// Reads CLOCK_REALTIME, CLOCK_MONOTONIC and CLOCK_BOOTTIME, one after the other.
ClockReading ReadSystemClocks();

}  // namespace thaw

#endif  // THAW_CC_CLOCK_SYSTEM_CLOCK_H_
