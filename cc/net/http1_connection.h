// One HTTP/1.1 connection: one exchange at a time, and a read that is always pending, so that the peer's end
// is seen when it comes and not when the next request is written.
//
//   auto connection = Http1Connection::Start(executor, clock, std::move(transport), form, options, counts,
//                                            std::move(on_idle_closed));
//   connection->Begin(request, [](ExchangeEnd end) { ... });
//
// An exchange costs one write, one read and no coroutine frame. A body that is cut costs the connection.

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

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http1_parser.h"
#include "cc/net/http_connection.h"
#include "cc/net/http_message.h"
#include "cc/net/transport.h"

namespace thaw {

// The form in which requests are written on a connection.
struct RequestForm {
  // The request line has the whole URL, as a plain request to a proxy needs (RFC 9112 section 3.2.2).
  bool absolute = false;
  std::string proxy_authorization;  // empty: no such header
};

class Http1Connection : public HttpConnection, public std::enable_shared_from_this<Http1Connection> {
 public:
  // Takes over an open stream and starts the pending read. `options` must outlive the connection.
  static std::shared_ptr<Http1Connection> Start(Executor& executor, Clock& clock,
                                                std::unique_ptr<Transport> transport, RequestForm form,
                                                const ClientOptions& options, ExchangeCounts& counts,
                                                OnIdleClosed on_idle_closed);
  ~Http1Connection() override;
  Http1Connection(const Http1Connection&) = delete;
  Http1Connection& operator=(const Http1Connection&) = delete;

  int slots() const override { return 1; }

  // The request waits in a one-slot queue until the loop's next turn. If the loop sees the peer's end by
  // then, the request is returned untouched (bytes_written none).
  ExchangeId Begin(const HttpRequest& request, Done done) override;

  // Closes the connection along with the exchange.
  void Abort(ExchangeId exchange, Fault fault, const absl::Status& error) override;

  bool open() const override { return state_ != State::kClosed; }
  bool busy() const { return state_ == State::kQueued || state_ == State::kBusy; }
  bool CheckUsable() override;
  void Close() override;

  // The part of the running exchange's request that was written.
  BytesWritten bytes_written() const;

 private:
  enum class State { kIdle, kQueued, kBusy, kClosed };

  Http1Connection(Executor& executor, Clock& clock, std::unique_ptr<Transport> transport, RequestForm form,
                  const ClientOptions& options, ExchangeCounts& counts, OnIdleClosed on_idle_closed);

  void StandingRead();
  void OnRead(IoResult result);
  void TakeRequest();
  void WriteMore();
  void OnWritten(IoResult result);
  void OnParsed();
  void OnStreamOver(const absl::Status& status);
  bool Answered() const;
  void OnParsedAtEnd();
  void LimitBody();
  void EndExchange(ExchangeEnd end);
  void Fail(Fault fault, absl::Status error);
  void CloseTransport();
  void CountBytes();

  Executor& executor_;
  Clock& clock_;
  const std::unique_ptr<Transport> transport_;
  const RequestForm form_;
  const ClientOptions& options_;
  ExchangeCounts& counts_;
  OnIdleClosed on_idle_closed_;

  State state_ = State::kIdle;
  bool reading_ = false;
  bool writing_ = false;
  std::vector<char> inbound_;

  ExchangeId exchange_ = 0;  // the last one that was begun
  // The running exchange.
  Done done_;
  std::string head_;  // with the body behind it if the body is small
  std::string_view body_;
  size_t head_taken_ = 0;
  size_t body_taken_ = 0;
  absl::Duration body_timeout_ = absl::InfiniteDuration();
  Http1Parser::AnswerTo answer_to_ = Http1Parser::AnswerTo::kAny;
  std::optional<absl::Duration> first_byte_at_;  // of the answer
  std::optional<Http1Parser> parser_;
  std::optional<Alarm> patience_;  // limits the rest of the body
  // The reason why the exchange fails, set while the result of its last write isn't known.
  std::optional<std::pair<Fault, absl::Status>> failing_;
  std::string where_;  // "POST https://host/path", for errors

  int64_t counted_sent_ = 0;
  int64_t counted_received_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP1_CONNECTION_H_
