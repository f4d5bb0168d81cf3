// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/metrics/decimal_number.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/enhanced_metrics.h"
#include "cc/metrics/enhanced_names.h"
#include "cc/metrics/fake_proc_reader.h"
#include "cc/metrics/metric_names.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/proc_texts.h"
#include "cc/metrics/sandbox_figures.h"
#include "cc/metrics/statsd_event.h"
#include "cc/metrics/statsd_item.h"
#include "cc/metrics/system_proc_reader.h"

namespace thaw {
namespace {

void MetricSampleExample(MetricSink& sink) {
#include "cc/metrics/metric_sample.h.example"
}

void DecimalNumberExample() {
#include "cc/metrics/decimal_number.h.example"
}

void DogStatsdParserExample(MetricSink& samples, absl::AnyInvocable<void(const StatsdEvent&)> on_event,
                            absl::AnyInvocable<void(const ServiceCheck&)> on_check) {
#include "cc/metrics/dogstatsd_parser.h.example"
}

void MetricNamesExample(std::string_view name, std::string_view tag) {
#include "cc/metrics/metric_names.h.example"
}

void StatsdEventExample(absl::AnyInvocable<void(const StatsdEvent&)> on_event,
                        absl::AnyInvocable<void(const ServiceCheck&)> on_check) {
#include "cc/metrics/statsd_event.h.example"
}

void StatsdItemExample(const StatsdEvent& event, const StatsdEvent& another,
                       const std::vector<std::string>& function_tags, absl::Time now) {
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

}  // namespace
}  // namespace thaw
