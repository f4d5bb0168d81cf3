// Listens for TCP connections on the event loop. IPv4.
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
  uint16_t port = 0;  // 0: the system chooses one; Listener::port() says which
  // Connections that the kernel completes before they are accepted. A function starts more than one tracer at
  // once, and while the environment is frozen nobody accepts. A client that finds no place tries again after
  // a second.
  int backlog = 1024;
};

// The port is taken when this returns, so that a client may connect before anybody accepts. InvalidArgument:
// the address is no IPv4 address; Unavailable: it can't be listened on, with the system's reason. `loop` must
// outlive the listener and what it accepts.
absl::StatusOr<std::unique_ptr<Listener>> ListenOnTcp(EventLoop& loop, const TcpListenOptions& options);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_TCP_LISTENER_H_
