// Writes the process's log to standard error, as Lambda's log shows it: one line for each message.
//
//   InstallLogOutput(LogLevel::kWarn);
//   LogCounts counts = LogOutputCounts();
//
// Call InstallLogOutput once, before anything is logged. No line blocks the process: if nobody reads standard
// error, lines are dropped and counted, and the first line after that says how many. Control characters in
// messages are escaped (cc/base/printable.h).

#ifndef THAW_CC_EXTENSION_LOG_OUTPUT_H_
#define THAW_CC_EXTENSION_LOG_OUTPUT_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "cc/base/declare_counts.h"
#include "cc/config/log_level.h"

namespace thaw {

// X(name, what it counts)
#define THAW_LOG_COUNTS(X)                                                        \
  X(written, "lines given to standard error")                                     \
  X(dropped, "lines left out because standard error took nothing at that moment") \
  X(failed, "lines left out because standard error is closed or broken")

struct LogCounts {
  THAW_DECLARE_COUNTS(THAW_LOG_COUNTS)
};

void InstallLogOutput(LogLevel level);
LogCounts LogOutputCounts();

// Writes lines to a descriptor that other processes may share, without changing its flags. Any thread.
class LineOutput {
 public:
  explicit LineOutput(int descriptor);
  ~LineOutput();
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  // Writes "THAW | LEVEL | text". Never blocks.
  void Write(std::string_view level, std::string_view text);
  LogCounts counts() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_LOG_OUTPUT_H_
