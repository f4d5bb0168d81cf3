// Reads JSON from a text or from bytes within an event, where queues and topics put their messages.
//
//   const boost::json::value body = NestedJson(FindAt(record, {"body"}));
//
// The result is null if the text is longer than SQS, SNS and Kinesis may carry, or is invalid.

#ifndef THAW_CC_LAMBDA_INVOCATION_NESTED_JSON_H_
#define THAW_CC_LAMBDA_INVOCATION_NESTED_JSON_H_

#include "boost/json/value.hpp"

namespace thaw {

// Returns JSON that is a text in AWS's event, and that a runtime may have parsed already. `value` may be
// null, here and below.
boost::json::value NestedJson(const boost::json::value* value);

// Returns JSON that is bytes in AWS's event.
boost::json::value NestedBytesJson(const boost::json::value* value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_NESTED_JSON_H_
