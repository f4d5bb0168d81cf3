// Opens connections: resolve, connect, proxy, TLS, as one step with one outcome.
//
// The seam under the pool: StackDialer is the real one; the simulation has one whose TLS is a scripted
// phase.

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
#include "cc/net/transport.h"

namespace thaw {

struct DialResult {
  // The stream a request goes over (TLS inside, where there is TLS); null if the dial failed.
  std::unique_ptr<Transport> transport;
  // Why it failed: phase (resolve, connect, proxy, tls), fault, addresses, status, error are set.
  std::optional<ExchangeFailure> failure;
  absl::Duration took;
  // The proxy wants requests in absolute form (an http:// destination through a proxy), with these.
  bool absolute_form = false;
  std::string proxy_authorization;  // the header's value; empty: none
};

class Dialer {
 public:
  virtual ~Dialer() = default;

  // Ends early when `cancellation` is requested: fault kTimeout if its reason is DeadlineExceeded, else
  // kCancelled.
  virtual Task<DialResult> Dial(Destination destination, Cancellation& cancellation) = 0;

  // Names and sessions that must not outlive a restore (SnapStart) are forgotten.
  virtual void Forget() = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_DIALER_H_
