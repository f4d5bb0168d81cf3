#include "cc/lambda/api/extensions_api.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "absl/log/log.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/json_members.h"
#include "cc/base/shallow_json.h"
#include "cc/base/status_macros.h"
#include "cc/base/utf8.h"
#include "cc/net/http_message.h"

namespace thaw {
namespace {

namespace json = boost::json;

constexpr char kVersion[] = "/2020-01-01/extension";
constexpr char kIdentifierHeader[] = "Lambda-Extension-Identifier";

constexpr absl::Duration kRegisterBudget = absl::Seconds(5);
constexpr absl::Duration kReportBudget = absl::Seconds(1);
// The shutdown phase with external extensions that Lambda documents, used if an event has no deadline.
constexpr absl::Duration kShutdownPhase = absl::Seconds(2);
// After this many calls in a row whose connection ends without an event, or whose answer can't be read, the
// API counts as lost.
constexpr int kLostCalls = 3;
// After this many unknown events in a row the API counts as unusable.
constexpr int kMaxUnknownEvents = 100;

std::string_view NameOf(ExtensionEvent event) {
  switch (event) {
    case ExtensionEvent::kInvoke:
      return "INVOKE";
    case ExtensionEvent::kShutdown:
      return "SHUTDOWN";
  }
  return "";
}

// Ignores case, on which documentation and emulators don't agree.
ShutdownReason ReasonOf(std::string_view text) {
  if (absl::EqualsIgnoreCase(text, "spindown")) return ShutdownReason::kSpindown;
  if (absl::EqualsIgnoreCase(text, "timeout")) return ShutdownReason::kTimeout;
  if (absl::EqualsIgnoreCase(text, "failure")) return ShutdownReason::kFailure;
  return ShutdownReason::kOther;
}

absl::Status CheckPrintable(std::string_view what, std::string_view value) {
  const bool printable = std::all_of(
      value.begin(), value.end(), [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
  if (!value.empty() && printable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is '", Excerpt(value), "'; it must be printable ASCII and not empty"));
}

// Accepts an answer that was cut, or is JSON. Anything else, usually an HTML page, comes from another program
// than Lambda's API.
bool MayBeAnEvent(const HttpResponse& response) {
  const std::string_view text = absl::StripLeadingAsciiWhitespace(response.body);
  return !response.body_whole || text.empty() || text.front() == '{' || text.front() == '[';
}

std::optional<absl::Time> ReadDeadline(const JsonMembers& members) {
  std::optional<int64_t> milliseconds;
  members.Read("deadlineMs", milliseconds);
  if (!milliseconds.has_value()) return std::nullopt;
  return absl::FromUnixMillis(*milliseconds);
}

}  // namespace

Task<absl::StatusOr<Registration>> ExtensionsApi::Register(std::string name,
                                                           std::vector<ExtensionEvent> events,
                                                           Cancellation& cancellation) {
  if (!identifier_.empty()) co_return absl::FailedPreconditionError("the extension is registered already");
  THAW_CO_RETURN_IF_ERROR(CheckPrintable("the extension's name", name));
  json::array names;
  for (const ExtensionEvent event : events) names.emplace_back(NameOf(event));
  RuntimeApi::Call call;
  call.method = "POST";
  call.target = absl::StrCat(kVersion, "/register");
  call.headers = {{"Lambda-Extension-Name", std::move(name)},
                  {"Lambda-Extension-Accept-Feature", "accountId"}};
  call.body = json::serialize(json::object({{"events", std::move(names)}}));
  call.budget = kRegisterBudget;
  call.wait_for_listener = true;
  THAW_CO_ASSIGN_OR_RETURN(const HttpResponse response, co_await api_.Send(call, cancellation));
  const std::optional<std::string_view> identifier = FindHeader(response.headers, kIdentifierHeader);
  if (!identifier.has_value() || !CheckPrintable("", *identifier).ok()) {
    co_return absl::InternalError(absl::StrCat(api_.Name(call), ": answered ", response.status, " without a ",
                                               kIdentifierHeader, " header"));
  }
  Registration registration;
  registration.identifier = identifier_ = *identifier;
  boost::system::error_code error;
  const json::value value = ParseShallowJson(response.body, error);
  if (!value.is_object()) ++counts_.members_ignored;
  const JsonMembers members(value.if_object(), counts_.members_ignored);
  members.Read("functionName", registration.function_name);
  members.Read("functionVersion", registration.function_version);
  members.Read("handler", registration.handler);
  std::string account_id;
  members.Read("accountId", account_id);
  if (!account_id.empty()) registration.account_id = std::move(account_id);
  co_return registration;
}

Task<absl::StatusOr<LambdaEvent>> ExtensionsApi::Next(Cancellation& cancellation) {
  if (identifier_.empty())
    co_return absl::FailedPreconditionError("/next is called before the extension is registered");
  if (waiting_) co_return absl::FailedPreconditionError("/next is called while another /next waits");
  if (!failed_.ok()) co_return failed_;
  waiting_ = true;
  absl::StatusOr<LambdaEvent> event = co_await AskForNext(cancellation);
  waiting_ = false;
  failed_ = event.status();
  co_return event;
}

Task<absl::StatusOr<LambdaEvent>> ExtensionsApi::AskForNext(Cancellation& cancellation) {
  RuntimeApi::Call call;
  call.target = absl::StrCat(kVersion, "/event/next");
  call.headers = {{kIdentifierHeader, identifier_}};
  // The only wait without a deadline: an environment lies idle, frozen or not, until the function is called.
  // A second request would be refused, since the first still stands.
  call.budget = absl::InfiniteDuration();
  // An extension that exits ends the function's invocation too; one lost connection is no reason for that.
  call.ask_again = kLostCalls;
  int unreadable = 0;
  for (int unknown = 0; unknown < kMaxUnknownEvents; ++unknown) {
    THAW_CO_ASSIGN_OR_RETURN(const HttpResponse response, co_await api_.Send(call, cancellation));
    absl::StatusOr<std::optional<LambdaEvent>> event = ParseEvent(call, response);
    if (!event.ok()) {
      if (!MayBeAnEvent(response) || unreadable++ == kLostCalls) co_return event.status();
      ++counts_.unreadable_events;
      LOG(WARNING) << event.status().message() << "; the event is requested again";
      continue;
    }
    unreadable = 0;
    if (event->has_value()) co_return **std::move(event);
    ++counts_.unknown_events;
  }
  co_return absl::InternalError(
      absl::StrCat(api_.Name(call), ": ", kMaxUnknownEvents, " events in a row of types that are not known"));
}

absl::StatusOr<std::optional<LambdaEvent>> ExtensionsApi::ParseEvent(const RuntimeApi::Call& call,
                                                                     const HttpResponse& response) {
  // The body decides, not its content type: an emulator says text/plain.
  boost::system::error_code error;
  const json::value value = ParseShallowJson(RepairUtf8(response.body), error);
  const JsonMembers members(value.if_object(), counts_.members_ignored);  // null after an error
  std::string type;
  members.Read("eventType", type);
  if (type.empty()) {
    return absl::InternalError(absl::StrCat(api_.Name(call), ": answered ", response.status,
                                            " with a body that is not an event: ", Excerpt(response.body),
                                            response.body_whole ? "" : " (cut)"));
  }
  if (type == NameOf(ExtensionEvent::kInvoke)) {
    InvokeEvent event;
    event.deadline = ReadDeadline(members).value_or(event.deadline);
    members.Read("requestId", event.request_id);
    members.Read("invokedFunctionArn", event.function_arn);
    members.Of("tracing").Read("value", event.tracing_header);
    ++counts_.invoke_events;
    return LambdaEvent(std::move(event));
  }
  if (type == NameOf(ExtensionEvent::kShutdown)) {
    ShutdownEvent event;
    event.deadline = ReadDeadline(members).value_or(clock_.Now().wall + kShutdownPhase);
    members.Read("shutdownReason", event.reason_text);
    event.reason = ReasonOf(event.reason_text);
    ++counts_.shutdown_events;
    return LambdaEvent(std::move(event));
  }
  return std::nullopt;
}

Task<absl::Status> ExtensionsApi::ReportError(std::string_view phase, std::string error_type,
                                              std::string message, Cancellation& cancellation) {
  if (identifier_.empty())
    co_return absl::FailedPreconditionError("an error is reported before the extension is registered");
  THAW_CO_RETURN_IF_ERROR(CheckPrintable("the error's type", error_type));
  RuntimeApi::Call call;
  call.method = "POST";
  call.target = absl::StrCat(kVersion, "/", phase, "/error");
  call.body = json::serialize(json::object(
      {{"errorMessage", RepairUtf8(message)}, {"errorType", error_type}, {"stackTrace", json::array()}}));
  call.headers = {{kIdentifierHeader, identifier_},
                  {"Lambda-Extension-Function-Error-Type", std::move(error_type)}};
  call.budget = kReportBudget;
  call.body_timeout = kUnwantedBodyTimeout;  // the status is the answer
  const absl::StatusOr<HttpResponse> response = co_await api_.Send(std::move(call), cancellation);
  co_return response.status();
}

}  // namespace thaw
