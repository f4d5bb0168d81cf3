// The machine's network: TCP by the event loop, names by c-ares on the same loop. Nothing blocks, and no
// thread but the loop's is used.

#ifndef THAW_CC_NET_IO_TCP_NETWORK_H_
#define THAW_CC_NET_IO_TCP_NETWORK_H_

#include <memory>

#include "cc/net/io/dns_options.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/transport.h"

namespace thaw {

// `loop` must outlive the network, and the network what it connected. Looking a name up reads
// /etc/hosts and /etc/resolv.conf, at the first lookup and not before.
std::unique_ptr<Network> MakeTcpNetwork(EventLoop& loop, DnsOptions dns = {});

}  // namespace thaw

#endif  // THAW_CC_NET_IO_TCP_NETWORK_H_
