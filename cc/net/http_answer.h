// Judges complete answers.
//
//   if (!IsSuccess(response)) return FailureOfAnswer(request, response, clock.Now().wall);

#ifndef THAW_CC_NET_HTTP_ANSWER_H_
#define THAW_CC_NET_HTTP_ANSWER_H_

#include "absl/time/time.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http_message.h"

namespace thaw {

// Returns whether the peer accepted the request: the status is 2xx.
bool IsSuccess(const HttpResponse& response);

// Describes an answer that is not a success as a failed exchange, with its Retry-After counted from `now`.
// The error names the request without its query.
ExchangeFailure FailureOfAnswer(const HttpRequest& request, const HttpResponse& response, absl::Time now);

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP_ANSWER_H_
