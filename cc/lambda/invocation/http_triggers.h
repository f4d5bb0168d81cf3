// Senders that call over HTTP: APIs of API Gateway, load balancers, function URLs.
//
// Each has a function that tells whether an event is its own, and one that says what the event tells of it.

#ifndef THAW_CC_LAMBDA_INVOCATION_HTTP_TRIGGERS_H_
#define THAW_CC_LAMBDA_INVOCATION_HTTP_TRIGGERS_H_

#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trigger_types.h"

namespace thaw {

bool IsHttpApi(const boost::json::value& event);
Trigger HttpApiTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsRestApi(const boost::json::value& event);
// Whether it has enough of the members of one, though not those that it has by the documentation.
bool SeemsRestApi(const boost::json::value& event);
Trigger RestApiTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsWebSocketApi(const boost::json::value& event);
// Likewise.
bool SeemsWebSocketApi(const boost::json::value& event);
Trigger WebSocketApiTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsLoadBalancer(const boost::json::value& event);
Trigger LoadBalancerTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsFunctionUrl(const boost::json::value& event);
Trigger FunctionUrlTrigger(const boost::json::value& event, const TriggerOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_HTTP_TRIGGERS_H_
