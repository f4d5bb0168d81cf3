#include "cc/clock/system_clock.h"

#include <time.h>

namespace thaw {
namespace {

timespec Read(clockid_t id) {
  timespec time = {};
  clock_gettime(id, &time);
  return time;
}

}  // namespace

ClockReading ReadSystemClocks() {
  return {.wall = absl::TimeFromTimespec(Read(CLOCK_REALTIME)),
          .monotonic = absl::DurationFromTimespec(Read(CLOCK_MONOTONIC)),
          .boot = absl::DurationFromTimespec(Read(CLOCK_BOOTTIME))};
}

}  // namespace thaw
