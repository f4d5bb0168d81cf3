// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <iostream>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "cc/agent/http_server.h"
#include "cc/agent/trace_receiver.h"
#include "cc/base/task.h"
#include "cc/extension/config_check.h"
#include "cc/extension/enhanced_intake.h"
#include "cc/extension/event_intake.h"
#include "cc/extension/extension.h"
#include "cc/extension/function_life.h"
#include "cc/extension/function_settings.h"
#include "cc/extension/invocation_bridge.h"
#include "cc/extension/late_random.h"
#include "cc/extension/local_servers.h"
#include "cc/extension/log_intake.h"
#include "cc/extension/log_output.h"
#include "cc/extension/metric_intake.h"
#include "cc/extension/metrics_page.h"
#include "cc/extension/own_metrics.h"
#include "cc/extension/own_metrics_table.h"
#include "cc/extension/pipelines.h"
#include "cc/extension/process_signals.h"
#include "cc/extension/ready_logs.h"
#include "cc/extension/record_takers.h"
#include "cc/extension/trace_intake.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_observers.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/metrics/metric_sample.h"
#include "cc/trace/process/trace_processor.h"

namespace thaw {
namespace {

Task<void> ConfigCheckExample(const Environment& environment, const Config& config, EventLoop& loop,
                              Network& network, std::function<double()> random) {
#include "cc/extension/config_check.h.example"
}

void EnhancedIntakeExample(const EnhancedMetricsOptions& options, Clock& clock, ProcReader& reader,
                           MetricIntake& metrics, EnhancedIntake::TracerSaysFailed tracer_says_failed,
                           InvocationObservers& observers, const InvokeEvent& event,
                           const Invocation* invocation) {
#include "cc/extension/enhanced_intake.h.example"
}

void EventIntakeExample(const FunctionFacts& facts, Clock& clock, Pipelines& pipelines,
                        const StatsdEvent& event) {
#include "cc/extension/event_intake.h.example"
}

void ExtensionExample(const Environment& environment, const Config& config, Cancellation& stop) {
#include "cc/extension/extension.h.example"
}

Task<void> FunctionLifeExample(Executor& executor, Clock& clock, ExtensionsApi& extensions,
                               InvocationTracker& tracker, FlushCoordinator& coordinator, HttpServer& server,
                               Cancellation& cancellation) {
#include "cc/extension/function_life.h.example"
}

void FunctionSettingsExample(const Environment& environment, const Config& config,
                             const Registration& registration, const std::string& runtime_api,
                             const Clock& clock, std::vector<std::string>& warnings) {
#include "cc/extension/function_settings.h.example"
}

void InvocationBridgeExample(Clock& clock, bool invoke_events, InvocationAssembler& assembler,
                             TraceIntake& intake, Pipelines& pipelines, InvocationTrackerOptions options,
                             InvocationStore& store, const InvokeEvent& event) {
#include "cc/extension/invocation_bridge.h.example"
}

void LateRandomExample() {
#include "cc/extension/late_random.h.example"
}

void LocalServersExample(EventLoop& loop, HttpServerOptions server_options, TraceReceiver& receiver) {
#include "cc/extension/local_servers.h.example"
}

void LogIntakeExample(LogProcessorOptions processing, const FunctionFacts& facts, Pipelines& pipelines,
                      RecordTakers& takers, bool last) {
#include "cc/extension/log_intake.h.example"
}

void LogOutputExample() {
#include "cc/extension/log_output.h.example"
}

Task<void> MetricIntakeExample(const FunctionFacts& facts, Executor& executor, Clock& clock,
                               Pipelines& pipelines, const MetricSample& sample, bool last) {
#include "cc/extension/metric_intake.h.example"
}

void MetricsPageExample() {
#include "cc/extension/metrics_page.h.example"
}

void Print(std::string_view name, std::string_view tag, std::string_view count, std::string_view unit,
           std::string_view help);

void OwnMetricsTableExample() {
#include "cc/extension/own_metrics_table.h.example"
}

void OwnMetricsExample(MetricIntake& metrics, const OwnCounts& counts,
                       absl::Span<const std::string_view> enhanced_tags) {
#include "cc/extension/own_metrics.h.example"
}

Task<void> PipelinesExample(EventLoop& loop, Network& network, const Config& config,
                            std::function<double()> random, std::vector<std::string>& warnings,
                            TracePayload payload) {
#include "cc/extension/pipelines.h.example"
}

void Tell(const std::string& request_id, int64_t lines);
void Send(ReadyLogs::Batch batch);

void ReadyLogsExample(Pipelines& pipelines, EncodedRequest request, size_t bytes, LogIntakeCounts& counts) {
#include "cc/extension/ready_logs.h.example"
}

Task<void> ProcessSignalsExample(EventLoop& loop, Extension& extension, Cancellation& stop) {
#include "cc/extension/process_signals.h.example"
}

void RecordTakersExample(InvocationTracker& tracker, const TelemetryRecord& record) {
#include "cc/extension/record_takers.h.example"
}

void TraceIntakeExample(TraceProcessorOptions processing, std::optional<ConcentratorOptions> stats,
                        Executor& executor, Clock& clock, InvocationAssembler& assembler,
                        Pipelines& pipelines, TraceReceiverOptions options) {
#include "cc/extension/trace_intake.h.example"
}

}  // namespace
}  // namespace thaw
