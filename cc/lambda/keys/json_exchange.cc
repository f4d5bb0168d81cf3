#include "cc/lambda/keys/json_exchange.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/json_members.h"
#include "cc/base/shallow_json.h"
#include "cc/lambda/api/runtime_api.h"

namespace thaw {
namespace {

// The errors with which AWS's services refuse what they may accept a moment later, whatever the status.
// Source: the AWS SDKs' reference guide, standard retry mode; the errors of AWS's common error types, KMS,
// Secrets Manager and Systems Manager that mean a fault of the service.
constexpr std::string_view kPassingErrors[] = {
    "BandwidthLimitExceeded",
    "DependencyTimeoutException",
    "EC2ThrottledException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerErrorException",
    "InternalServiceError",
    "InternalServiceErrorException",
    "InternalServiceException",
    "KMSInternalException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TooManyUpdates",
    "TransactionInProgressException",
};

// The content of a refusal in the format of AWS's services; empty for other formats.
struct Complaint {
  std::string type;  // "com.amazon…#AccessDeniedException"
  std::string message;

  // Shows only the message's first line: the next may quote the request with its credentials.
  std::string ToString() const {
    if (type.empty() && message.empty()) return "";
    return absl::StrCat(" ", Excerpt(type), ": ", Excerpt(message.substr(0, message.find('\n'))));
  }
  // Returns "AccessDeniedException"; the type may also be followed by a URL.
  std::string_view name() const {
    const std::string_view whole = std::string_view(type).substr(0, type.find(':'));
    return whole.substr(whole.rfind('#') + 1);
  }
};

Complaint ComplaintOf(const HttpResponse& response) {
  Complaint complaint;
  complaint.type = FindHeader(response.headers, "x-amzn-errortype").value_or("");
  if (response.body.size() > kMaxJsonAnswerBytes) return complaint;
  boost::system::error_code error;
  const boost::json::value value = ParseShallowJson(response.body, error);
  int64_t ignored = 0;
  const JsonMembers members(value.if_object(), ignored);  // null after an error
  const JsonMembers inner = members.Of("Error");
  inner.Read("Code", complaint.type);
  inner.Read("Message", complaint.message);
  members.Read("Code", complaint.type);
  members.Read("code", complaint.type);
  members.Read("__type", complaint.type);
  members.Read("Message", complaint.message);
  members.Read("message", complaint.message);
  return complaint;
}

bool IsForNow(int status, const Complaint& complaint) {
  return status == 408 || status == 429 || status >= 500 ||
         std::find(std::begin(kPassingErrors), std::end(kPassingErrors), complaint.name()) !=
             std::end(kPassingErrors);
}

}  // namespace

Task<absl::StatusOr<boost::json::value>> SendForJson(Client& client, HttpRequest request,
                                                     Cancellation& cancellation) {
  const std::string name =
      absl::StrCat(request.method, " ", ToString(request.destination), PathOf(request.target));
  Task<SendResult> sending = client.Send(std::move(request), {.max_attempts = 1}, cancellation);
  const SendResult result = co_await std::move(sending);
  if (!result.accepted) {
    if (cancellation.requested()) {
      co_return absl::Status(cancellation.reason().code(),
                             absl::StrCat(name, ": ", cancellation.reason().message()));
    }
    if (result.response.has_value()) {
      const int status = result.response->status;
      const Complaint complaint = ComplaintOf(*result.response);
      const std::string text = absl::StrCat(name, ": answered ", status, complaint.ToString());
      if (IsForNow(status, complaint)) co_return absl::UnavailableError(text);
      co_return absl::FailedPreconditionError(text);
    }
    const std::string why =
        result.failures.empty() ? std::string("no connection") : result.failures.back().ToString();
    co_return absl::UnavailableError(absl::StrCat(name, ": no answer: ", why));
  }
  if (!result.response.has_value())
    co_return absl::UnavailableError(absl::StrCat(name, ": the answer was cut off"));
  const std::string& body = result.response->body;
  // A body that is kept up to the client's limit and is not whole is too long; it would be so each time.
  const bool whole = result.response->body_whole;
  const size_t most = std::min(kMaxJsonAnswerBytes, client.options().max_response_body_kept_bytes);
  if (body.size() > most || (!whole && body.size() == most))
    co_return absl::InternalError(absl::StrCat(name, ": the answer is longer than ", most, " bytes"));
  if (!whole) co_return absl::UnavailableError(absl::StrCat(name, ": the answer was cut off"));
  boost::system::error_code error;
  boost::json::value value = ParseShallowJson(body, error);
  // An answer that is cut, or a page of a gateway on the way, says nothing about the key.
  if (error) {
    co_return absl::UnavailableError(absl::StrCat(name, ": the answer is not JSON: ", error.message()));
  }
  co_return value;
}

}  // namespace thaw
