// One HTTP/1.1 connection: one exchange at a time, and a read always pending, so that its end is seen
// when it comes and not when the next request is written.
//
//   auto connection = Http1Connection::Start(executor, clock, std::move(transport), options, counters,
//                                            on_idle_closed);
//   connection->Begin(request, form, [](ExchangeEnd end) { ... });
//
// Callback-driven: an exchange costs one write, one read and no coroutine frame of its own. Callbacks run
// from the executor's queue.
//
// A complete head is an answer, whatever becomes of its body. Where the caller does not want the body
// (HttpRequest::body_wanted), it is read for kBodyPatience at most, so that the connection can be used again;
// a body that does not end costs the connection and not the exchange.

#ifndef THAW_CC_NET_HTTP1_CONNECTION_H_
#define THAW_CC_NET_HTTP1_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client_options.h"
#include "cc/net/counters.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http1_parser.h"
#include "cc/net/http_message.h"
#include "cc/net/transport.h"

namespace thaw {

// How an exchange ended on its connection.
struct ExchangeEnd {
  // A complete head came; the body may have been cut (HttpResponse::body_whole).
  std::optional<HttpResponse> response;
  // Otherwise: phase write or head, with fault, bytes_written, response_begun and error set. Reuse,
  // crossing and idle time are the client's to add.
  std::optional<ExchangeFailure> failure;
  // The connection may carry another request.
  bool reusable = false;
};

// How requests on a connection are written.
struct RequestForm {
  // The request line names the whole URL: a plain request to a proxy (RFC 9112 section 3.2.2).
  bool absolute = false;
  std::string proxy_authorization;  // empty: no such header
};

class Http1Connection : public std::enable_shared_from_this<Http1Connection> {
 public:
  using Done = absl::AnyInvocable<void(ExchangeEnd)>;

  // Time limit for the rest of an unwanted body, counted from when the head has come and the request is
  // written.
  static constexpr absl::Duration kBodyPatience = absl::Milliseconds(100);

  // Takes over an open stream and starts the standing read. `on_idle_closed` runs when the peer ends the
  // connection, or sends something unasked, between exchanges. `options` must outlive the connection.
  static std::shared_ptr<Http1Connection> Start(
      Executor& executor, Clock& clock, std::unique_ptr<Transport> transport, const ClientOptions& options,
      ExchangeCounters& counters, absl::AnyInvocable<void(const Http1Connection*)> on_idle_closed);
  ~Http1Connection();
  Http1Connection(const Http1Connection&) = delete;
  Http1Connection& operator=(const Http1Connection&) = delete;

  // Sends `request`, whose body must stay as it is until `done` ran. `done` runs once.
  //
  // The request waits in a one-slot queue until the loop's next turn: what the loop has seen of the peer's
  // end by then hands it back untouched (bytes_written none).
  void Begin(const HttpRequest& request, const RequestForm& form, Done done);

  // Ends a running exchange with `fault`; the connection closes. Nothing runs: nothing happens.
  void Abort(Fault fault, const absl::Status& error);

  bool open() const { return state_ != State::kClosed; }
  bool busy() const { return state_ == State::kQueued || state_ == State::kBusy; }

  // One look, without waiting, at an idle connection.
  bool CheckUsable();

  // Idempotent. A running exchange ends with kCancelled.
  void Close();

  // What the running exchange has come to, for whoever judges it from outside.
  BytesWritten bytes_written() const;

 private:
  enum class State { kIdle, kQueued, kBusy, kClosed };

  Http1Connection(Executor& executor, Clock& clock, std::unique_ptr<Transport> transport,
                  const ClientOptions& options, ExchangeCounters& counters,
                  absl::AnyInvocable<void(const Http1Connection*)> on_idle_closed);

  void StandingRead();
  void OnRead(IoResult result);
  void TakeRequest();
  void WriteMore();
  void OnWritten(IoResult result);
  void OnParsed();
  void OnStreamOver(const absl::Status& status);
  void OnParsedAtEnd();
  void LimitBody();
  void Finish(ExchangeEnd end);
  void Fail(Fault fault, absl::Status error);
  void CloseTransport();
  void CountBytes();

  Executor& executor_;
  Clock& clock_;
  const std::unique_ptr<Transport> transport_;
  const ClientOptions& options_;
  ExchangeCounters& counters_;
  absl::AnyInvocable<void(const Http1Connection*)> on_idle_closed_;

  State state_ = State::kIdle;
  bool reading_ = false;
  bool writing_ = false;
  std::vector<char> inbound_;

  // The running exchange.
  Done done_;
  std::string head_;  // with the body behind it when that is small
  std::string_view body_;
  size_t head_taken_ = 0;
  size_t body_taken_ = 0;
  bool body_wanted_ = true;
  Http1Parser::AnswerTo answer_to_ = Http1Parser::AnswerTo::kAny;
  std::optional<Http1Parser> parser_;
  std::optional<Alarm> patience_;  // for the rest of the body
  // Why it fails, while the end of its last write isn't known.
  std::optional<std::pair<Fault, absl::Status>> failing_;
  std::string where_;  // "POST https://host/path", for errors

  int64_t counted_sent_ = 0;
  int64_t counted_received_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP1_CONNECTION_H_
