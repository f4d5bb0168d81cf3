// Adds TLS to an open stream. A dialer uses it on a direct connection or in a proxy's tunnel.
//
//   TlsTarget target{.destination = destination, .server_name = destination.host};
//   TlsResult result = co_await tls.Handshake(std::move(tcp), target, cancellation);
//
// MakeTlsConnector() of cc/net/tls/boring_tls_connector.h makes the real one. One thread: the executor's.

#ifndef THAW_CC_NET_TLS_CONNECTOR_H_
#define THAW_CC_NET_TLS_CONNECTOR_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/destination.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http_protocol.h"
#include "cc/net/transport.h"

namespace thaw {

struct TlsTarget {
  Destination destination;  // the destination of the connection (for TLS to a proxy: the proxy itself)
  // The name that the certificate must contain: a host name, with or without a final dot, or an IP literal.
  std::string server_name;
  std::string proxy;  // "host:port" of the proxy that the stream goes through; "" if direct
  // The protocols offered by ALPN, the preferred one first. None: no such extension is sent.
  std::vector<std::string> protocols = OnlyHttp11();
};

struct TlsResult {
  std::unique_ptr<Transport> transport;    // null if the handshake failed
  std::optional<ExchangeFailure> failure;  // phase kTls; fault, error are set
  bool resumed = false;                    // an earlier session was resumed: no certificate was sent
  std::string protocol{kHttp11};           // the one of the target's that the server chose; kHttp11 if none
};

class TlsConnector {
 public:
  virtual ~TlsConnector() = default;

  // Runs the client's handshake over `lower`. The connector must outlive the task and the transports that it
  // returned. Ends early when `cancellation` is requested: with fault kTimeout if its reason is
  // DeadlineExceeded, else kCancelled.
  virtual Task<TlsResult> Handshake(std::unique_ptr<Transport> lower, TlsTarget target,
                                    Cancellation& cancellation) = 0;

  // Forgets all sessions, also those that open connections may still receive: a restored snapshot must not
  // share them with its clones.
  virtual void Forget() = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_CONNECTOR_H_
