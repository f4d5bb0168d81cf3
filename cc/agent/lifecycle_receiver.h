// Receives the calls of tracers and runtimes about invocations: the listener on port 8124.
//
//   LifecycleReceiver receiver(endpoints);
//   HttpServer server(executor, clock, {}, receiver.Routes());
//
// LifecycleEndpoints gives the calls their meaning. An event that is too long, or whose tree does not fit
// into memory, loses only its body.
//
// One thread: the server's.

#ifndef THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_
#define THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_

#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "cc/agent/http_route.h"
#include "cc/base/byte_account.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"

namespace thaw {

class LifecycleReceiver {
 public:
  // `endpoints` and `account` must outlive the receiver. `account`: is charged with events while they are
  // read; may be null. `on_call` is called after each call, within the request's turn of the loop.
  explicit LifecycleReceiver(LifecycleEndpoints& endpoints, ByteAccount* account = nullptr,
                             absl::AnyInvocable<void()> on_call = nullptr)
      : endpoints_(endpoints), account_(account), on_call_(std::move(on_call)) {}
  LifecycleReceiver(const LifecycleReceiver&) = delete;
  LifecycleReceiver& operator=(const LifecycleReceiver&) = delete;

  // The routes refer to the receiver.
  std::vector<HttpRoute> Routes();

 private:
  void Take(HttpServerRequest& request, HttpReply& reply);

  LifecycleEndpoints& endpoints_;
  ByteAccount* const account_;
  absl::AnyInvocable<void()> on_call_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_
