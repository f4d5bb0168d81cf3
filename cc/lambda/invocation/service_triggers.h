// Triggers of AWS's services: queues, topics, buses, streams, tables, buckets, state machines.
//
// For each source, one function recognises its events and one describes the trigger of such an event. The
// first record of a known source stands for all records of an event.

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

// The member `detail` distinguishes an event without a source from other objects with a type.
bool IsEventBridge(const boost::json::value& event);
Trigger EventBridgeTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsKinesis(const boost::json::value& event);
Trigger KinesisTrigger(const boost::json::value& event, const TriggerOptions& options);

bool IsStepFunctions(const boost::json::value& event);
Trigger StepFunctionsTrigger(const boost::json::value& event, const TriggerOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_SERVICE_TRIGGERS_H_
