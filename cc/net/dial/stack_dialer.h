// The real dialer. It takes these steps, one after the other:
//
//            direct                  through a proxy
//   resolve  the destination's host  the proxy's host; the proxy resolves the destination's name
//   connect  RFC 8305 race           RFC 8305 race
//   proxy    -                       TLS to an https:// proxy, then CONNECT (https destinations)
//   tls      https destinations      https destinations, inside the tunnel, with the same roots

#ifndef THAW_CC_NET_DIAL_STACK_DIALER_H_
#define THAW_CC_NET_DIAL_STACK_DIALER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/dialer.h"
#include "cc/net/network.h"
#include "cc/net/tls_connector.h"

namespace thaw {

// Returns InvalidArgument for a proxy URL that doesn't parse. Reference arguments must outlive the dialer.
absl::StatusOr<std::unique_ptr<Dialer>> MakeStackDialer(Executor& executor, Clock& clock, Network& network,
                                                        std::unique_ptr<TlsConnector> tls,
                                                        const ClientOptions& options,
                                                        ConnectionCounts& counts);

}  // namespace thaw

#endif  // THAW_CC_NET_DIAL_STACK_DIALER_H_
