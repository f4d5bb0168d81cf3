#include "cc/net/http_answer.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/net/backoff.h"
#include "cc/net/destination.h"

namespace thaw {

bool IsSuccess(const HttpResponse& response) { return response.status / 100 == 2; }

ExchangeFailure FailureOfAnswer(const HttpRequest& request, const HttpResponse& response, absl::Time now) {
  ExchangeFailure failure =
      MakeFailure(Phase::kBody, Fault::kNone,
                  absl::StrCat(request.method, " ", ToString(request.destination), PathOf(request.target)),
                  absl::FailedPreconditionError(absl::StrCat("answered ", response.status)));
  failure.bytes_written = BytesWritten::kAll;
  failure.response_begun = failure.head_complete = true;
  failure.status = response.status;
  if (const auto header = FindHeader(response.headers, "retry-after"))
    failure.retry_after = ParseRetryAfter(*header, now);
  return failure;
}

}  // namespace thaw
