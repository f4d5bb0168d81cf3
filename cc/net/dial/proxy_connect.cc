#include "cc/net/dial/proxy_connect.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

ExchangeFailure Failure(Fault fault, const absl::Status& error, const std::string& proxy) {
  ExchangeFailure failure;
  failure.phase = Phase::kProxy;
  failure.fault = fault;
  failure.error = absl::Status(error.code(), absl::StrCat("proxy ", proxy, ": ", error.message()));
  return failure;
}

Fault FaultOf(const absl::Status& status, const Cancellation& cancellation) {
  if (cancellation.requested()) {
    return absl::IsDeadlineExceeded(cancellation.reason()) ? Fault::kTimeout : Fault::kCancelled;
  }
  return absl::IsOutOfRange(status) ? Fault::kEnd : Fault::kReset;
}

// The status of "HTTP/1.1 200 Connection established"; 0 if the line is not that.
int StatusOf(std::string_view head) {
  int status = 0;
  if (!absl::StartsWith(head, "HTTP/1.") || head.size() < 12 || !absl::ascii_isdigit(head[7]) ||
      head[8] != ' ' || !absl::SimpleAtoi(head.substr(9, 3), &status) || status < 100) {
    return 0;
  }
  return status;
}

}  // namespace

Task<std::optional<ExchangeFailure>> ConnectThroughProxy(Transport& transport, Destination destination,
                                                         std::string userinfo, std::string proxy,
                                                         Cancellation& cancellation) {
  const std::string authority = Authority(destination);
  std::string head = absl::StrCat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n");
  if (!userinfo.empty()) {
    absl::StrAppend(&head, "Proxy-Authorization: ", BasicCredentials(userinfo), "\r\n");
  }
  absl::StrAppend(&head, "\r\n");

  // Closing ends whatever is pending.
  const auto registration = cancellation.OnRequest([&transport](const absl::Status&) { transport.Close(); });
  const auto failed = [&](const absl::Status& status) {
    const absl::Status& error = cancellation.requested() ? cancellation.reason() : status;
    return Failure(FaultOf(status, cancellation), error, proxy);
  };
  for (std::string_view rest = head; !rest.empty();) {
    const IoResult written = co_await transport.Write(rest);
    if (!written.status.ok()) co_return failed(written.status);
    rest.remove_prefix(written.bytes);
  }
  // Byte by byte: what follows the head belongs to the tunnel, and nothing can be given back. It is one
  // head of some hundred bytes per connection.
  std::string answer;
  while (!absl::EndsWith(answer, "\r\n\r\n")) {
    if (answer.size() == kMaxProxyHeadBytes) {
      co_return Failure(Fault::kProtocol, absl::InvalidArgumentError("its answer to CONNECT is too long"),
                        proxy);
    }
    char byte;
    const IoResult read = co_await transport.Read(absl::MakeSpan(&byte, 1));
    if (!read.status.ok()) co_return failed(read.status);
    answer += byte;
    if (answer.size() == 5 && answer != "HTTP/") {
      co_return Failure(Fault::kProtocol, absl::InvalidArgumentError("its answer to CONNECT is not HTTP"),
                        proxy);
    }
  }
  const int status = StatusOf(answer);
  if (status / 100 == 2) co_return std::nullopt;
  if (status == 0) {
    co_return Failure(Fault::kProtocol, absl::InvalidArgumentError("its answer to CONNECT is not HTTP"),
                      proxy);
  }
  ExchangeFailure failure =
      Failure(status == 407 ? Fault::kCredential : Fault::kProxyStatus,
              absl::PermissionDeniedError(absl::StrCat("it answered CONNECT ", authority, " with ",
                                                       answer.substr(9, answer.find('\r') - 9))),
              proxy);
  failure.status = status;
  co_return failure;
}

}  // namespace thaw
