// Takes samples of metrics: the interface between the code that measures and the aggregator.
//
// One thread: the executor's.

#ifndef THAW_CC_METRICS_METRIC_SINK_H_
#define THAW_CC_METRICS_METRIC_SINK_H_

#include "cc/metrics/metric_sample.h"

namespace thaw {

class MetricSink {
 public:
  virtual ~MetricSink() = default;
  // Takes one report. A report for which there is no room is counted by the sink.
  virtual void Add(const MetricSample& sample) = 0;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_METRIC_SINK_H_
