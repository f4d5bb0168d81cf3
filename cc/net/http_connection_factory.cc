#include "cc/net/http_connection_factory.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/net/http1_connection.h"
#include "cc/net/http_protocol.h"

namespace thaw {

absl::StatusOr<std::shared_ptr<HttpConnection>> MakeHttpConnection(
    Executor& executor, Clock& clock, DialResult dialled, const ClientOptions& options,
    ExchangeCounts& counts, HttpConnection::OnIdleClosed on_idle_closed) {
  if (dialled.protocol == kHttp11) {
    RequestForm form{.absolute = dialled.absolute_form,
                     .proxy_authorization = std::move(dialled.proxy_authorization)};
    return Http1Connection::Start(executor, clock, std::move(dialled.transport), std::move(form), options,
                                  counts, std::move(on_idle_closed));
  }
  return absl::UnimplementedError(absl::StrCat("the server agreed on protocol \"", dialled.protocol,
                                               "\", which this client does not speak"));
}

}  // namespace thaw
