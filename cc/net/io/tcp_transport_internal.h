// A connected TCP socket as a Transport, shared by dialling and listening. For the sources of this folder
// only. One thread: the loop's.

#ifndef THAW_CC_NET_IO_TCP_TRANSPORT_INTERNAL_H_
#define THAW_CC_NET_IO_TCP_TRANSPORT_INTERNAL_H_

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "cc/net/io/event_loop.h"
#include "cc/net/transport.h"

namespace thaw {

// `socket` is connected, non-blocking and belongs to the loop's io_context. `loop` must outlive the result.
std::unique_ptr<Transport> MakeTcpTransport(EventLoop& loop, boost::asio::ip::tcp::socket socket);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_TCP_TRANSPORT_INTERNAL_H_
