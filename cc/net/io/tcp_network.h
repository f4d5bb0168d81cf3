// The machine's network: TCP and name resolution (c-ares) on the event loop. Nothing blocks, and only the
// loop's thread is used.

#ifndef THAW_CC_NET_IO_TCP_NETWORK_H_
#define THAW_CC_NET_IO_TCP_NETWORK_H_

#include <memory>

#include "cc/net/io/dns_options.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/network.h"

namespace thaw {

// `loop` must outlive the network, and the network its connections. The first lookup reads /etc/hosts and
// /etc/resolv.conf.
std::unique_ptr<Network> MakeTcpNetwork(EventLoop& loop, DnsOptions dns = {});

}  // namespace thaw

#endif  // THAW_CC_NET_IO_TCP_NETWORK_H_
