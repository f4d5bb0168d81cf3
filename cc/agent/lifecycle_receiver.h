// Receives the calls of tracers and runtimes about invocations: the listener on port 8124.
//
//   LifecycleReceiver receiver(lifecycle);
//   HttpServer server(executor, clock, {}, receiver.Routes());
//
// InvocationLifecycle gives the calls their meaning. An event that is too long, or whose tree does not fit
// into memory, loses only its body.
//
// One thread: the server's.

#ifndef THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_
#define THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_

#include <vector>

#include "cc/agent/http_route.h"
#include "cc/base/byte_account.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"

namespace thaw {

class LifecycleReceiver {
 public:
  // `lifecycle` and `account` must outlive the receiver. `account`: is charged with events while they are
  // read; may be null.
  explicit LifecycleReceiver(InvocationLifecycle& lifecycle, ByteAccount* account = nullptr)
      : lifecycle_(lifecycle), account_(account) {}
  LifecycleReceiver(const LifecycleReceiver&) = delete;
  LifecycleReceiver& operator=(const LifecycleReceiver&) = delete;

  // The routes refer to the receiver.
  std::vector<HttpRoute> Routes();

 private:
  void Take(HttpServerRequest& request, HttpReply& reply);

  InvocationLifecycle& lifecycle_;
  ByteAccount* const account_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_
