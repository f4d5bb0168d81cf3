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

// The longest body that is parsed within one turn of the loop; a longer one is parsed in steps of this many
// bytes.
constexpr size_t kStepBytes = size_t{256} << 10;

}  // namespace

std::vector<HttpRoute> LifecycleReceiver::Routes() {
  std::vector<HttpRoute> routes;
  const auto add = [&](std::string path, std::string method) {
    routes.push_back(
        {.path = std::move(path),
         .methods = {std::move(method)},
         .max_body_bytes = kMaxLifecycleBody,
         .too_large = TooLarge::kLeaveOutBody,
         .handler = [this](HttpServerRequest& request, HttpReply& reply) { TakeAtOnce(request, reply); },
         .task_handler = [this](HttpServerRequest& request, HttpReply& reply,
                                Cancellation& cancellation) { return Take(request, reply, cancellation); }});
  };
  add("/lambda/start-invocation", "POST");
  add("/lambda/end-invocation", "POST");
  add("/lambda/hello", "GET");
  return routes;
}

void LifecycleReceiver::TakeAtOnce(HttpServerRequest& request, HttpReply& reply) {
  if (request.body.size() > kStepBytes) return reply.Defer();
  ByteCharge charge(account_);
  bool has_room = true;
  if (request.body.size() >= kLargeAllocation) {
    const size_t tree = TreeBytes(request.body);
    has_room = charge.Grow(tree).ok() && CanAllocate(tree);
  }
  Answer(request, has_room, /*parsed=*/nullptr, reply);
}

Task<void> LifecycleReceiver::Take(HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation) {
  const Line::Place place = co_await line_.Enter();
  ByteCharge charge(account_);
  const size_t tree = TreeBytes(request.body);
  if (!charge.Grow(tree).ok() || !CanAllocate(tree))
    co_return Answer(request, /*has_body=*/false, /*parsed=*/nullptr, reply);
  EventJsonWork work(request.body);
  while (!work.Step(kStepBytes)) {
    if (cancellation.requested()) co_return Answer(request, /*has_body=*/false, /*parsed=*/nullptr, reply);
    co_await Turn(executor_);
  }
  absl::StatusOr<EventJson> parsed = work.Take();
  Answer(request, /*has_body=*/true, &parsed, reply);
}

void LifecycleReceiver::Answer(const HttpServerRequest& request, bool has_body,
                               absl::StatusOr<EventJson>* parsed, HttpReply& reply) {
  const HttpHeaders headers(request.headers->begin(), request.headers->end());
  const LifecycleReply answer =
      endpoints_.Handle({.method = request.method,
                         .path = request.path,
                         .headers = headers,
                         .body = has_body ? std::string_view(request.body) : std::string_view(),
                         .body_over_limit = request.body_left_out || !has_body,
                         .parsed = parsed});
  reply.Set(answer.status, answer.content_type, answer.body);
  for (const auto& [name, value] : answer.headers) reply.AddHeader(name, value);
  if (on_call_) on_call_();
}

}  // namespace thaw
