// What tracers and runtimes say of invocations: the listener on port 8124.
//
//   LifecycleReceiver receiver(lifecycle);
//   HttpServer server(executor, clock, {}, receiver.Routes());
//
// The calls and what they mean are InvocationLifecycle's. An event that is too long, or for whose tree there
// is no room, loses its body and nothing else.
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
  // `lifecycle` and `account` must outlive the receiver. `account`: what events are charged to while they are
  // read; may be null.
  explicit LifecycleReceiver(InvocationLifecycle& lifecycle, ByteAccount* account = nullptr)
      : lifecycle_(lifecycle), account_(account) {}
  LifecycleReceiver(const LifecycleReceiver&) = delete;
  LifecycleReceiver& operator=(const LifecycleReceiver&) = delete;

  // They refer to the receiver.
  std::vector<HttpRoute> Routes();

 private:
  void Take(HttpServerRequest& request, HttpReply& reply);

  InvocationLifecycle& lifecycle_;
  ByteAccount* const account_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_LIFECYCLE_RECEIVER_H_
