// Which requests a server takes, and what handles them.

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

// What becomes of a request whose body is longer than its route takes.
enum class TooLarge {
  kRefuse,        // 413
  kLeaveOutBody,  // the handler gets the request without it
};

struct HttpRoute {
  // Runs inside the turn of the loop that brought the request's last byte: answers at once, or calls
  // HttpReply::Defer() where the route has a task handler, too.
  using Handler = absl::AnyInvocable<void(HttpServerRequest&, HttpReply&)>;
  // For what has to wait. The cancellation is requested at the deadline and when the server closes; the task
  // then ends soon, and until it has, request and reply stay.
  using TaskHandler = absl::AnyInvocable<Task<void>(HttpServerRequest&, HttpReply&, Cancellation&)>;

  std::string path;                  // the whole of it, without query
  std::vector<std::string> methods;  // empty: any
  size_t max_body_bytes = 0;         // of the body as it is given to the handler
  TooLarge too_large = TooLarge::kRefuse;
  // Bodies in gzip or zstd are decoded; off: the handler gets them as they were sent, with their header.
  bool decode_body = true;
  // One of the two at least.
  Handler handler;
  TaskHandler task_handler;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_ROUTE_H_
