// Where in an event a sender may have put a trace context: headers, message attributes, Kafka's headers.
//
//   std::vector<HttpHeaders> carriers = KafkaCarriers(record);
//   if (std::any_of(carriers.begin(), carriers.end(), NamesTrace)) ...
//
// A carrier has only names that IsTraceContextHeader.

#ifndef THAW_CC_LAMBDA_INVOCATION_TRACE_CARRIERS_H_
#define THAW_CC_LAMBDA_INVOCATION_TRACE_CARRIERS_H_

#include <vector>

#include "boost/json/fwd.hpp"
#include "cc/net/http_message.h"

namespace thaw {

// The members of an object that may be of a trace context. Of several values the first counts. `value` may be
// null.
HttpHeaders CarrierOf(const boost::json::value* value);

// Whether a carrier names a trace, as far as that is to be seen without knowing which styles count.
bool NamesTrace(const HttpHeaders& carrier);

// The `_datadog` attribute of a message of a queue or a topic: JSON as text, or as bytes. Null if there is
// none.
boost::json::value DatadogAttribute(const boost::json::value& message);

// The carriers in the headers of a Kafka record: a list of {name: bytes}, or one object of all. Two where a
// text may be base64 or not; none if no header is of a trace context.
std::vector<HttpHeaders> KafkaCarriers(const boost::json::value& record);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRACE_CARRIERS_H_
