// Takes samples of metrics, aggregates them, and hands them to the pipelines of series and sketches.
//
//   MetricIntake metrics({.facts = facts}, clock, pipelines);
//   metrics.Add(sample);         // a metric of the function: DogStatsD
//   metrics.own().Add(sample);   // a metric of the extension, which keeps all tags of the function
//   metrics.HandOver(last);      // at the beginning of each flush
//
// The function's tags are added when samples are handed over. DD_LAMBDA_CUSTOMER_METRICS_EXCLUDE_TAGS takes some
// of them from metrics of the function only. A distribution of the extension may have a time, whose bucket it is
// counted in.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_METRIC_INTAKE_H_
#define THAW_CC_EXTENSION_METRIC_INTAKE_H_

#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/extension/pipelines.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"

namespace thaw {

// X(name, what it counts)
#define THAW_METRIC_INTAKE_COUNTS(X)               \
  X(samples, "reports of metrics of the function") \
  X(own_samples, "reports of metrics of the extension")

struct MetricIntakeCounts {
  THAW_DECLARE_COUNTS(THAW_METRIC_INTAKE_COUNTS)
};

struct MetricIntakeOptions {
  FunctionFacts facts;
};

class MetricIntake : public MetricSink {
 public:
  // `clock` and `pipelines` must outlive the intake.
  MetricIntake(MetricIntakeOptions options, Clock& clock, Pipelines& pipelines);
  MetricIntake(const MetricIntake&) = delete;
  MetricIntake& operator=(const MetricIntake&) = delete;

  // Takes a sample of a metric of the function.
  void Add(const MetricSample& sample) override;
  // Takes samples of metrics of the extension.
  MetricSink& own() { return own_; }
  // Hands everything that has come over to the pipelines; the data of the bucket that is still open stay where no
  // freeze can follow, unless `last`.
  void HandOver(bool last);

  const MetricIntakeCounts& counts() const { return counts_; }

 private:
  class Own : public MetricSink {
   public:
    explicit Own(MetricIntake& intake) : intake_(intake) {}
    void Add(const MetricSample& sample) override;

   private:
    MetricIntake& intake_;
  };

  Clock& clock_;
  Pipelines& pipelines_;
  FunctionFacts facts_;
  MetricIntakeCounts counts_;
  Own own_{*this};
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_METRIC_INTAKE_H_
