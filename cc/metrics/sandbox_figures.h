// The figures of /proc for an invocation: network and processor time between its beginning and its end, and the
// largest numbers of files, threads and bytes of /tmp in between.
//
//   SandboxFigures figures(reader);
//   figures.Begin(request_id);              // at INVOKE
//   figures.Sample();                       // now and then: files, threads and /tmp
//   for (const Figure& each : figures.End(request_id)) Send(each.metric, each.value);   // before the flush
//
// Readings are differences between the invocation's own two ends, so that they have nothing of the flush after it nor
// of the next invocation. Where many invocations run at once, the environment's figures are those of all of them, and
// the peaks are told once, by TakePeaks at the end of the environment.
//
// One thread.

#ifndef THAW_CC_METRICS_SANDBOX_FIGURES_H_
#define THAW_CC_METRICS_SANDBOX_FIGURES_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/declare_counts.h"
#include "cc/metrics/enhanced_names.h"
#include "cc/metrics/proc_reader.h"
#include "cc/metrics/proc_texts.h"

namespace thaw {

struct Figure {
  EnhancedMetric metric;
  double value = 0;
};
using Figures = std::vector<Figure>;

// The counters of the environment at one time; a part that can't be read is missing.
struct UsageReading {
  std::optional<CpuTimes> cpu;
  std::optional<absl::Duration> uptime;
  std::optional<NetworkBytes> network;
};

// Adds the figures between two readings. A part that either lacks, or that went backwards, is left out.
void AddUsage(const UsageReading& begin, const UsageReading& end, double ticks_per_second, Figures& figures);

struct UsagePeaks {
  int64_t files = 0;
  int64_t threads = 0;
  // The smallest limit of a process.
  std::optional<int64_t> most_files;
  std::optional<int64_t> most_threads;
  uint64_t temporary_total = 0;
  uint64_t temporary_used = 0;
};

void AddPeaks(const UsagePeaks& peaks, Figures& figures);

// X(name, what it counts)
#define THAW_SANDBOX_FIGURES_COUNTS(X)                                        \
  X(readings, "times that the counters of the environment were read")         \
  X(peak_samples, "times that files, threads and bytes of /tmp were counted") \
  X(ends_without_beginning, "invocations without figures because nothing was read at their beginning")

struct SandboxFiguresCounts {
  THAW_DECLARE_COUNTS(THAW_SANDBOX_FIGURES_COUNTS)
};

class SandboxFigures {
 public:
  // `reader` must outlive the figures. `concurrent`: many invocations run at once.
  explicit SandboxFigures(ProcReader& reader, bool concurrent = false)
      : reader_(reader), concurrent_(concurrent) {}

  void Begin(std::string_view request_id);
  // Counts files, threads and bytes of /tmp.
  void Sample();
  // Returns the figures of the invocation up to now.
  Figures End(std::string_view request_id);
  // Returns the figures of an invocation whose end is over, and reads nothing: its peaks so far.
  Figures EndUnread(std::string_view request_id);
  // Returns the peaks since the last call, or since the beginning.
  Figures TakePeaks();

  // Return whether an invocation, and whether this one, has begun and not ended.
  bool open() const { return !open_.empty(); }
  bool IsOpen(std::string_view request_id) const;
  const SandboxFiguresCounts& counts() const { return counts_; }

 private:
  struct Open {
    size_t request_id_hash = 0;
    UsageReading begin;
  };

  UsageReading Read();
  void ReadLimits();
  std::optional<Open> Close(std::string_view request_id);

  ProcReader& reader_;
  const bool concurrent_;
  std::deque<Open> open_;  // the oldest first
  UsagePeaks peaks_;
  std::string text_;
  SandboxFiguresCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_SANDBOX_FIGURES_H_
