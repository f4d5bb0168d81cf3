#include "cc/agent/lifecycle_receiver.h"

#include <string>
#include <string_view>
#include <utility>

#include "cc/base/reserve.h"

namespace thaw {
namespace {

// Returns an upper bound of an event's tree: its texts once, or three times if they have escapes and are
// assembled first, and a bounded number of values.
size_t TreeBytes(std::string_view event) {
  constexpr size_t kValues = size_t{1} << 20;
  return event.size() * (event.find('\\') == std::string_view::npos ? 1 : 3) + kValues;
}

}  // namespace

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
  ByteCharge charge(account_);
  bool has_room = true;
  if (request.body.size() >= kLargeAllocation) {
    const size_t tree = TreeBytes(request.body);
    has_room = charge.Grow(tree).ok() && CanAllocate(tree);
  }
  const HttpHeaders headers(request.headers->begin(), request.headers->end());
  const LifecycleReply answer = endpoints_.Handle({.method = request.method,
                                                   .path = request.path,
                                                   .headers = headers,
                                                   .body = has_room ? request.body : "",
                                                   .body_over_limit = request.body_left_out || !has_room});
  reply.Set(answer.status, kJsonType, answer.body);
  for (const auto& [name, value] : answer.headers) reply.AddHeader(name, value);
  if (on_call_) on_call_();
}

}  // namespace thaw
