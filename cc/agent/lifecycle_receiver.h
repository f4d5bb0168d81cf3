// Receives the calls of tracers and runtimes about invocations: the listener on port 8124.
//
//   LifecycleReceiver receiver(executor, endpoints);
//   HttpServer server(executor, clock, {}, receiver.Routes());
//
// LifecycleEndpoints gives the calls their meaning. An event that is too long, or whose tree does not fit
// into memory, loses only its body. A long event is parsed in steps, between which other work has its turn.
//
// One thread: the server's.

#ifndef THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_
#define THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_

#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "cc/agent/http_route.h"
#include "cc/base/byte_account.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/line.h"
#include "cc/base/task.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"

namespace thaw {

class LifecycleReceiver {
 public:
  // `executor`, `endpoints` and `account` must outlive the receiver. `account`: is charged with events while
  // they are read; may be null. `on_call` is called after each call, within its turn of the loop.
  LifecycleReceiver(Executor& executor, LifecycleEndpoints& endpoints, ByteAccount* account = nullptr,
                    absl::AnyInvocable<void()> on_call = nullptr)
      : executor_(executor),
        endpoints_(endpoints),
        account_(account),
        on_call_(std::move(on_call)),
        line_(executor) {}
  LifecycleReceiver(const LifecycleReceiver&) = delete;
  LifecycleReceiver& operator=(const LifecycleReceiver&) = delete;

  // The routes refer to the receiver.
  std::vector<HttpRoute> Routes();

 private:
  void TakeAtOnce(HttpServerRequest& request, HttpReply& reply);
  // Takes calls with long bodies one after the other.
  Task<void> Take(HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation);
  // `parsed`: the body's tree; null if it is not parsed yet.
  void Answer(const HttpServerRequest& request, bool has_body, absl::StatusOr<EventJson>* parsed,
              HttpReply& reply);

  Executor& executor_;
  LifecycleEndpoints& endpoints_;
  ByteAccount* const account_;
  absl::AnyInvocable<void()> on_call_;
  Line line_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_
