// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include "absl/status/status.h"
#include "cc/agent/decode_body.h"
#include "cc/agent/dogstatsd_receiver.h"
#include "cc/agent/http_exchange.h"
#include "cc/agent/http_request_parser.h"
#include "cc/agent/http_server.h"
#include "cc/agent/lifecycle_receiver.h"
#include "cc/agent/proxied_request.h"
#include "cc/agent/telemetry_receiver.h"
#include "cc/agent/trace_receiver.h"
#include "cc/base/executor.h"
#include "cc/base/status_macros.h"
#include "cc/clock/clock.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/statsd_event.h"
#include "cc/net/datagrams.h"
#include "cc/net/listener.h"

namespace thaw {
namespace {

absl::Status DecodeBodyExample(std::string_view bytes, ByteAccount* account) {
#include "cc/agent/decode_body.h.example"
  return absl::OkStatus();
}

Task<void> DogStatsdReceiverExample(Executor& executor, Clock& clock, DogStatsdOptions options,
                                    MetricSink& samples, void (*on_event)(const StatsdEvent&),
                                    void (*on_check)(const ServiceCheck&),
                                    std::unique_ptr<Datagrams> datagrams) {
#include "cc/agent/dogstatsd_receiver.h.example"
}

#include "cc/agent/http_exchange.h.example"

void HttpRequestParserExample(std::string_view bytes, std::string_view bytes_after_the_head,
                              absl::FunctionRef<bool(std::string_view)> take) {
#include "cc/agent/http_request_parser.h.example"
}

void HttpServerExample(Executor& executor, Clock& clock, std::unique_ptr<Listener> listener) {
#include "cc/agent/http_server.h.example"
}

void LifecycleReceiverExample(LifecycleEndpoints& endpoints, Executor& executor, Clock& clock) {
#include "cc/agent/lifecycle_receiver.h.example"
}

void ProxiedRequestExample(HttpServerRequest& request) {
#include "cc/agent/proxied_request.h.example"
}

void TelemetryReceiverExample(InvocationTracker& tracker, Executor& executor, Clock& clock) {
#include "cc/agent/telemetry_receiver.h.example"
}

void TraceReceiverExample(TraceReceiverOptions options, TraceSink& sink, Executor& executor, Clock& clock) {
#include "cc/agent/trace_receiver.h.example"
}

}  // namespace
}  // namespace thaw
