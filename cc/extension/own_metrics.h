// Sends the extension's own counts as the metrics `thaw.*`: drops, retries, stale connections, handshakes, the time
// that flushes take and the time that they add to invocations.
//
//   OwnMetrics own(metrics.own());
//   own.Add(counts, enhanced_tags);   // at the beginning of each flush
//
// Each flush sends what was counted since the one before; a count that did not change is not sent.
// own_metrics_table.h lists the metrics.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_OWN_METRICS_H_
#define THAW_CC_EXTENSION_OWN_METRICS_H_

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/declare_counts.h"
#include "cc/base/histogram.h"
#include "cc/extension/own_metrics_table.h"
#include "cc/metrics/metric_sink.h"

namespace thaw {

// X(name, what it counts)
#define THAW_OWN_METRICS_COUNTS(X) X(samples, "samples of metrics of the extension's own counts")

struct OwnMetricsCounts {
  THAW_DECLARE_COUNTS(THAW_OWN_METRICS_COUNTS)
};

class OwnMetrics {
 public:
  // `sink` must outlive the metrics.
  explicit OwnMetrics(MetricSink& sink) : sink_(sink) {}
  OwnMetrics(const OwnMetrics&) = delete;
  OwnMetrics& operator=(const OwnMetrics&) = delete;

  // Sends the differences to the last call, with `tags` and those of the table.
  void Add(const OwnCounts& counts, absl::Span<const std::string_view> tags);

  const OwnMetricsCounts& counts() const { return counts_; }

 private:
  using PipelineCounts = std::array<int64_t, std::size(kPipelineMetrics)>;

  void AddTimes(const OwnMetricRow& row, const Histogram& now, Histogram& before);
  void AddCount(const OwnMetricRow& row, int64_t now, int64_t& before);
  void Send(const OwnMetricRow& row, double value, double weight);

  MetricSink& sink_;
  std::array<int64_t, std::size(kOwnMetrics)> before_ = {};
  std::array<Histogram, std::size(kOwnTimes)> times_before_;
  std::map<std::string, PipelineCounts, std::less<>> pipelines_before_;
  std::vector<std::string_view> tags_;  // of the sample that is made, the table's last
  OwnMetricsCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_OWN_METRICS_H_
