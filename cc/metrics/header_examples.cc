// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"

namespace thaw {
namespace {

void MetricSampleExample(MetricSink& sink) {
#include "cc/metrics/metric_sample.h.example"
}

}  // namespace
}  // namespace thaw
