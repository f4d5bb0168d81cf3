#include "cc/net/dial/proxy_connect.h"

#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cc/net/http1_parser.h"
#include "cc/net/http_message.h"

namespace thaw {
namespace {

constexpr size_t kShownBytes = 128;

// Escapes text from the peer for the log.
std::string Shown(std::string_view text) { return absl::CHexEscape(text.substr(0, kShownBytes)); }

// Describes a status that is not 2xx, with the proxy's reason and the credentials that it asks for.
ExchangeFailure Refusal(Http1Parser& parser, std::string_view authority, std::string_view where) {
  const HttpResponse& answer = parser.response();
  std::string text = absl::StrCat("it answered CONNECT ", authority, " with ", answer.status,
                                  parser.reason().empty() ? "" : " ", Shown(parser.reason()));
  if (const auto wanted = FindHeader(answer.headers, "proxy-authenticate")) {
    absl::StrAppend(&text, " (it wants ", Shown(*wanted), ")");
  }
  const Fault fault = answer.status == 407 ? Fault::kCredential : Fault::kProxyStatus;
  ExchangeFailure failure = MakeFailure(Phase::kProxy, fault, where, absl::PermissionDeniedError(text));
  failure.status = answer.status;
  return failure;
}

}  // namespace

Task<std::optional<ExchangeFailure>> ConnectThroughProxy(Transport& transport, Destination destination,
                                                         std::string userinfo, std::string proxy,
                                                         size_t max_head_bytes, Cancellation& cancellation) {
  const std::string authority = Authority(destination);
  const std::string where = absl::StrCat("proxy ", proxy);
  std::string head = absl::StrCat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n");
  if (!userinfo.empty()) {
    absl::StrAppend(&head, "Proxy-Authorization: ", BasicCredentials(userinfo), "\r\n");
  }
  absl::StrAppend(&head, "\r\n");

  // Closing ends any pending operation.
  const auto registration = cancellation.OnRequest([&transport](const absl::Status&) { transport.Close(); });
  const auto failed = [&](const absl::Status& status) {
    const Fault fault = absl::IsOutOfRange(status) ? Fault::kEnd : Fault::kReset;
    return MakeFailure(Phase::kProxy, fault, where, status, cancellation);
  };
  for (std::string_view rest = head; !rest.empty();) {
    const IoResult written = co_await transport.Write(rest);
    if (!written.status.ok()) co_return failed(written.status);
    rest.remove_prefix(written.bytes);
  }
  // The head is read byte by byte: what follows it belongs to the tunnel, and bytes can't be given back. It
  // is one head of some hundred bytes per connection.
  const Http1Parser::Limits limits = {
      .head_bytes = max_head_bytes, .body_kept_bytes = 0, .body_drained_bytes = 0};
  Http1Parser parser(limits, Http1Parser::AnswerTo::kConnect);
  while (parser.state() == Http1Parser::State::kHead) {
    char byte;
    const IoResult read = co_await transport.Read(absl::MakeSpan(&byte, 1));
    if (!read.status.ok()) co_return failed(read.status);
    parser.Put(std::string_view(&byte, 1));
  }
  const bool success = parser.head_complete() && parser.response().status / 100 == 2;
  // The end of a head that is too long isn't known, so neither is the beginning of the tunnel.
  if (success && parser.state() == Http1Parser::State::kDone) co_return std::nullopt;
  if (parser.head_complete() && !success) co_return Refusal(parser, authority, where);
  co_return MakeFailure(
      Phase::kProxy, Fault::kProtocol, where,
      absl::InvalidArgumentError(absl::StrCat("its answer to CONNECT: ", parser.error().message())));
}

}  // namespace thaw
