// Checks that the time of some work grows no faster than the size of its input; for tests only.
//
//   EXPECT_TRUE(IsLinear(10'000, [](size_t size) {
//     const std::string text(size, 'x');           // not measured
//     return [text] { Parse(text); };              // measured
//   }));
//
// It compares this thread's processor time for one size and for four times that size; a busy machine changes
// it little. If one comparison fails, more are made before the result is false.

#ifndef THAW_CC_CLOCK_LINEAR_WORK_H_
#define THAW_CC_CLOCK_LINEAR_WORK_H_

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace thaw {

inline int64_t ThreadCpuMicroseconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * int64_t{1'000'000} + time.tv_nsec / 1000;
}

// `make_work(size)` returns the work to measure for that size.
template <typename MakeWork>
bool IsLinear(size_t size, MakeWork make_work) {
  constexpr int kTries = 5;
  // The largest ratio that counts as linear. Quadratic work takes 16 times as long.
  constexpr double kMost = 8;
  const auto least = [](auto work) {
    int64_t least = std::numeric_limits<int64_t>::max();
    for (int run = 0; run < 3; ++run) {
      const int64_t before = ThreadCpuMicroseconds();
      work();
      least = std::min(least, ThreadCpuMicroseconds() - before);
    }
    return static_cast<double>(least);
  };
  for (int i = 0; i < kTries; ++i) {
    const double small = least(make_work(size));
    const double large = least(make_work(4 * size));
    if (large <= kMost * std::max(small, 1.0)) return true;
  }
  return false;
}

}  // namespace thaw

#endif  // THAW_CC_CLOCK_LINEAR_WORK_H_
