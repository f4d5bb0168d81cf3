// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/metrics/decimal_number.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_names.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/statsd_event.h"
#include "cc/metrics/statsd_item.h"

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
                       const std::vector<std::string>& function_tags, absl::Time now) {
#include "cc/metrics/statsd_item.h.example"
}

}  // namespace
}  // namespace thaw
