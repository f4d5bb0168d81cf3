// Makes Lambda's enhanced metrics from what the platform reports about invocations and the environment.
//
//   EnhancedMetrics metrics({.initialization_type = "on-demand"}, sink);
//   metrics.Begin(invocation.request_id);
//   metrics.Take(invocation, /*tracer_failed=*/false);   // after each event or record of it
//   metrics.OnShutdown(now);
//
// Each figure of an invocation is sent once, when it is first known, whatever the order in which the parts come, with
// the time at which the platform says it happened. Each sample has the tags that change between invocations:
// cold_start, proactive_initialization, durable_function, and init_type where no variable tells it. The sink adds
// those of the function, the runtime among them.
//
// The first invocation's `invocations` is held until a record tells whether the function is durable: at the latest
// until its end, the next invocation or the shutdown. Durations of the environment's start are held until an
// invocation tells what kind of start it was.
//
// Pure: no clock, no I/O. One thread.

#ifndef THAW_CC_METRICS_ENHANCED_METRICS_H_
#define THAW_CC_METRICS_ENHANCED_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/declare_counts.h"
#include "cc/metrics/enhanced_names.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/sandbox_figures.h"
#include "cc/telemetry/invocation.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

struct EnhancedMetricsOptions {
  // Managed instances: no INVOKE, many invocations at once, no report of memory and of what is billed.
  bool managed = false;
  // Telemetry records come: without them nothing is worth holding.
  bool telemetry = true;
  // The processor's architecture decides on prices.
  bool arm = false;
  // AWS_LAMBDA_INITIALIZATION_TYPE, which is a tag of the function; empty: unknown until a record tells.
  std::string initialization_type;
};

// Returns the price in USD of a request with this billed duration; `provisioned`: in an environment of
// provisioned concurrency, whose time costs less. The prices are those of AWS's first tier in most of its
// regions.
double EstimatedCost(absl::Duration billed, int64_t memory_megabytes, bool arm, bool provisioned);

// Returns the time at which an ended invocation ended, by the first record that has it.
absl::Time EndOf(const Invocation& invocation);

// X(name, what it counts)
#define THAW_ENHANCED_METRICS_COUNTS(X)                                   \
  X(samples, "samples of enhanced metrics")                               \
  X(held, "samples that waited for a record or for the first invocation") \
  X(forgotten, "invocations forgotten because too many of them were known")

struct EnhancedMetricsCounts {
  THAW_DECLARE_COUNTS(THAW_ENHANCED_METRICS_COUNTS)
};

class EnhancedMetrics {
 public:
  // `sink` must outlive the metrics.
  EnhancedMetrics(EnhancedMetricsOptions options, MetricSink& sink);
  EnhancedMetrics(const EnhancedMetrics&) = delete;
  EnhancedMetrics& operator=(const EnhancedMetrics&) = delete;

  // An invocation begins, perhaps under the request id of an earlier one.
  void Begin(std::string_view request_id);
  // An event or a record of the invocation came. `tracer_failed`: the tracer's call at the end of the handler says
  // that it failed.
  void Take(const Invocation& invocation, bool tracer_failed);
  // The figures of /proc at the invocation's end.
  void TakeFigures(std::string_view request_id, absl::Time time, absl::Span<const Figure> figures);
  // Figures of the environment.
  void TakeFigures(absl::Time time, absl::Span<const Figure> figures);
  // A line of the function's log says that memory was exhausted.
  void OnOutOfMemory(std::string_view request_id, absl::Time time);

  // Records of the environment's start.
  void OnEnvironment(bool durable, std::string_view initialization_type);
  void OnInitDuration(absl::Time time, absl::Duration duration);
  void OnRestoreDuration(absl::Time time, absl::Duration duration);

  // Sends what is held.
  void OnShutdown(absl::Time time);
  void set_telemetry(bool telemetry) { options_.telemetry = telemetry; }

  // Returns the tags of the latest invocation, with which metrics of the environment go.
  absl::Span<const std::string_view> tags() const {
    return tags_[static_cast<size_t>(latest_or_warm())].views;
  }
  const EnhancedMetricsCounts& counts() const { return counts_; }

 private:
  // Records that told of an invocation.
  struct Progress {
    size_t request_id_hash = 0;
    InvocationStart start = InvocationStart::kWarm;
    bool begun = false;
    bool counted = false;  // in `invocations`
    bool runtime_done = false;
    bool reported = false;
    bool post_runtime = false;
    bool error = false;
    bool timeout = false;
    bool out_of_memory = false;
  };
  struct Held {
    EnhancedMetric metric;
    double value = 0;
    absl::Time time;
    std::optional<InvocationStart> start;  // nullopt: that of the first invocation, whichever it is
  };
  struct Tags {
    std::vector<std::string> texts;
    std::vector<std::string_view> views;  // of `texts`
  };

  Progress& ProgressOf(std::string_view request_id);
  // Counts the invocation once it is known how its environment had started.
  void Count(const Invocation& invocation, Progress& progress);
  void TakeOutcome(const Invocation& invocation, bool tracer_failed, Progress& progress);
  void TakeRuntimeDone(const Invocation& invocation, Progress& progress);
  void TakeReport(const Invocation& invocation, Progress& progress);
  void TakeBill(const Timed<PlatformReport>& report, InvocationStart start);
  void TakeSpans(absl::Time time, const std::vector<TelemetrySpan>& spans, InvocationStart start);
  void CountOutOfMemory(absl::Time time, Progress& progress);

  InvocationStart latest_or_warm() const { return latest_.value_or(InvocationStart::kWarm); }
  void MakeTags();
  void Add(EnhancedMetric metric, double value, absl::Time time, InvocationStart start);
  void Hold(const Held& held);
  // Sends what is held. `all`: also what waits for an invocation.
  void Release(bool all);

  EnhancedMetricsOptions options_;
  MetricSink& sink_;
  std::deque<Progress> progress_;  // the newest last
  std::vector<Held> held_;
  std::optional<InvocationStart> latest_;  // of the latest invocation that was counted
  bool started_ = false;                   // a record told how the environment started
  bool durable_ = false;
  const bool type_is_tag_of_function_;
  bool init_told_ = false;
  std::array<Tags, 3> tags_;  // by the start
  EnhancedMetricsCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_ENHANCED_METRICS_H_
