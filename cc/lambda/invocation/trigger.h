// Detects from an event which service triggered the invocation: its tags, the places that may hold a trace
// context, and the spans that stand for the senders, which no tracer makes.
//
//   const Trigger trigger = DetectTrigger(event.root, options);
//   if (trigger.source == "sqs") ...
//
// Any expected member may be missing, null or of another type: all that can be told is told. Sources are
// tried in the order of the table in the .cc file, which is the published order.
//
// Source: the event formats in AWS's Lambda developer guide.

#ifndef THAW_CC_LAMBDA_INVOCATION_TRIGGER_H_
#define THAW_CC_LAMBDA_INVOCATION_TRIGGER_H_

#include <optional>

#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/lambda/invocation/trigger_types.h"
#include "cc/net/http_message.h"

namespace thaw {

Trigger DetectTrigger(const boost::json::value& event, const TriggerOptions& options);

// Returns the first context found in: the trigger's carriers, the trigger's generated context,
// `request.headers` and `headers` of the event, and the headers of the tracer's call.
std::optional<TraceContext> ExtractInvocationContext(const boost::json::value& event, const Trigger& trigger,
                                                     const HttpHeaders& call_headers,
                                                     const PropagationOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRIGGER_H_
