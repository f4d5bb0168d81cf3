// What an event says of its sender: the service that triggered the invocation, the tags that tell, where a
// trace context may be in it, and the spans that stand for the senders, which no tracer makes.
//
//   const Trigger trigger = DetectTrigger(event.root, options);
//   if (trigger.source == "sqs") ...
//
// Every member that a source should have may be missing, null or of another type: what can be told is told.
// Sources are told apart in the order of the enumeration in the .cc file, which is the published one.
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
  // DD_SERVICE_MAPPING: from a specific id, or from a generic key such as "lambda_sqs", to a service.
  std::map<std::string, std::string, std::less<>> service_mapping;
  // DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED: a span's service is its instance (the queue's name), not
  // its kind ("sqs").
  bool aws_service_representation = true;
};

// A sender's span. Its ids and duration are given when the invocation's own are known.
struct InferredSpan {
  std::string name;
  std::string type;
  std::string resource;
  std::string service;
  absl::Time start = absl::InfinitePast();  // not known
  bool is_async = false;                    // the sender doesn't wait for the invocation's end
  SpanTags tags;
};

struct Trigger {
  std::string source;      // `function_trigger.event_source`: "api-gateway", "sqs", …; empty: not known
  std::string source_arn;  // `function_trigger.event_source_arn`
  SpanTags tags;           // of the invocation's span
  // Where the sender may have put a trace context: only names that IsTraceContextHeader. Several if an event
  // has several records: the first that yields a context counts.
  std::vector<HttpHeaders> carriers;
  // A context that follows from the event, if no carrier has one.
  std::optional<TraceContext> generated_context;
  // The sender, and before it those that stood behind it, outermost first (a bus that fed a topic that fed a
  // queue). At most three.
  std::vector<InferredSpan> spans;
};

Trigger DetectTrigger(const boost::json::value& event, const TriggerOptions& options);

// The context of an invocation: of the trigger's carriers, the trigger's generated one, `request.headers`
// and `headers` of the event, or the headers of the tracer's call; the first that there is.
std::optional<TraceContext> ExtractInvocationContext(const boost::json::value& event, const Trigger& trigger,
                                                     const HttpHeaders& call_headers,
                                                     const PropagationOptions& options);

// A path with what looks like an id in it as a name: "/users/17" is "/users/{user_id}". Paths with braces
// are kept.
std::string ParameterizePath(std::string_view path);

// Trace and parent id that all who see a step of a state machine agree on. `entered_time` and the counts are
// the step's, as its context object has them.
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
