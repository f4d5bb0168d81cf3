// Reads /proc and /tmp of this machine.
//
//   SystemProcReader reader;
//   SandboxFigures figures(reader);
//
// One thread.

#ifndef THAW_CC_METRICS_SYSTEM_PROC_READER_H_
#define THAW_CC_METRICS_SYSTEM_PROC_READER_H_

#include <optional>
#include <string>
#include <vector>

#include "cc/metrics/proc_reader.h"

namespace thaw {

class SystemProcReader : public ProcReader {
 public:
  bool Read(std::string_view path, std::string& text) override;
  void ForEachProcess(absl::FunctionRef<void(int process)> visit) override;
  std::optional<int64_t> OpenFiles(int process) override;
  std::optional<int64_t> Threads(int process) override;
  ProcessLimits Limits(int process) override;
  std::optional<DiskSpace> TemporarySpace() override;
  double ticks_per_second() const override;

 private:
  std::vector<int> processes_;
  // Whether the size of a folder /proc/N/fd is the number of files, as it is since Linux 6.2; nullopt: unknown.
  std::optional<bool> sizes_count_;
  std::string text_;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_SYSTEM_PROC_READER_H_
