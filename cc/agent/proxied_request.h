// Forwards tracers' requests for other intakes than that of traces: data streams, profiles, LLM
// observability, debugger, the tracers' own telemetry. A request keeps its body, its query and the headers
// that are not about the connection.
//
//   const ProxyRoute& route = ProxyRoutes()[0];   // the server has one route for each
//   ProxiedRequest proxied = MakeProxiedRequest(route, request, "_dd.origin:lambda;functionname:checkout");

#ifndef THAW_CC_AGENT_PROXIED_REQUEST_H_
#define THAW_CC_AGENT_PROXIED_REQUEST_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "cc/agent/http_exchange.h"
#include "cc/flush/encoded_request.h"

namespace thaw {

struct ProxyRoute {
  std::string_view path;         // at this agent
  std::string_view host_prefix;  // the intake is at https://<host_prefix>.<site>
  std::string_view intake_path;  // at the intake
  std::string_view context;      // names the kind of data in the answer to the tracer
  size_t max_body_bytes = 0;
};

absl::Span<const ProxyRoute> ProxyRoutes();

struct ProxiedRequest {
  const ProxyRoute* route = nullptr;
  // Target, headers and body for the intake; without the API key and without payload ids.
  EncodedRequest request;
};

// Takes the request's body. `additional_tags`: "key:value;key:value"; the sender's value stays for a key that
// it has tagged itself.
ProxiedRequest MakeProxiedRequest(const ProxyRoute& route, HttpServerRequest& request,
                                  std::string_view additional_tags);

}  // namespace thaw

#endif  // THAW_CC_AGENT_PROXIED_REQUEST_H_
