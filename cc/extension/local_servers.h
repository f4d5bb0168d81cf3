// Keeps the local HTTP servers, each by its name, in the order in which they were bound.
//
//   LocalServers servers(loop, server_options);
//   servers.Bind("traces", "traces", {.address = "127.0.0.1", .port = 8126});
//   servers.Serve("traces", receiver.Routes());
//   servers.Quiesce();   // before a freeze
//   servers.Resume();    // after it
//
// Connections that come between Bind and Serve wait in the kernel's queue.
//
// One thread: the loop's.

#ifndef THAW_CC_EXTENSION_LOCAL_SERVERS_H_
#define THAW_CC_EXTENSION_LOCAL_SERVERS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cc/agent/http_route.h"
#include "cc/agent/http_server.h"
#include "cc/net/datagrams.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/tcp_listener.h"
#include "cc/net/io/udp_datagrams.h"
#include "cc/net/listener.h"

namespace thaw {

struct LocalServer {
  std::string name;
  std::unique_ptr<Listener> listener;  // null once it is served, and if the port is taken
  std::unique_ptr<HttpServer> server;  // null until it is served
};

class LocalServers {
 public:
  // `loop` must outlive the servers.
  LocalServers(EventLoop& loop, HttpServerOptions options) : loop_(loop), options_(options) {}
  LocalServers(const LocalServers&) = delete;
  LocalServers& operator=(const LocalServers&) = delete;

  // Binds the port of a server. If the port is taken, `what` can't be received, which is logged once.
  void Bind(std::string name, std::string_view what, const TcpListenOptions& at);
  // Binds a port for datagrams, which wait in the kernel until they are received. Returns null if the port is
  // taken: `what` can't be received then, which is logged once.
  std::unique_ptr<Datagrams> BindDatagrams(std::string_view what, const UdpOptions& at) const;
  // Begins to serve the routes where the server of this name was bound.
  void Serve(std::string_view name, std::vector<HttpRoute> routes);

  void Quiesce();
  void Resume();
  // Memory is needed elsewhere: closes a connection whose request takes room and has stood still for a while.
  // Returns false if there is none.
  bool GiveWay();

  const std::vector<LocalServer>& all() const { return servers_; }

 private:
  EventLoop& loop_;
  const HttpServerOptions options_;
  std::vector<LocalServer> servers_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_LOCAL_SERVERS_H_
