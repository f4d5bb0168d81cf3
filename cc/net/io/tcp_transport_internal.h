// A connected TCP socket as a Transport: what dialling and listening have in common. For the sources of this
// folder only. One thread: the loop's.

#ifndef THAW_CC_NET_IO_TCP_TRANSPORT_INTERNAL_H_
#define THAW_CC_NET_IO_TCP_TRANSPORT_INTERNAL_H_

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "cc/net/io/event_loop.h"
#include "cc/net/transport.h"

namespace thaw {

// `socket` is connected, belongs to the loop's io_context and doesn't block. `loop` must outlive the result.
std::unique_ptr<Transport> MakeTcpTransport(EventLoop& loop, boost::asio::ip::tcp::socket socket);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_TCP_TRANSPORT_INTERNAL_H_
