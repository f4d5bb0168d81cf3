// Opens a tunnel through a proxy (CONNECT, RFC 9110 section 9.3.6).

#ifndef THAW_CC_NET_DIAL_PROXY_CONNECT_H_
#define THAW_CC_NET_DIAL_PROXY_CONNECT_H_

#include <cstddef>
#include <optional>
#include <string>

#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/destination.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/transport.h"

namespace thaw {

// Sends CONNECT over `transport` and reads exactly the head of the answer, behind any 1xx: everything after
// it belongs to the tunnel, whatever the head says about a body. The head is read as Http1Parser reads
// answers. `userinfo` ("user:password") becomes Basic credentials; `proxy` is the proxy's name for errors,
// without credentials. A head longer than `max_head_bytes` opens no tunnel. Returns nullopt if the tunnel is
// open. Faults: kCredential (407), kProxyStatus (another status that is not 2xx), kProtocol (not HTTP, or too
// long), kEnd, kReset, kTimeout or kCancelled by the cancellation.
Task<std::optional<ExchangeFailure>> ConnectThroughProxy(Transport& transport, Destination destination,
                                                         std::string userinfo, std::string proxy,
                                                         size_t max_head_bytes, Cancellation& cancellation);

}  // namespace thaw

#endif  // THAW_CC_NET_DIAL_PROXY_CONNECT_H_
