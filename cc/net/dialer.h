// Opens connections: resolve, connect, proxy, TLS, as one step with one outcome.
//
// The pool depends on this interface. StackDialer is the real implementation; the simulation has one with a
// scripted TLS phase.

#ifndef THAW_CC_NET_DIALER_H_
#define THAW_CC_NET_DIALER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/destination.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/exchange_times.h"
#include "cc/net/http_protocol.h"
#include "cc/net/transport.h"

namespace thaw {

struct DialResult {
  // The stream that requests use (TLS if the destination needs it); null if the dial failed.
  std::unique_ptr<Transport> transport;
  // The reason why the dial failed: phase (resolve, connect, proxy, tls), fault, addresses, status and error
  // are set.
  std::optional<ExchangeFailure> failure;
  absl::Duration took;
  DialTimes times;  // the parts of it that were finished
  // The version of HTTP on which both sides agreed, as ALPN names it.
  std::string protocol{kHttp11};
  // The proxy needs requests in absolute form (an http:// destination through a proxy), with this header.
  bool absolute_form = false;
  std::string proxy_authorization;  // the header's value; empty: no such header
};

class Dialer {
 public:
  virtual ~Dialer() = default;

  // Ends early when `cancellation` is requested: with fault kTimeout if its reason is DeadlineExceeded, else
  // kCancelled.
  virtual Task<DialResult> Dial(Destination destination, Cancellation& cancellation) = 0;

  // Forgets resolved names and TLS sessions, which must not outlive a restore from a snapshot (SnapStart).
  virtual void Forget() = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_DIALER_H_
