// The sender of an invocation as it is detected from the event, and the options of the detection.

#ifndef THAW_CC_LAMBDA_INVOCATION_TRIGGER_TYPES_H_
#define THAW_CC_LAMBDA_INVOCATION_TRIGGER_TYPES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
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

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRIGGER_TYPES_H_
