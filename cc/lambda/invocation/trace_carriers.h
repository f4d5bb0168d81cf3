// Collects the trace context that a sender may have put into an event: headers, message attributes, Kafka's
// headers.
//
//   std::vector<HttpHeaders> carriers = KafkaCarriers(record);
//   if (std::any_of(carriers.begin(), carriers.end(), NamesTrace)) ...
//
// A carrier holds only headers whose names pass IsTraceContextHeader(), unless the caller wants others.

#ifndef THAW_CC_LAMBDA_INVOCATION_TRACE_CARRIERS_H_
#define THAW_CC_LAMBDA_INVOCATION_TRACE_CARRIERS_H_

#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/net/http_message.h"

namespace thaw {

// Returns the headers of an object that may belong to a trace context. The first of several values counts.
// `value` may be null.
HttpHeaders CarrierOf(const boost::json::value* value);

// Returns whether a carrier names a trace, as far as this can be told without the configured styles.
bool NamesTrace(const HttpHeaders& carrier);

// Returns the `_datadog` attribute of a queue's or topic's message, JSON as text or as bytes; null if there
// is none.
boost::json::value DatadogAttribute(const boost::json::value& message);

// Returns the carriers in a Kafka record's headers: a list of {name: bytes}, or one object of all. There are
// two if a text may or may not be base64, and none if no header is `wanted`.
std::vector<HttpHeaders> KafkaCarriers(
    const boost::json::value& record,
    absl::FunctionRef<bool(std::string_view)> wanted = IsTraceContextHeader);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRACE_CARRIERS_H_
