// One request whose answer is a small JSON document.

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

// A longer answer is refused.
inline constexpr size_t kMaxJsonAnswerBytes = 128 * 1024;

// The document in a 2xx answer, as ParseShallowJson reads it. Otherwise, with method and URL in the text and
// nothing of the document:
//   Cancelled or another reason   of the cancellation
//   FailedPrecondition            refused (3xx, 4xx): with what AWS says of it
//   Unavailable                   refused for now (408, 429, 5xx, or whatever the status what AWS calls
//   throttling),
//                                 or no whole answer: another try may succeed
//   Internal                      what came is no JSON, or too long
// It is tried once: the caller decides on another try (configured_api_key.h). `client` must outlive the call.
Task<absl::StatusOr<boost::json::value>> SendForJson(Client& client, HttpRequest request,
                                                     Cancellation& cancellation);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_JSON_EXCHANGE_H_
