// Senders that are services: queues, topics, buses, streams, tables, buckets, state machines.
//
// Each has a function that tells whether an event is its own, and one that says what the event tells of it.
// An event of several records is of the service whose is the first that says what it is.

#ifndef THAW_CC_LAMBDA_INVOCATION_SERVICE_TRIGGERS_H_
#define THAW_CC_LAMBDA_INVOCATION_SERVICE_TRIGGERS_H_

#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trigger_types.h"

namespace thaw {

bool IsMsk(const boost::json::value& event);
Trigger MskTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsSqs(const boost::json::value& event);
Trigger SqsTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsSns(const boost::json::value& event);
Trigger SnsTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsDynamoDb(const boost::json::value& event);
Trigger DynamoDbTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsS3(const boost::json::value& event);
Trigger S3Trigger(const boost::json::value& event, const TriggerOptions& options);

// A member of `detail` tells an event whose source is missing from others that have a type.
bool IsEventBridge(const boost::json::value& event);
Trigger EventBridgeTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsKinesis(const boost::json::value& event);
Trigger KinesisTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsStepFunctions(const boost::json::value& event);
Trigger StepFunctionsTrigger(const boost::json::value& event, const TriggerOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_SERVICE_TRIGGERS_H_
