// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"
#include "cc/base/status_macros.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flusher_options.h"
#include "cc/lambda/api/extensions_api.h"
#include "cc/lambda/api/initialization_type.h"
#include "cc/lambda/api/runtime_api.h"
#include "cc/lambda/api/sandbox_address.h"
#include "cc/lambda/api/telemetry_subscription.h"
#include "cc/lambda/invocation/data_streams.h"
#include "cc/lambda/invocation/environment_start.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/event_records.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_fixture.h"
#include "cc/lambda/invocation/invocation_observers.h"
#include "cc/lambda/invocation/invocation_span.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/lambda/invocation/nested_json.h"
#include "cc/lambda/invocation/parameterize_path.h"
#include "cc/lambda/invocation/payload_tags.h"
#include "cc/lambda/invocation/span_pointers.h"
#include "cc/lambda/invocation/step_functions_context.h"
#include "cc/lambda/invocation/trace_carriers.h"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/lambda/invocation/trigger.h"
#include "cc/lambda/invocation/trigger_parts.h"
#include "cc/lambda/invocation/trigger_types.h"
#include "cc/lambda/keys/api_key_secrets.h"
#include "cc/lambda/keys/api_key_sources.h"
#include "cc/lambda/keys/aws_credentials.h"
#include "cc/lambda/keys/aws_sigv4.h"
#include "cc/lambda/keys/configured_api_key.h"
#include "cc/lambda/keys/delegated_auth.h"
#include "cc/trace/process/trace_processor.h"
#include "cc/trace/trace_request_writer.h"

namespace thaw {
namespace {

Task<void> ApiExtensionsApiExample(RuntimeApi& runtime_api, Clock& clock, Cancellation& cancellation) {
#include "cc/lambda/api/extensions_api.h.example"
}

void ApiInitializationTypeExample(const Environment& environment, std::vector<ExtensionEvent>& events) {
#include "cc/lambda/api/initialization_type.h.example"
}

Task<absl::Status> ApiRuntimeApiExample(Client& client, std::string subscription,
                                        Cancellation& cancellation) {
#include "cc/lambda/api/runtime_api.h.example"
}

void ApiSandboxAddressExample() {
#include "cc/lambda/api/sandbox_address.h.example"
}

Task<void> ApiTelemetrySubscriptionExample(RuntimeApi& runtime_api, ExtensionsApi& extensions,
                                           const InitializationTraits& traits, Cancellation& cancellation) {
#include "cc/lambda/api/telemetry_subscription.h.example"
}

void InvocationDataStreamsExample(const boost::json::value& event, const DataStreamsOptions& options,
                                  PathwayStats& pathways) {
#include "cc/lambda/invocation/data_streams.h.example"
}

void InvocationEnvironmentStartExample(absl::Time time, absl::Duration duration, const OwnedSpan& span,
                                       RandomId& random, absl::AnyInvocable<void(OwnedSpan)> Send) {
#include "cc/lambda/invocation/environment_start.h.example"
}

absl::Status InvocationEventJsonExample(std::string_view body) {
#include "cc/lambda/invocation/event_json.h.example"
  return absl::OkStatus();
}

void InvocationEventRecordsExample(const boost::json::value& event) {
#include "cc/lambda/invocation/event_records.h.example"
}

void InvocationFunctionTagsExample(const FunctionFacts& facts) {
#include "cc/lambda/invocation/function_tags.h.example"
}

void InvocationInvocationAssemblerExample(AssemblerOptions options, InvocationStore& store, Clock& clock,
                                          RandomId random, const std::string& request_id, absl::Time start,
                                          absl::Duration duration,
                                          absl::FunctionRef<void(InvocationRecord&)> fill) {
#include "cc/lambda/invocation/invocation_assembler.h.example"
}

#include "cc/lambda/invocation/invocation_fixture.h.example"

void InvocationInvocationObserversExample(Clock& clock, InvocationTrackerOptions options,
                                          InvocationStore& store, InvocationObserver& bridge) {
#include "cc/lambda/invocation/invocation_observers.h.example"
}

void InvocationInvocationSpanExample(const std::string& id, absl::Time start, absl::Duration duration,
                                     const InvocationSpanOptions& options, RandomId& new_id,
                                     TraceProcessor& processor, TracerHeaders headers) {
#include "cc/lambda/invocation/invocation_span.h.example"
}

void InvocationInvocationStoreExample(ByteAccount& budget, Clock& clock, InvocationObserver& observer,
                                      RandomId random) {
#include "cc/lambda/invocation/invocation_store.h.example"
}

void InvocationInvocationTrackerExample(Clock& clock, InvocationStore& store, InvocationObserver& observer,
                                        const InvokeEvent& event, const TelemetryRecord& record,
                                        const ShutdownEvent& shutdown) {
#include "cc/lambda/invocation/invocation_tracker.h.example"
}

void InvocationLifecycleEndpointsExample(LifecycleOptions options, InvocationAssembler& assembler,
                                         const HttpHeaders& headers, std::string_view body) {
#include "cc/lambda/invocation/lifecycle_endpoints.h.example"
}

void InvocationNestedJsonExample(const boost::json::value& record) {
#include "cc/lambda/invocation/nested_json.h.example"
}

void InvocationParameterizePathExample() {
#include "cc/lambda/invocation/parameterize_path.h.example"
}

void InvocationPayloadTagsExample(const EventJson& event, const PayloadTagOptions& options, SpanTags& tags) {
#include "cc/lambda/invocation/payload_tags.h.example"
}

void InvocationSpanPointersExample(const EventJson& event, SpanTags& tags) {
#include "cc/lambda/invocation/span_pointers.h.example"
}

void InvocationStepFunctionsContextExample(const boost::json::value& event,
                                           std::optional<TraceContext>& context) {
#include "cc/lambda/invocation/step_functions_context.h.example"
}

void InvocationTraceCarriersExample(const boost::json::value& record) {
#include "cc/lambda/invocation/trace_carriers.h.example"
}

void InvocationTraceContextExample(const HttpHeaders& headers, std::vector<std::string>& unknown) {
#include "cc/lambda/invocation/trace_context.h.example"
}

void InvocationTriggerExample(const EventJson& event, const TriggerOptions& options) {
#include "cc/lambda/invocation/trigger.h.example"
}

void InvocationTriggerPartsExample(InferredSpan span, Trigger& trigger, std::string_view arn,
                                   std::string_view table, const TriggerOptions& options) {
#include "cc/lambda/invocation/trigger_parts.h.example"
}

Task<void> KeysApiKeySecretsExample(Clock& clock, Client& client, AwsCredentialsSource& credentials,
                                    const Config& config, Cancellation& cancellation) {
#include "cc/lambda/keys/api_key_secrets.h.example"
}

void KeysApiKeySourcesExample(Executor& executor, Clock& clock, std::unique_ptr<Client> aws_client,
                              std::unique_ptr<Client> intake_client, const Config& config) {
#include "cc/lambda/keys/api_key_sources.h.example"
}

Task<void> KeysAwsCredentialsExample(Clock& clock, Client& client, const Config& config,
                                     Cancellation& cancellation) {
#include "cc/lambda/keys/aws_credentials.h.example"
}

void KeysAwsSigv4Example(const AwsCredentials& credentials, Clock& clock, std::string body) {
#include "cc/lambda/keys/aws_sigv4.h.example"
}

void KeysConfiguredApiKeyExample(Executor& executor, Clock& clock, std::string literal,
                                 std::vector<ConfiguredApiKey::Source> sources, const Config& config) {
#include "cc/lambda/keys/configured_api_key.h.example"
}

Task<void> KeysDelegatedAuthExample(Clock& clock, Client& client, AwsCredentialsSource& credentials,
                                    const std::string& org, Cancellation& cancellation) {
#include "cc/lambda/keys/delegated_auth.h.example"
}

}  // namespace
}  // namespace thaw
