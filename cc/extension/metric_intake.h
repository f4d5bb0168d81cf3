// Takes samples of metrics, aggregates them, and hands them to the pipelines of series and sketches.
//
//   MetricIntake metrics({.facts = facts, .freezes = true}, executor, clock, pipelines);
//   metrics.Add(sample);         // a metric of the function: DogStatsD
//   metrics.own().Add(sample);   // a metric of the extension, which keeps all tags of the function
//   co_await metrics.HandOver(last);   // at the beginning of each flush
//
// The function's tags are added when samples are handed over. DD_LAMBDA_CUSTOMER_METRICS_EXCLUDE_TAGS takes some
// of them from metrics of the function only. A distribution of the extension may have a time, whose bucket it is
// counted in.
//
// Before a freeze everything is handed over, the bucket that is still open too. Samples may fill an eighth of the
// budget of bytes until then (Aggregator). Points for which the outbox has no room are dropped and counted. Many
// metrics are handed over in portions, between which the executor does other work.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_METRIC_INTAKE_H_
#define THAW_CC_EXTENSION_METRIC_INTAKE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/base/executor.h"
#include "cc/base/line.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/extension/pipelines.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/metrics/aggregator.h"
#include "cc/metrics/histogram_options.h"
#include "cc/metrics/metric_batch.h"
#include "cc/metrics/metric_points.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

// X(name, what it counts)
#define THAW_METRIC_INTAKE_COUNTS(X)                  \
  X(points, "points of series that were handed over") \
  X(sketches, "sketches that were handed over")       \
  X(turned_away, "points and sketches dropped because data that could not be delivered leave no room")

struct MetricIntakeCounts {
  THAW_DECLARE_COUNTS(THAW_METRIC_INTAKE_COUNTS)
};

struct MetricIntakeOptions {
  FunctionFacts facts;
  HistogramOptions histograms;
  // Names of tags of the function that its own metrics don't get, with commas between them.
  std::string excluded_tags;
  // Whether a freeze may follow a flush.
  bool freezes = true;
};

class MetricIntake : public MetricSink {
 public:
  // The references must outlive the intake, and the intake its tasks.
  MetricIntake(MetricIntakeOptions options, Executor& executor, Clock& clock, Pipelines& pipelines);
  MetricIntake(const MetricIntake&) = delete;
  MetricIntake& operator=(const MetricIntake&) = delete;

  // Takes a sample of a metric of the function.
  void Add(const MetricSample& sample) override;
  // Takes samples of metrics of the extension.
  MetricSink& own() { return own_; }
  // Learns the runtime's name, which is a tag.
  void Take(const TelemetryRecord& record);
  // Hands everything that has come over to the pipelines; the data of the bucket that is still open stay where no
  // freeze can follow, unless `last`.
  Task<void> HandOver(bool last);

  // Returns the number of metrics with values that no flush has handed over.
  size_t not_handed_over() const { return aggregator_.contexts(); }
  const MetricIntakeCounts& counts() const { return counts_; }
  const AggregatorCounts& aggregator_counts() const { return aggregator_.counts(); }

 private:
  class Own : public MetricSink {
   public:
    explicit Own(MetricIntake& intake) : intake_(intake) {}
    void Add(const MetricSample& sample) override;

   private:
    MetricIntake& intake_;
  };

  // The tags of the function, encoded.
  struct CommonTags {
    std::string series;
    std::string sketches;
  };
  class Encoder;

  void SetTags();
  // Hands a batch over, and empties it.
  void HandOverSeries();
  void HandOverSketches();
  // Counts a batch that was handed over, or for which there was no room.
  void Count(int64_t points, const absl::Status& added, int64_t& handed_over);

  Executor& executor_;
  Pipelines& pipelines_;
  FunctionFacts facts_;
  const std::string excluded_tags_;
  const bool freezes_;
  CommonTags function_tags_;   // of metrics of the function
  CommonTags extension_tags_;  // of metrics of the extension
  Aggregator aggregator_;
  Line line_;             // of flushes that hand over
  MetricBatch series_;    // while a flush begins
  MetricBatch sketches_;  // likewise
  ByteCharge charge_;     // for both
  MetricIntakeCounts counts_;
  Own own_{*this};
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_METRIC_INTAKE_H_
