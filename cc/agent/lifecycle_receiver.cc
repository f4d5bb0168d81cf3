#include "cc/agent/lifecycle_receiver.h"

#include <string>
#include <utility>

namespace thaw {

std::vector<HttpRoute> LifecycleReceiver::Routes() {
  std::vector<HttpRoute> routes;
  const auto add = [&](std::string path, std::string method) {
    routes.push_back(
        {.path = std::move(path),
         .methods = {std::move(method)},
         .max_body_bytes = kMaxLifecycleBody,
         .too_large = TooLarge::kLeaveOutBody,
         .handler = [this](HttpServerRequest& request, HttpReply& reply) { Take(request, reply); }});
  };
  add("/lambda/start-invocation", "POST");
  add("/lambda/end-invocation", "POST");
  add("/lambda/hello", "GET");
  return routes;
}

void LifecycleReceiver::Take(HttpServerRequest& request, HttpReply& reply) {
  const HttpHeaders headers(request.headers->begin(), request.headers->end());
  const LifecycleReply answer = lifecycle_.Handle({.method = request.method,
                                                   .path = request.path,
                                                   .headers = headers,
                                                   .body = request.body,
                                                   .body_over_limit = request.body_left_out});
  reply.Set(answer.status, kJsonType, answer.body);
  for (const auto& [name, value] : answer.headers) reply.AddHeader(name, value);
}

}  // namespace thaw
