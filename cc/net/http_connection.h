// An open connection to an HTTP server, whatever version of HTTP it speaks.
//
//   const HttpConnection::ExchangeId exchange = connection->Begin(request, [](ExchangeEnd end) { ... });
//   connection->Abort(exchange, Fault::kTimeout, error);
//
// MakeHttpConnection() of http_connection_factory.h makes one.
//
// The interface uses callbacks, which run from the executor's queue. A complete head is an answer, whatever
// happens to its body. The body is read for HttpRequest::body_timeout at most; if it does not end by then, it
// is cut, and the exchange succeeds. One thread: the executor's.

#ifndef THAW_CC_NET_HTTP_CONNECTION_H_
#define THAW_CC_NET_HTTP_CONNECTION_H_

#include <cstdint>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/exchange_times.h"
#include "cc/net/http_message.h"

namespace thaw {

// The end of an exchange on its connection.
struct ExchangeEnd {
  // The answer, if a complete head came, or the status line of a refusal; its body may have been cut
  // (HttpResponse::body_whole).
  std::optional<HttpResponse> response;
  // The failure, if no complete head came: phase write or head, with fault, bytes_written, response_begun and
  // error set. The client adds reuse, crossing and idle time.
  std::optional<ExchangeFailure> failure;
  // Whether the connection may carry another request.
  bool reusable = false;
  // When the answer's first byte came, on the monotonic clock; unset if none came.
  std::optional<absl::Duration> first_byte_at;
};

class HttpConnection {
 public:
  using Done = absl::AnyInvocable<void(ExchangeEnd)>;
  // Runs if the peer closes the connection, or sends something unasked, while no exchange is running.
  using OnIdleClosed = absl::AnyInvocable<void(const HttpConnection*)>;
  // The number of an exchange on its connection. No exchange has the number zero.
  using ExchangeId = uint64_t;

  virtual ~HttpConnection() = default;

  // The parts of the dial that opened the connection.
  const DialTimes& dial_times() const { return dial_times_; }
  void set_dial_times(const DialTimes& times) { dial_times_ = times; }

  // The number of exchanges that may run at once.
  virtual int slots() const = 0;

  // Sends `request`, whose body must not change until `done` has run. `done` runs once. A slot must be free.
  virtual ExchangeId Begin(const HttpRequest& request, Done done) = 0;

  // Ends a running exchange with `fault`. Does nothing if the exchange has ended.
  virtual void Abort(ExchangeId exchange, Fault fault, const absl::Status& error) = 0;

  // Returns whether further exchanges may begin, as far as the loop has seen; no system call. Those that run
  // may go on after the connection is no longer open.
  virtual bool open() const = 0;

  // Checks a connection without exchanges once, without waiting: the peer has neither closed it nor sent
  // anything unasked.
  virtual bool CheckUsable() = 0;

  // Closes the connection; idempotent. Running exchanges end with kCancelled.
  virtual void Close() = 0;

 private:
  DialTimes dial_times_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP_CONNECTION_H_
