// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include "cc/metrics/aggregator.h"
#include "cc/metrics/count_times.h"
#include "cc/metrics/histogram_options.h"
#include "cc/metrics/histogram_values.h"
#include "cc/metrics/metric_origin.h"
#include "cc/metrics/metric_points.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/series_payload.h"
#include "cc/metrics/sketch_payload.h"
#include "cc/metrics/tag_sets.h"

namespace thaw {
namespace {

void MetricSampleExample(MetricSink& sink) {
#include "cc/metrics/metric_sample.h.example"
}

void AggregatorExample(Clock& clock, ByteAccount& account, const MetricSample& sample,
                       MetricPointTaker& taker) {
#include "cc/metrics/aggregator.h.example"
}

void CountTimesExample(CountTimes& times, int64_t now, int64_t bucket) {
#include "cc/metrics/count_times.h.example"
}

void HistogramOptionsExample(std::vector<std::string>& warnings) {
#include "cc/metrics/histogram_options.h.example"
}

void HistogramValuesExample() {
#include "cc/metrics/histogram_values.h.example"
}

void MetricOriginExample(std::string_view name, ProtobufWriter& out) {
#include "cc/metrics/metric_origin.h.example"
}

void SeriesPayloadExample(absl::Span<const std::string> function_tags, const MetricLabel& label,
                          absl::Span<const SeriesPoint> points, MetricBatch& batch) {
#include "cc/metrics/series_payload.h.example"
}

void SketchPayloadExample(absl::Span<const std::string> function_tags, const MetricLabel& label,
                          absl::Span<const SketchPoint> points, MetricBatch& batch) {
#include "cc/metrics/sketch_payload.h.example"
}

void TagSetsExample(std::vector<std::string_view> tags, TagSets& sets) {
#include "cc/metrics/tag_sets.h.example"
}

}  // namespace
}  // namespace thaw
