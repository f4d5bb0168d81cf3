// The local HTTP server: takes requests from the tracers and runtimes of this sandbox and gives them to
// handlers. What a route means is not known here.
//
//   std::vector<HttpRoute> routes;
//   routes.push_back({.path = "/info", .handler = [](HttpServerRequest&, HttpReply& reply) {
//                       reply.Set(200, kJsonType, "{}");
//                     }});
//   HttpServer server(executor, clock, HttpServerOptions(), std::move(routes));
//   server.Serve(std::move(listener));
//   ... server.Quiesce();  // before each freeze
//   ... server.Resume();   // after it
//
// The usual request costs one read, one parse in place, the handler inside the same turn of the loop, and one
// write; buffers belong to the connection and nothing is allocated for a request whose body fits into them.
//
// Whatever comes in ends in a counted answer or a counted close, and costs its own connection at most:
//   * heads, bodies and what bodies decode to are bounded, each route has its limit, and so has the sum of
//     all requests that are coming in. Room is given to bytes that came, not to those that are promised;
//   * a client that stops halfway, or does not read, has a deadline. It gives way at once where another one
//     needs its connection or its room, and small requests find some always;
//   * what is refused before its body came is answered at once; the body is then read and thrown away for a
//     while, so that the client sees the answer and not a reset;
//   * at the connection limit the one is closed that has been without progress longest, else the longest idle
//     one, of those that never brought anything before the others; if a handler works for each of them, new
//     ones wait.
//
// A tracer must not find a connection dead that it had every reason to trust: idle time is active time (a
// freeze does not count), and no connection is closed for being idle within a second of a resume, if it was
// idle before the freeze, or with bytes waiting. There may be a few more connections meanwhile.
//
// One thread: the executor's.

#ifndef THAW_CC_AGENT_HTTP_SERVER_H_
#define THAW_CC_AGENT_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cc/agent/http_route.h"
#include "cc/agent/http_server_counters.h"
#include "cc/agent/http_server_options.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/listener.h"

namespace thaw {

class HttpServer {
 public:
  // `options` must be valid. Executor and clock must outlive the server's connections, which end within a
  // turn of the loop after Close(); what handlers refer to must outlive the server, and its tasks.
  HttpServer(Executor& executor, Clock& clock, HttpServerOptions options, std::vector<HttpRoute> routes);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // Takes connections from a listener until StopAccepting(). One at least; several may be served.
  void Serve(std::unique_ptr<Listener> listener);

  // The environment is given up to a freeze: no alarm is left that would only wake a process that waits to be
  // frozen. What Resume() spares is spared until a second after the next one.
  void Quiesce();
  // The environment was frozen and goes on.
  void Resume();

  // No new connections; listeners close in the next turn of the loop. The open ones are served on.
  void StopAccepting();

  // Ends everything; requests that are not answered by now aren't. Idempotent.
  void Close();

  int connections() const;
  // Bytes set aside for requests that are coming in and don't fit into the connections' buffers.
  size_t incoming_bytes() const;
  const HttpServerCounters& counters() const;

 private:
  struct Core;
  const std::shared_ptr<Core> core_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_H_
