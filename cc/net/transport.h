// A byte stream: the interface between connections and what carries them.
//
//   const IoResult read = co_await transport.Read(absl::MakeSpan(buffer));
//   if (!read.status.ok()) co_return;                           // kOutOfRange: the peer ended the stream
//
// Implementations: TCP on the event loop, TLS over another transport, and the simulation's in-memory stream
// with faults at every step. Everything above (HTTP, pool, client) knows only this interface. One thread.

#ifndef THAW_CC_NET_TRANSPORT_H_
#define THAW_CC_NET_TRANSPORT_H_

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

namespace thaw {

// The result of one read or write.
struct IoResult {
  // kOutOfRange: the peer ended its side in order (FIN, close_notify). kUnavailable, only from TryRead and
  // TryWrite: nothing to read, no room now. kAborted: the peer reset the connection. kCancelled: closed by
  // us. Anything else: another error of the system, named in the text.
  absl::Status status;
  // Bytes that were read or accepted. A failed write may have accepted some.
  size_t bytes = 0;
};

class Transport {
 public:
  using Done = absl::AnyInvocable<void(IoResult)>;

  // Closes the transport. A pending operation ends with kCancelled, from the executor's queue, later.
  virtual ~Transport() = default;

  // Reads at least one byte into `into`. At most one read is pending. `into` must stay valid until `done` has
  // run. `done` never runs inside the call.
  virtual void StartRead(absl::Span<char> into, Done done) = 0;

  // Gives bytes to the lower layer; the result says how many bytes of `from` it accepted, at least one if OK.
  // At most one write is pending, beside a read. `from` must stay valid until `done` has run.
  virtual void StartWrite(std::string_view from, Done done) = 0;

  // Reads what is available, without waiting. Returns kUnavailable if there is nothing. A read may be
  // pending: bytes that this call takes are not given to it, and an end or a reset is reported to both.
  virtual IoResult TryRead(absl::Span<char> into) = 0;

  // Gives bytes to the lower layer if it accepts some at once, as StartWrite does. Returns kUnavailable if it
  // does not, or can't tell without waiting; use StartWrite then. No write may be pending.
  virtual IoResult TryWrite(std::string_view from) {
    static_cast<void>(from);
    return {absl::UnavailableError("nothing is written without waiting")};
  }

  // Acknowledges received bytes at once if the layer below would delay that: a peer may hold back the rest of
  // what it sends until it is acknowledged. Covers only what came so far; does nothing if more can be read at
  // once.
  virtual void AcknowledgeNow() {}

  // Closes in order (FIN; over TLS: one read without waiting so that a late ticket is kept, then
  // close_notify, whose answer isn't awaited) or at once. Pending operations end with kCancelled and do not
  // touch their buffers from here on. Idempotent.
  virtual void Close() = 0;

  // The bytes given to and taken from the wire so far, all layers included.
  virtual int64_t wire_bytes_sent() const = 0;
  virtual int64_t wire_bytes_received() const = 0;

  // Awaitable forms: co_await transport.Read(...), co_await transport.Write(...).
  auto Read(absl::Span<char> into) {
    return Awaiter{[this, into](Done done) { StartRead(into, std::move(done)); }};
  }
  auto Write(std::string_view from) {
    return Awaiter{[this, from](Done done) { StartWrite(from, std::move(done)); }};
  }

 private:
  template <typename Start>
  struct Awaiter {
    explicit Awaiter(Start start) : start_(std::move(start)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      start_([this, waiter](IoResult result) {
        result_ = std::move(result);
        waiter.resume();
      });
    }
    IoResult await_resume() { return std::move(result_); }
    Start start_;
    IoResult result_;
  };
};

}  // namespace thaw

#endif  // THAW_CC_NET_TRANSPORT_H_
