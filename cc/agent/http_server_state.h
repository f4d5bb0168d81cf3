// The state that the connections of one local HTTP server share with it and with each other.
//
// One thread: the executor's.

#ifndef THAW_CC_AGENT_HTTP_SERVER_STATE_H_
#define THAW_CC_AGENT_HTTP_SERVER_STATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "cc/agent/http_route.h"
#include "cc/agent/http_server_counts.h"
#include "cc/agent/http_server_options.h"
#include "cc/base/byte_account.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"

namespace thaw {

struct HttpServerState {
  HttpServerState(Executor& executor_in, Clock& clock_in, HttpServerOptions options_in)
      : executor(executor_in), clock(clock_in), options(options_in) {}

  Executor& executor;
  Clock& clock;
  const HttpServerOptions options;
  // Returns the route of a path; nullptr if there is none.
  HttpRoute* FindRoute(std::string_view path) {
    if (const auto route = routes.find(path); route != routes.end()) return &route->second;
    for (HttpRoute& route : routes_with_paths_below)
      if (absl::StartsWith(path, route.path)) return &route;
    return nullptr;
  }

  // By path; not changed once there is a connection.
  absl::flat_hash_map<std::string, HttpRoute> routes;
  std::vector<HttpRoute> routes_with_paths_below;
  HttpServerCounts counts;
  // Room for incoming bytes that do not fit into the connections' buffers. The server adds to it for a
  // connection (SetAside), which subtracts what it no longer needs.
  ChargedBytes incoming_bytes{options.account};
  // The number of connections that keep a large buffer between their requests; they count themselves.
  int large_buffers_kept = 0;
  // Whether the last resume is less than resume_grace ago; the server sets it.
  bool resumed_lately = false;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_STATE_H_
