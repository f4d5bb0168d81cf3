// What an event says of its sender: the service that triggered the invocation, the tags that tell, where a
// trace context may be in it, and the spans that stand for the senders, which no tracer makes.
//
//   const Trigger trigger = DetectTrigger(event.root, options);
//   if (trigger.source == "sqs") ...
//
// Every member that a source should have may be missing, null or of another type: what can be told is told.
// Sources are told apart in the order of the table in the .cc file, which is the published one.
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

// The context of an invocation: of the trigger's carriers, the trigger's generated one, `request.headers`
// and `headers` of the event, or the headers of the tracer's call; the first that there is.
std::optional<TraceContext> ExtractInvocationContext(const boost::json::value& event, const Trigger& trigger,
                                                     const HttpHeaders& call_headers,
                                                     const PropagationOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRIGGER_H_
