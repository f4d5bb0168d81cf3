#include "cc/lambda/invocation/trigger.h"

#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/http_triggers.h"
#include "cc/lambda/invocation/service_triggers.h"
#include "cc/lambda/invocation/trace_carriers.h"

namespace thaw {
namespace {

namespace json = boost::json;

struct EventSource {
  bool (*is)(const json::value& event);
  Trigger (*trigger)(const json::value& event, const TriggerOptions& options);
};

// The sources in the order in which they are tried: some events match two. APIs are recognised first by the
// members that the documentation lists, then by a sufficient part of these members.
constexpr EventSource kSources[] = {
    {IsHttpApi, HttpApiTrigger},
    {IsRestApi, RestApiTrigger},
    {IsWebSocketApi, WebSocketApiTrigger},
    {IsLoadBalancer, LoadBalancerTrigger},
    {IsFunctionUrl, FunctionUrlTrigger},
    {SeemsWebSocketApi, WebSocketApiTrigger},
    {SeemsRestApi, RestApiTrigger},
    {IsMsk, MskTrigger},
    {IsSqs, SqsTrigger},
    {IsSns, SnsTrigger},
    {IsDynamoDb, DynamoDbTrigger},
    {IsS3, S3Trigger},
    {IsEventBridge, EventBridgeTrigger},
    {IsKinesis, KinesisTrigger},
    {IsStepFunctions, StepFunctionsTrigger},
};

}  // namespace

Trigger DetectTrigger(const json::value& event, const TriggerOptions& options) {
  for (const EventSource& source : kSources)
    if (source.is(event)) return source.trigger(event, options);
  return {};
}

std::optional<TraceContext> ExtractInvocationContext(const json::value& event, const Trigger& trigger,
                                                     const HttpHeaders& call_headers,
                                                     const PropagationOptions& options) {
  for (const HttpHeaders& carrier : trigger.carriers)
    if (std::optional<TraceContext> context = ExtractTraceContext(carrier, options)) return context;
  if (trigger.generated_context) return trigger.generated_context;
  for (const json::value* headers : {FindAt(event, {"request", "headers"}), FindAt(event, {"headers"})})
    if (std::optional<TraceContext> context = ExtractTraceContext(CarrierOf(headers), options))
      return context;
  return ExtractTraceContext(call_headers, options);
}

}  // namespace thaw
