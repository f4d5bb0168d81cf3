// Triggers that call over HTTP: APIs of API Gateway, load balancers, function URLs.
//
// For each source, one function recognises its events and one describes the trigger of such an event.

#ifndef THAW_CC_LAMBDA_INVOCATION_HTTP_TRIGGERS_H_
#define THAW_CC_LAMBDA_INVOCATION_HTTP_TRIGGERS_H_

#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trigger_types.h"

namespace thaw {

bool IsHttpApi(const boost::json::value& event);
Trigger HttpApiTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsRestApi(const boost::json::value& event);
// Recognises an event by a sufficient part of the documented members.
bool SeemsRestApi(const boost::json::value& event);
Trigger RestApiTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsWebSocketApi(const boost::json::value& event);
// Recognises an event by a sufficient part of the documented members.
bool SeemsWebSocketApi(const boost::json::value& event);
Trigger WebSocketApiTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsLoadBalancer(const boost::json::value& event);
Trigger LoadBalancerTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsFunctionUrl(const boost::json::value& event);
Trigger FunctionUrlTrigger(const boost::json::value& event, const TriggerOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_HTTP_TRIGGERS_H_
