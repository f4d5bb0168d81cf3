// Listens for TCP connections on the event loop. IPv4 only.
//
//   THAW_ASSIGN_OR_RETURN(std::unique_ptr<Listener> listener, ListenOnTcp(loop, {.port = 8126}));

#ifndef THAW_CC_NET_IO_TCP_LISTENER_H_
#define THAW_CC_NET_IO_TCP_LISTENER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/listener.h"

namespace thaw {

struct TcpListenOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: the system chooses one; Listener::port() returns it
  // The number of connections that the kernel completes before they are accepted. A function may start
  // several tracers at once, and nothing is accepted while the environment is frozen. A client that finds the
  // queue full tries again after a second.
  int backlog = 1024;
};

// The port is open when this returns, so that a client may connect before Accept is called. Returns
// InvalidArgument if the address is not an IPv4 address, and Unavailable, with the system's reason, if it
// can't be listened on. `loop` must outlive the listener and the connections it accepts.
absl::StatusOr<std::unique_ptr<Listener>> ListenOnTcp(EventLoop& loop, const TcpListenOptions& options);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_TCP_LISTENER_H_
