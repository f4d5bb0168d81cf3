#include "cc/lambda/api/runtime_api.h"

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cc/base/json_members.h"
#include "cc/base/shallow_json.h"

namespace thaw {
namespace {

// The delay before the first retry of a call; it doubles up to the limit.
constexpr absl::Duration kFirstDelay = absl::Milliseconds(5);
constexpr absl::Duration kLongestDelay = absl::Milliseconds(100);

// Returns "Extension.InvalidExtensionState: …" for a refusal, or the body's excerpt.
std::string Complaint(const HttpResponse& response) {
  boost::system::error_code error;
  const boost::json::value value = ParseShallowJson(response.body, error);
  int64_t ignored = 0;
  const JsonMembers members(value.if_object(), ignored);  // null after an error
  std::string type, message;
  members.Read("errorType", type);
  members.Read("errorMessage", message);
  if (type.empty() && message.empty()) return Excerpt(response.body);
  return absl::StrCat(Excerpt(type), ": ", Excerpt(message));
}

}  // namespace

std::string Excerpt(std::string_view body) {
  constexpr size_t kShown = 120;
  return absl::StrCat(absl::CHexEscape(body.substr(0, kShown)), body.size() > kShown ? "..." : "");
}

absl::StatusOr<Destination> ParseRuntimeApiAddress(std::string_view text) {
  const absl::StatusOr<Url> url = ParseUrl(absl::StrCat("http://", text));
  if (!url.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("AWS_LAMBDA_RUNTIME_API: ", url.status().message()));
  }
  if (url->target != "/" || !url->userinfo.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("AWS_LAMBDA_RUNTIME_API is '", Excerpt(MaskUrl(text)), "'; it must be HOST:PORT"));
  }
  return url->destination;
}

ClientOptions RuntimeApiClientOptions() {
  ClientOptions options;
  options.max_idle_per_host = 1;
  options.on_resume = OnResume::kKeep;
  options.exchange_timeout = absl::InfiniteDuration();
  options.max_attempts = 1;
  // Only requests of which nothing was sent are resent, and those whose Call asks for more.
  options.resend_rule = ResendRule::kUnsentOnly;
  options.backoff_base = kFirstDelay;
  options.backoff_cap = kLongestDelay;
  // Events and registrations are small; texts in them, or an error page, may not be.
  options.max_response_body_kept_bytes = 256 * 1024;
  return options;
}

std::string RuntimeApi::Name(const Call& call) const {
  return absl::StrCat(call.method, " ", ToString(destination_), call.target);
}

Task<absl::StatusOr<HttpResponse>> RuntimeApi::Send(Call call, Cancellation& cancellation) {
  HttpRequest request;
  request.destination = destination_;
  request.method = call.method;
  request.target = call.target;
  request.headers = std::move(call.headers);
  request.body_timeout = call.body_timeout;
  if (!call.body.empty()) {
    request.headers.emplace_back("content-type", "application/json");
    request.body = std::make_shared<const std::string>(std::move(call.body));
  }
  const SendOptions options = {.budget = call.budget,
                               .retry_ambiguous = false,
                               .wait_for_listener = call.wait_for_listener,
                               .lost_resends = call.ask_again,
                               .jitter = false};
  SendResult result = co_await client_.Send(std::move(request), options, cancellation);
  if (result.accepted) co_return *std::move(result.response);
  if (cancellation.requested()) co_return cancellation.reason();
  if (result.response.has_value()) {
    const HttpResponse& response = *result.response;
    const std::string text =
        absl::StrCat(Name(call), ": answered ", response.status, " ", Complaint(response));
    if (response.status >= 500) co_return absl::UnavailableError(text);
    co_return absl::FailedPreconditionError(text);
  }
  const std::string why =
      result.failures.empty() ? std::string("no connection") : result.failures.back().ToString();
  co_return absl::UnavailableError(absl::StrCat(Name(call), ": no answer: ", why));
}

}  // namespace thaw
