// Texts and figures of /proc for tests.
//
//   FakeProcReader proc;
//   proc.texts["uptime"] = "12.50 3.00";
//   SandboxFigures figures(proc);

#ifndef THAW_CC_METRICS_FAKE_PROC_READER_H_
#define THAW_CC_METRICS_FAKE_PROC_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/metrics/proc_reader.h"

namespace thaw {

class FakeProcReader : public ProcReader {
 public:
  // A figure that is missing can't be read.
  struct Process {
    std::optional<int64_t> files;
    std::optional<int64_t> threads;
    ProcessLimits limits = {};
  };
  struct Cpu {
    uint64_t user = 0;
    uint64_t system = 0;
    std::vector<uint64_t> idle_of_cores;
  };

  // Write the texts; times are in ticks of 10 ms.
  void SetCpu(const Cpu& cpu) {
    uint64_t idle = 0;
    std::string cores;
    for (size_t core = 0; core < cpu.idle_of_cores.size(); ++core) {
      idle += cpu.idle_of_cores[core];
      absl::StrAppend(&cores, "cpu", core, " 0 0 0 ", cpu.idle_of_cores[core], " 0 0 0 0 0 0\n");
    }
    texts["stat"] =
        absl::StrCat("cpu  ", cpu.user, " 0 ", cpu.system, " ", idle, " 0 0 0 0 0 0\n", cores, "intr 0\n");
  }
  void SetUptime(double seconds) { texts["uptime"] = absl::StrCat(seconds, " 0.00\n"); }
  void SetNetwork(uint64_t received, uint64_t sent) {
    texts["net/dev"] =
        absl::StrCat("head\nhead\nvinternal_1: ", received, " 0 0 0 0 0 0 0 ", sent, " 0 0 0 0 0 0 0\n");
  }

  bool Read(std::string_view path, std::string& text) override {
    ++reads;
    const auto found = texts.find(path);
    if (found == texts.end()) return false;
    text = found->second;
    return true;
  }
  void ForEachProcess(absl::FunctionRef<void(int process)> visit) override {
    ++walks;
    if (on_walk) on_walk();
    for (const auto& [id, process] : processes) visit(id);
  }
  std::optional<int64_t> OpenFiles(int process) override { return processes.at(process).files; }
  std::optional<int64_t> Threads(int process) override { return processes.at(process).threads; }
  ProcessLimits Limits(int process) override { return processes.at(process).limits; }
  std::optional<DiskSpace> TemporarySpace() override { return space; }
  double ticks_per_second() const override { return 100; }

  std::map<std::string, std::string, std::less<>> texts;
  std::map<int, Process> processes;
  std::optional<DiskSpace> space;
  int reads = 0;
  int walks = 0;
  std::function<void()> on_walk;  // called at the beginning of each walk over the processes
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_FAKE_PROC_READER_H_
