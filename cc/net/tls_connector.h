// TLS over an open stream: what a dialer calls once it has one, directly or through a proxy's tunnel.
//
//   TlsTarget target{.destination = destination, .server_name = destination.host};
//   TlsResult result = co_await tls.Handshake(std::move(tcp), target, cancellation);
//
// MakeTlsConnector() of cc/net/tls/make_tls_connector.h gives the real one. One thread: the executor's.

#ifndef THAW_CC_NET_TLS_CONNECTOR_H_
#define THAW_CC_NET_TLS_CONNECTOR_H_

#include <memory>
#include <optional>
#include <string>

#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/destination.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/transport.h"

namespace thaw {

struct TlsTarget {
  Destination destination;  // what the connection is for (of a TLS proxy: the proxy itself)
  // The name the certificate must bear: a host name, with or without its final dot, or an IP literal.
  std::string server_name;
  std::string proxy;  // "host:port" of the proxy the stream goes through; "" if it is direct
};

struct TlsResult {
  std::unique_ptr<Transport> transport;    // null if the handshake failed
  std::optional<ExchangeFailure> failure;  // phase kTls; fault, error are set
  bool resumed = false;                    // an earlier session went on: no certificate was sent
};

class TlsConnector {
 public:
  virtual ~TlsConnector() = default;

  // Shakes hands over `lower` as its client. The connector must outlive the task and the transports it
  // gave. Ends early when `cancellation` is requested: fault kTimeout if its reason is
  // DeadlineExceeded, else kCancelled.
  virtual Task<TlsResult> Handshake(std::unique_ptr<Transport> lower, TlsTarget target,
                                    Cancellation& cancellation) = 0;

  // Forgets all sessions, also those that open connections may still bring: a restored snapshot must
  // not share them with its clones.
  virtual void Forget() = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_CONNECTOR_H_
