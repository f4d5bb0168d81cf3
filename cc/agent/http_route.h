// The requests that a server takes, and their handlers.

#ifndef THAW_CC_AGENT_HTTP_ROUTE_H_
#define THAW_CC_AGENT_HTTP_ROUTE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "cc/agent/http_exchange.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"

namespace thaw {

// The treatment of a request whose body is longer than its route allows.
enum class TooLarge {
  kRefuse,        // 413
  kLeaveOutBody,  // the handler gets the request without its body
};

struct HttpRoute {
  // Runs inside the turn of the loop that brought the request's last byte: answers at once, or calls
  // HttpReply::Defer() if the route also has a task handler.
  using Handler = absl::AnyInvocable<void(HttpServerRequest&, HttpReply&)>;
  // Handles requests that have to wait. The cancellation is requested at the deadline and when the server
  // closes; the task must then end soon, and until it has, request and reply stay valid.
  using TaskHandler = absl::AnyInvocable<Task<void>(HttpServerRequest&, HttpReply&, Cancellation&)>;

  std::string path;  // the whole path, without query
  // The route takes every path that begins with `path`, which ends with a slash, unless that path has a route of
  // its own.
  bool with_paths_below = false;
  std::vector<std::string> methods;  // empty: any
  size_t max_body_bytes = 0;         // limit of the body as the handler gets it
  TooLarge too_large = TooLarge::kRefuse;
  // Decodes bodies in gzip or zstd; off: the handler gets them as they were sent, with their header.
  bool decode_body = true;
  // At least one of the two is set.
  Handler handler;
  TaskHandler task_handler;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_ROUTE_H_
