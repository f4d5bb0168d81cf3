// The local HTTP server: takes requests from the tracers and runtimes of this sandbox and passes them to
// handlers. It knows nothing of the routes' meaning.
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
// Every input ends in a counted answer or a counted close, and costs its own connection at most:
//   * heads, bodies and decoded bodies are bounded, by route and by the sum of all incoming requests. Room is
//     given to bytes that came, not to bytes that were promised;
//   * a client that stops halfway, or does not read, has a deadline. Its connection is closed at once when
//     another one needs the connection or its room, and small requests always find some room;
//   * a request that is refused before its body came is answered at once; its body is then read and discarded
//     for a while, so that the client sees the answer and not a reset;
//   * at the connection limit the connection that has been without progress longest is closed, else the
//     longest idle one, those that never brought anything before the others; if a handler works for each of
//     them, new connections wait.
//
// A tracer must not find a connection dead that it had every reason to trust. So idle time is active time (a
// freeze does not count). Within a second of a resume, no connection is closed for idleness that was idle
// before the freeze; a connection with bytes waiting never is. A few more connections may exist meanwhile.
//
// One thread: the executor's.

#ifndef THAW_CC_AGENT_HTTP_SERVER_H_
#define THAW_CC_AGENT_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cc/agent/http_route.h"
#include "cc/agent/http_server_counts.h"
#include "cc/agent/http_server_options.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/listener.h"

namespace thaw {

class HttpServer {
 public:
  // `options` must be valid. Executor and clock must outlive the server's connections, which end within a
  // turn of the loop after Close(); objects that handlers refer to must outlive the server and its tasks.
  HttpServer(Executor& executor, Clock& clock, HttpServerOptions options, std::vector<HttpRoute> routes);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // Takes connections from a listener until StopAccepting(). Call it at least once; several listeners may be
  // served.
  void Serve(std::unique_ptr<Listener> listener);

  // The environment is about to be frozen: cancels alarms that would only wake a process that waits to be
  // frozen. Connections that Resume() spares are spared until a second after the next resume.
  void Quiesce();
  // The environment was frozen and runs again.
  void Resume();

  // Memory is needed elsewhere: closes the connection whose request takes room and has stood still for longest.
  // Returns false if there is none that has stood still for a while.
  bool GiveWay();

  // Takes no new connections; listeners close in the next turn of the loop. Open connections are served on.
  void StopAccepting();

  // Ends everything; requests without an answer get none. Idempotent.
  void Close();

  int connections() const;
  // Returns the bytes set aside for incoming requests that don't fit into the connections' buffers.
  size_t incoming_bytes() const;
  const HttpServerCounts& counts() const;

 private:
  struct Core;
  const std::shared_ptr<Core> core_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_H_
