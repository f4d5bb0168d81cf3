// Reads what the kernel tells of the environment: the interface between the figures of an invocation and /proc.
//
// Implementations: the system's (system_proc_reader.h), and texts in tests.
//
// One thread.

#ifndef THAW_CC_METRICS_PROC_READER_H_
#define THAW_CC_METRICS_PROC_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace thaw {

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t used_bytes = 0;  // with those that only the superuser may use
};

// Soft limits of a process; nullopt: there is none, or it can't be read.
struct ProcessLimits {
  std::optional<int64_t> files;
  std::optional<int64_t> threads;
};

class ProcReader {
 public:
  // The longest text that is read, and the largest number of processes that are visited.
  static constexpr size_t kMostText = size_t{256} << 10;
  static constexpr size_t kMostProcesses = 1024;

  virtual ~ProcReader() = default;

  // Reads a file below /proc, such as "stat", into `text`. Returns false if it can't be read or is longer than
  // kMostText.
  virtual bool Read(std::string_view path, std::string& text) = 0;
  virtual void ForEachProcess(absl::FunctionRef<void(int process)> visit) = 0;
  // Return the number of open file descriptors and of threads, or nullopt if the process is gone or can't be read.
  virtual std::optional<int64_t> OpenFiles(int process) = 0;
  virtual std::optional<int64_t> Threads(int process) = 0;
  virtual ProcessLimits Limits(int process) = 0;
  // Returns the space of /tmp.
  virtual std::optional<DiskSpace> TemporarySpace() = 0;
  // Returns the unit of processor times in /proc/stat.
  virtual double ticks_per_second() const = 0;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_PROC_READER_H_
