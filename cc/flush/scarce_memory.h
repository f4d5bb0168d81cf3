// Limits the address space of a test's process, so that large allocations fail.
//
//   const ScarceMemory scarce(size_t{1} << 20);

#ifndef THAW_CC_FLUSH_SCARCE_MEMORY_H_
#define THAW_CC_FLUSH_SCARCE_MEMORY_H_

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include "cc/base/read_file.h"

namespace thaw {

// Sanitizers reserve address space as they like.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsLimited = false;
#else
inline constexpr bool kMemoryIsLimited = true;
#endif

class ScarceMemory {
 public:
  // Allows `more` bytes beyond what the process has now.
  explicit ScarceMemory(size_t more) {
    if (!kMemoryIsLimited) return;
    // Larger blocks are mapped by themselves, so that what was freed before is no room for them.
    constexpr int kMapped = 64 * 1024;
    mallopt(M_MMAP_THRESHOLD, kMapped);
    malloc_trim(0);
    getrlimit(RLIMIT_AS, &before_);
    // Its first number is the size in pages: proc_pid_statm(5).
    const std::string statm = *ReadWholeFile("/proc/self/statm", 1024);
    const size_t pages = std::strtoul(statm.c_str(), nullptr, 10);
    rlimit limited = before_;
    limited.rlim_cur = pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)) + more;
    setrlimit(RLIMIT_AS, &limited);
  }
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;
  ~ScarceMemory() {
    if (kMemoryIsLimited) setrlimit(RLIMIT_AS, &before_);
  }

 private:
  rlimit before_ = {};
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_SCARCE_MEMORY_H_
