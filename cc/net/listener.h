// Accepts connections: the interface between a server and whatever carries its connections.
//
// Implementations: TCP on the event loop (net/io/tcp_listener.h), and one in memory for tests
// (net/testing/memory_listener.h).
//
//   Task<absl::StatusOr<std::unique_ptr<Transport>>> accepting = listener.Accept(stop);
//   absl::StatusOr<std::unique_ptr<Transport>> connection = co_await std::move(accepting);
//
// One thread: the executor's.

#ifndef THAW_CC_NET_LISTENER_H_
#define THAW_CC_NET_LISTENER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/transport.h"

namespace thaw {

class Listener {
 public:
  // Stops listening. No Accept may be pending.
  virtual ~Listener() = default;

  // Returns the next connection, however long that takes; the cancellation's reason if it is requested. One
  // call at a time. ResourceExhausted: descriptors or memory are used up; waiting connections stay queued, so
  // try again after some were freed. Any other error names the address and the system's reason; trying again
  // later does no harm.
  virtual Task<absl::StatusOr<std::unique_ptr<Transport>>> Accept(Cancellation& cancellation) = 0;

  // The port that it listens on.
  virtual uint16_t port() const = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_LISTENER_H_
