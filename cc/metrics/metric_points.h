// The aggregator's results before they are encoded: points of series, and sketches.
//
// A value refers to memory of the aggregator, and is valid during the call that hands it over. One thread.

#ifndef THAW_CC_METRICS_METRIC_POINTS_H_
#define THAW_CC_METRICS_METRIC_POINTS_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "cc/metrics/tag_sets.h"
#include "cc/sketch/agent_sketch.h"

namespace thaw {

enum class MetricOwner : uint8_t {
  kFunction,   // a custom metric
  kExtension,  // a metric that the extension makes itself
};

// Names a metric and its tags, without those that all metrics of the function have.
struct MetricLabel {
  std::string_view name;
  const TagSet& tags;
  MetricOwner owner;
};

// The numbers are those of the intake's schema. A rate is a count divided by the seconds of its bucket.
enum class SeriesType : uint8_t { kCount = 1, kRate = 2, kGauge = 3 };

struct SeriesPoint {
  int64_t time;  // in seconds
  double value;
};

struct SketchPoint {
  int64_t time;  // in seconds
  const AgentSketch* sketch;
};

class MetricPointTaker {
 public:
  virtual ~MetricPointTaker() = default;
  virtual void TakeSeries(const MetricLabel& label, SeriesType type,
                          absl::Span<const SeriesPoint> points) = 0;
  virtual void TakeSketches(const MetricLabel& label, absl::Span<const SketchPoint> points) = 0;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_METRIC_POINTS_H_
