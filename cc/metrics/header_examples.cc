// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/metrics/aggregator.h"
#include "cc/metrics/count_times.h"
#include "cc/metrics/decimal_number.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/enhanced_metrics.h"
#include "cc/metrics/enhanced_names.h"
#include "cc/metrics/fake_proc_reader.h"
#include "cc/metrics/histogram_options.h"
#include "cc/metrics/histogram_values.h"
#include "cc/metrics/metric_names.h"
#include "cc/metrics/metric_origin.h"
#include "cc/metrics/metric_points.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/proc_texts.h"
#include "cc/metrics/sandbox_figures.h"
#include "cc/metrics/series_payload.h"
#include "cc/metrics/sketch_payload.h"
#include "cc/metrics/statsd_event.h"
#include "cc/metrics/statsd_item.h"
#include "cc/metrics/system_proc_reader.h"
#include "cc/metrics/tag_memo.h"
#include "cc/metrics/tag_sets.h"

namespace thaw {
namespace {

void MetricSampleExample(MetricSink& sink) {
#include "cc/metrics/metric_sample.h.example"
}

void DecimalNumberExample() {
#include "cc/metrics/decimal_number.h.example"
}

void DogStatsdParserExample(MetricSink& samples, void (*on_event)(const StatsdEvent&),
                            void (*on_check)(const ServiceCheck&)) {
#include "cc/metrics/dogstatsd_parser.h.example"
}

void MetricNamesExample(std::string_view name, std::string_view tag) {
#include "cc/metrics/metric_names.h.example"
}

void StatsdEventExample(void (*on_event)(const StatsdEvent&), void (*on_check)(const ServiceCheck&)) {
#include "cc/metrics/statsd_event.h.example"
}

void StatsdItemExample(const StatsdEvent& event, const StatsdEvent& another,
                       const std::vector<std::string>& texts, absl::Time now) {
#include "cc/metrics/statsd_item.h.example"
}

void EnhancedMetricsExample(MetricSink& sink, const Invocation& invocation, absl::Time now) {
#include "cc/metrics/enhanced_metrics.h.example"
}

void Print(std::string_view name, std::string_view unit, std::string_view help);

void EnhancedNamesExample() {
#include "cc/metrics/enhanced_names.h.example"
}

void FakeProcReaderExample() {
#include "cc/metrics/fake_proc_reader.h.example"
}

void ProcTextsExample(const std::string& text_of_proc_stat, const std::string& text_of_proc_net_dev) {
#include "cc/metrics/proc_texts.h.example"
}

void Send(EnhancedMetric metric, double value);

void SandboxFiguresExample(ProcReader& reader, const std::string& request_id) {
#include "cc/metrics/sandbox_figures.h.example"
}

void SystemProcReaderExample() {
#include "cc/metrics/system_proc_reader.h.example"
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

void TagMemoExample() {
#include "cc/metrics/tag_memo.h.example"
}

void TagSetsExample(TagSets& sets) {
#include "cc/metrics/tag_sets.h.example"
}

}  // namespace
}  // namespace thaw
