// Counts this process's memory allocations. Linking this library turns the counting on; for tests only.
//
//   const int64_t before = CountedAllocations();
//   Work();
//   if (kAllocationsAreCounted) EXPECT_EQ(CountedAllocations() - before, 0);

#ifndef THAW_CC_BASE_COUNTED_ALLOCATIONS_H_
#define THAW_CC_BASE_COUNTED_ALLOCATIONS_H_

#include <cstdint>

namespace thaw {

// Sanitizers replace the allocator themselves, and two replacements must not be mixed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kAllocationsAreCounted = false;
#else
inline constexpr bool kAllocationsAreCounted = true;
#endif

// Returns the number of calls of operator new so far, by all threads.
int64_t CountedAllocations();

}  // namespace thaw

#endif  // THAW_CC_BASE_COUNTED_ALLOCATIONS_H_
