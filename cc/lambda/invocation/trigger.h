// Detects from an event which service triggered the invocation: its tags, the places that may hold a trace
// context, and the spans that stand for the senders, which no tracer makes.
//
//   const Trigger trigger = DetectTrigger(event.root, options);
//   if (trigger.source == "sqs") ...
//
// Any expected member may be missing, null or of another type: all that can be told is told. Sources are
// tried in the order of the enumeration in the .cc file, which is the published order.
//
// Source: the event formats in AWS's Lambda developer guide.

#ifndef THAW_CC_LAMBDA_INVOCATION_TRIGGER_H_
#define THAW_CC_LAMBDA_INVOCATION_TRIGGER_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/net/http_message.h"

namespace thaw {

struct TriggerOptions {
  std::string region;
  std::string account_id;
  std::string function_name;
  // DD_SERVICE_MAPPING: maps a specific id, or a generic key such as "lambda_sqs", to a service.
  std::map<std::string, std::string, std::less<>> service_mapping;
  // DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED: a span's service is its instance (the queue's name), not its
  // kind ("sqs").
  bool aws_service_representation = true;
};

// A sender's span. Its ids and duration are set when the invocation's own are known.
struct InferredSpan {
  std::string name;
  std::string type;
  std::string resource;
  std::string service;
  absl::Time start = absl::InfinitePast();  // default: unknown
  bool is_async = false;                    // the sender doesn't wait for the invocation's end
  SpanTags tags;
};

struct Trigger {
  std::string source;      // `function_trigger.event_source`: "api-gateway", "sqs", …; empty: unknown
  std::string source_arn;  // `function_trigger.event_source_arn`
  SpanTags tags;           // for the invocation's span
  // Places for a trace context: only names that IsTraceContextHeader. An event with several records may have
  // several; the first that yields a context counts.
  std::vector<HttpHeaders> carriers;
  // A context derived from the event, used if no carrier has one.
  std::optional<TraceContext> generated_context;
  // The sender, and before it the senders behind it, outermost first (a bus that fed a topic that fed a
  // queue). At most three.
  std::vector<InferredSpan> spans;
};

Trigger DetectTrigger(const boost::json::value& event, const TriggerOptions& options);

// Returns the first context found in: the trigger's carriers, the trigger's generated context,
// `request.headers` and `headers` of the event, and the headers of the tracer's call.
std::optional<TraceContext> ExtractInvocationContext(const boost::json::value& event, const Trigger& trigger,
                                                     const HttpHeaders& call_headers,
                                                     const PropagationOptions& options);

// Replaces ids in a path with names: "/users/17" becomes "/users/{user_id}". Paths with braces stay as they
// are.
std::string ParameterizePath(std::string_view path);

// Returns the trace and parent id that all observers of a state machine's step agree on. `entered_time` and
// the counts are the step's, as its context object has them.
struct StepFunctionsStep {
  std::string_view execution_id;
  std::string_view root_execution_id;  // empty: the execution is the root
  std::string_view state_name;
  std::string_view entered_time;
  int retry_count = 0;
  int redrive_count = 0;
};
TraceContext ContextOfStep(const StepFunctionsStep& step);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRIGGER_H_
