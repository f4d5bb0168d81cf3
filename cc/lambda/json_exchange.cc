#include "cc/lambda/json_exchange.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/lambda/json_members.h"
#include "cc/lambda/runtime_api.h"
#include "cc/lambda/shallow_json.h"

namespace thaw {
namespace {

// "com.amazon…#AccessDeniedException: …" of a refusal, as its services write it; empty if it is written
// otherwise. Of a message the first line: what follows it may quote the request with its credentials.
std::string Complaint(std::string_view body) {
  if (body.size() > kMaxJsonAnswerBytes) return "";
  boost::system::error_code error;
  const boost::json::value value = ParseShallowJson(body, error);
  int64_t ignored = 0;
  const JsonMembers members(value.if_object(), ignored);  // null after an error
  std::string type, message;
  members.Read("code", type);
  members.Read("__type", type);
  members.Read("Message", message);
  members.Read("message", message);
  if (type.empty() && message.empty()) return "";
  return absl::StrCat(" ", Excerpt(type), ": ", Excerpt(message.substr(0, message.find('\n'))));
}

}  // namespace

Task<absl::StatusOr<boost::json::value>> SendForJson(Client& client, HttpRequest request,
                                                     Cancellation& cancellation) {
  const std::string name =
      absl::StrCat(request.method, " ", ToString(request.destination), PathOf(request.target));
  Task<SendResult> sending = client.Send(std::move(request), SendOptions(), cancellation);
  const SendResult result = co_await std::move(sending);
  if (!result.accepted) {
    if (cancellation.requested()) {
      co_return absl::Status(cancellation.reason().code(),
                             absl::StrCat(name, ": ", cancellation.reason().message()));
    }
    if (result.response.has_value()) {
      const std::string text =
          absl::StrCat(name, ": answered ", result.response->status, Complaint(result.response->body));
      if (result.response->status >= 500) co_return absl::UnavailableError(text);
      co_return absl::FailedPreconditionError(text);
    }
    const std::string why =
        result.failures.empty() ? std::string("no connection") : result.failures.back().ToString();
    co_return absl::UnavailableError(absl::StrCat(name, ": no answer: ", why));
  }
  if (!result.response.has_value() || !result.response->body_whole) {
    co_return absl::UnavailableError(absl::StrCat(name, ": the answer ended before its end"));
  }
  const std::string& body = result.response->body;
  if (body.size() > kMaxJsonAnswerBytes) {
    co_return absl::InternalError(
        absl::StrCat(name, ": the answer is longer than ", kMaxJsonAnswerBytes, " bytes"));
  }
  boost::system::error_code error;
  boost::json::value value = ParseShallowJson(body, error);
  if (error) co_return absl::InternalError(absl::StrCat(name, ": the answer is no JSON: ", error.message()));
  co_return value;
}

}  // namespace thaw
