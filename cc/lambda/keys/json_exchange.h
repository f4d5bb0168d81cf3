// Sends one request whose answer is a small JSON document.

#ifndef THAW_CC_LAMBDA_KEYS_JSON_EXCHANGE_H_
#define THAW_CC_LAMBDA_KEYS_JSON_EXCHANGE_H_

#include <boost/json/value.hpp>
#include <cstddef>

#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/client.h"
#include "cc/net/http_message.h"

namespace thaw {

// Longer answers are refused.
inline constexpr size_t kMaxJsonAnswerBytes = 128 * 1024;

// Returns the document in a 2xx answer, parsed by ParseShallowJson. An error's text has method and URL and
// nothing of the document:
//   Cancelled or another reason   the cancellation's
//   FailedPrecondition            refused (3xx, 4xx): with what AWS says of it
//   Unavailable                   refused for now (408, 429, 5xx, or any status with an error that AWS calls
//                                 throttling or its own), or no complete answer, or one that is no JSON:
//                                 another try may succeed
//   Internal                      the answer is too long
// The request is sent once: the caller decides on another try (configured_api_key.h). `client` must outlive
// the call.
Task<absl::StatusOr<boost::json::value>> SendForJson(Client& client, HttpRequest request,
                                                     Cancellation& cancellation);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_JSON_EXCHANGE_H_
