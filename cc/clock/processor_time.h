// Reads how much time of a processor threads have used. It stands still while a thread waits, for a processor or for
// anything else, so it measures work, and not how busy the machine is.
//
// Any thread.

#ifndef THAW_CC_CLOCK_PROCESSOR_TIME_H_
#define THAW_CC_CLOCK_PROCESSOR_TIME_H_

#include <time.h>

#include <cstdint>

namespace thaw {

// Returns the nanoseconds that a clock of pthread_getcpuclockid shows; 0 after the end of its thread.
inline int64_t ProcessorNanoseconds(clockid_t clock) {
  timespec used = {};
  if (clock_gettime(clock, &used) != 0) return 0;
  return used.tv_sec * int64_t{1'000'000'000} + used.tv_nsec;
}

// Returns the nanoseconds that the calling thread has used.
inline int64_t ThreadNanoseconds() { return ProcessorNanoseconds(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace thaw

#endif  // THAW_CC_CLOCK_PROCESSOR_TIME_H_
