// JSON that stands within a text or bytes of an event, as messages of queues and topics do.
//
//   const boost::json::value body = NestedJson(FindAt(record, {"body"}));
//
// What is longer than SQS, SNS and Kinesis may carry, or no JSON, is null.

#ifndef THAW_CC_LAMBDA_INVOCATION_NESTED_JSON_H_
#define THAW_CC_LAMBDA_INVOCATION_NESTED_JSON_H_

#include "boost/json/value.hpp"

namespace thaw {

// JSON that is a text in AWS's event. A runtime may have parsed it already. `value` may be null.
boost::json::value NestedJson(const boost::json::value* value);

// JSON that is bytes in AWS's event.
boost::json::value NestedBytesJson(const boost::json::value* value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_NESTED_JSON_H_
