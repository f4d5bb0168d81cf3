// Receives datagrams: the interface between a server and the bound socket that its clients send to.
//
// Implementations: UDP on the event loop (net/io/udp_datagrams.h), and one in memory for tests
// (net/testing/memory_datagrams.h).
//
//   Task<absl::Status> receiving = datagrams.Receive(
//       [&](const DatagramBatch& batch) {
//         lost += batch.dropped;
//         for (const std::string_view datagram : batch.datagrams) Parse(datagram);
//       },
//       stop);
//   const absl::Status ended = co_await std::move(receiving);
//
// ReceiveWaiting is for a moment at which everything that was sent has to be known, such as the end of an invocation.
//
// One thread: the executor's.

#ifndef THAW_CC_NET_DATAGRAMS_H_
#define THAW_CC_NET_DATAGRAMS_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"

namespace thaw {

// Datagrams that were received at once.
struct DatagramBatch {
  // In the order of arrival; a datagram without bytes is an empty view. Valid until the handler returns.
  absl::Span<const std::string_view> datagrams;
  // The number of datagrams that are lost, since they found the socket's buffer full. A turn's first batch has all
  // that were lost since the turn before.
  int64_t dropped = 0;
  // The number of datagrams that are longer than the receiver's limit. They are left out of `datagrams`.
  int64_t truncated = 0;
};

class Datagrams {
 public:
  using Handler = absl::AnyInvocable<void(const DatagramBatch&)>;

  // Closes the socket. No Receive may be pending, so a handler must not destroy its own receiver.
  virtual ~Datagrams() = default;

  // Calls `handler` with each batch, and never inside this call, until `cancellation` is requested, and returns
  // its reason. Only so many batches come in one turn of the executor that others have their turns soon. One call
  // at a time. Datagrams that are not received yet stay in the socket's buffer. Any other status names the address and the system's reason, with
  // ResourceExhausted if memory is used up; calling again later does no harm.
  virtual Task<absl::Status> Receive(Handler handler, Cancellation& cancellation) = 0;

  // Passes `take` batches of the datagrams that wait in the socket's buffer by now, as many as one turn of the
  // executor may have, before this call returns, and returns true; returns false if none waits. Call it again for
  // further ones. A Receive may be pending; its handler and `take` must not call this.
  virtual bool ReceiveWaiting(absl::FunctionRef<void(const DatagramBatch&)> take) = 0;

  // The port that the socket is bound to.
  virtual uint16_t port() const = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_DATAGRAMS_H_
