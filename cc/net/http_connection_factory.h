// Makes the HTTP connection that speaks the protocol on which a dial agreed.
//
//   absl::StatusOr<std::shared_ptr<HttpConnection>> connection = MakeHttpConnection(
//       executor, clock, std::move(dialled), options, counts, [](const HttpConnection*) { ... });

#ifndef THAW_CC_NET_HTTP_CONNECTION_FACTORY_H_
#define THAW_CC_NET_HTTP_CONNECTION_FACTORY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/dialer.h"
#include "cc/net/http_connection.h"

namespace thaw {

// Takes over the stream of a dial that succeeded. Returns Unimplemented if its protocol is none of
// kHttpProtocols. `executor`, `clock`, `options` and `counts` must outlive the connection.
absl::StatusOr<std::shared_ptr<HttpConnection>> MakeHttpConnection(
    Executor& executor, Clock& clock, DialResult dialled, const ClientOptions& options,
    ExchangeCounts& counts, HttpConnection::OnIdleClosed on_idle_closed);

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP_CONNECTION_FACTORY_H_
