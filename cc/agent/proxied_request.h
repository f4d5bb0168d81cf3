// Forwards tracers' requests for other intakes than that of traces: data streams, profiles, LLM
// observability, debugger, the tracers' own telemetry, and any other intake of events (the EVP proxy). A
// request keeps its body, its query and the headers that are not about the connection.
//
//   const ProxyRoute& route = ProxyRoutes()[0];   // the server has one route for each
//   absl::StatusOr<ProxiedRequest> proxied =
//       MakeProxiedRequest(route, request, {.tags = "_dd.origin:lambda;functionname:checkout"});
//
// The EVP proxy takes any path below /evp_proxy/v2/ and /evp_proxy/v4/. The header X-Datadog-EVP-Subdomain names
// the intake's host within the site. Few headers are forwarded, which /info lists. The request is delivered
// with the next flush; the intake's answer, also that to a GET, doesn't come back to the tracer.

#ifndef THAW_CC_AGENT_PROXIED_REQUEST_H_
#define THAW_CC_AGENT_PROXIED_REQUEST_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cc/agent/http_exchange.h"
#include "cc/flush/encoded_request.h"

namespace thaw {

struct ProxyRoute {
  std::string_view path;         // at this agent
  std::string_view host_prefix;  // the intake is at https://<host_prefix>.<site>; empty: a header names it
  std::string_view intake_path;  // at the intake
  std::string_view context;      // names the kind of data in the answer to the tracer
  size_t max_body_bytes = 0;

  // Returns whether the route is for every path below `path`, of which the rest follows `intake_path`.
  bool with_paths_below() const { return path.ends_with('/'); }
  // Returns whether the route is a general EVP proxy.
  bool is_general() const { return host_prefix.empty(); }
};

absl::Span<const ProxyRoute> ProxyRoutes();

// The headers of a request that the general EVP proxy forwards.
absl::Span<const std::string_view> EvpForwardedHeaders();

struct ProxiedRequest {
  std::string host_prefix;  // as in ProxyRoute
  // Target, headers and body for the intake; without the API key and without payload ids.
  EncodedRequest request;
};

// The values that this agent adds to a request.
struct ProxyAdditions {
  // "key:value;key:value"; the sender's value stays for a key that it has tagged itself.
  std::string_view tags;
  // The values of X-Datadog-AgentDefaultEnv and Via, for the EVP proxy; empty: no header.
  std::string_view env;
  std::string_view via;
};

// Takes the request's body. Returns InvalidArgument, and takes nothing, if a general EVP proxy can't forward it:
// no subdomain, one with a character that is not a letter, digit, dot, dash or underscore, or a path with one
// that is neither these nor a slash nor a plus sign.
absl::StatusOr<ProxiedRequest> MakeProxiedRequest(const ProxyRoute& route, HttpServerRequest& request,
                                                  const ProxyAdditions& additions);

}  // namespace thaw

#endif  // THAW_CC_AGENT_PROXIED_REQUEST_H_
