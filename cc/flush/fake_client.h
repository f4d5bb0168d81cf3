// A Client with scripted answers, which records the requests that it was given.
//
//   FakeClient client(executor, clock);
//   client.Answer(Accepted());                 // answers the next request
//   client.set_otherwise([](const FakeClient::Sent& sent) {
//     return FakeClient::Scripted{.result = Accepted()};
//   });
//
// A scripted answer may take time; meanwhile the request can be cancelled, which gives kCancelled with
// `written_when_cancelled`.

#ifndef THAW_CC_FLUSH_FAKE_CLIENT_H_
#define THAW_CC_FLUSH_FAKE_CLIENT_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/clock/sleep.h"
#include "cc/net/client.h"

namespace thaw {

class FakeClient : public Client {
 public:
  struct Sent {
    HttpRequest request;
    SendOptions options;
  };
  struct Scripted {
    SendResult result;
    absl::Duration after;  // time until the answer; InfiniteDuration: none comes
    // Whether the intake may have had the whole request when it was cancelled.
    bool written_when_cancelled = false;
    bool connects = true;  // counts an opened connection and moved bytes when it begins
  };

  FakeClient(Executor& executor, Clock& clock) : executor_(executor), clock_(clock) {}

  void Answer(Scripted scripted) { script_.push_back(std::move(scripted)); }
  void Answer(SendResult result) { script_.push_back({.result = std::move(result)}); }
  void set_otherwise(std::function<Scripted(const Sent&)> otherwise) { otherwise_ = std::move(otherwise); }
  const std::vector<Sent>& sent() const { return sent_; }
  void clear_sent() { sent_.clear(); }
  // Counts moved bytes, as a real client does.
  void Move() { ++counts_.exchange.bytes_received; }
  ClientOptions& mutable_options() { return options_; }
  int most_open() const { return most_open_; }

  Task<SendResult> Send(HttpRequest request, SendOptions options, Cancellation& cancellation) override {
    Sent sent{std::move(request), options};
    sent_.push_back(sent);
    Scripted scripted;
    if (!script_.empty()) {
      scripted = std::move(script_.front());
      script_.pop_front();
    } else if (otherwise_) {
      scripted = otherwise_(sent);
    }
    most_open_ = std::max(most_open_, ++open_);
    if (scripted.connects) ++counts_.connection.opened;
    Cancellation budget(&cancellation);
    const Alarm alarm(clock_, options.budget,
                      [&budget] { budget.Request(absl::DeadlineExceededError("the budget is used up")); });
    // Goes through the queue at least once, as an exchange does.
    Task<absl::Status> sleeping = Sleep(executor_, clock_, scripted.after, budget);
    const absl::Status slept = co_await std::move(sleeping);
    --open_;
    if (!slept.ok()) {
      SendResult cancelled;
      ExchangeFailure failure;
      failure.phase = scripted.written_when_cancelled ? Phase::kHead : Phase::kConnect;
      failure.fault = Fault::kCancelled;
      failure.bytes_written = scripted.written_when_cancelled ? BytesWritten::kAll : BytesWritten::kNone;
      failure.error = slept;
      cancelled.attempts = 1;
      cancelled.may_have_been_accepted = scripted.written_when_cancelled;
      cancelled.failures.push_back(std::move(failure));
      cancelled.last_class = RetryClass::kCancelled;
      co_return cancelled;
    }
    if (scripted.result.response.has_value()) ++counts_.exchange.bytes_received;
    scripted.result.possible_duplicate |= options.possible_duplicate;
    co_return std::move(scripted.result);
  }

  void Resume() override {}
  int Quiesce() override { return open_; }
  void Forget() override {}
  void Close() override {}
  bool settled() const override { return open_exchanges() == 0; }
  int open_exchanges() const override { return open_; }
  int open_connections() const override { return open_; }
  int idle_connections() const override { return 0; }
  const ClientCounts& counts() const override { return counts_; }
  const ClientOptions& options() const override { return options_; }

 private:
  Executor& executor_;
  Clock& clock_;
  ClientOptions options_;
  ClientCounts counts_;
  std::deque<Scripted> script_;
  std::function<Scripted(const Sent&)> otherwise_;
  std::vector<Sent> sent_;
  int open_ = 0;
  int most_open_ = 0;
};

inline SendResult Answered(int status) {
  SendResult result;
  result.response.emplace();
  result.response->status = status;
  result.attempts = 1;
  result.accepted = status >= 200 && status < 300;
  if (!result.accepted) {
    ExchangeFailure failure;
    failure.phase = Phase::kHead;
    failure.bytes_written = BytesWritten::kAll;
    failure.response_begun = true;
    failure.head_complete = true;
    failure.status = status;
    failure.error = absl::UnavailableError("answered with an error");
    result.last_class = ClassOf(failure);
    result.failures.push_back(std::move(failure));
  }
  return result;
}
inline SendResult Accepted() { return Answered(202); }
inline SendResult Refused(int status, std::optional<absl::Duration> retry_after) {
  SendResult result = Answered(status);
  result.failures.back().retry_after = retry_after;
  return result;
}

inline SendResult Failed(Phase phase, Fault fault, BytesWritten written, bool reused = false) {
  SendResult result;
  ExchangeFailure failure;
  failure.phase = phase;
  failure.fault = fault;
  failure.bytes_written = written;
  failure.reused = reused;
  failure.error = absl::UnavailableError("scripted");
  result.attempts = 1;
  result.may_have_been_accepted = MayHaveBeenAccepted(failure);
  result.last_class = ClassOf(failure);
  result.failures.push_back(std::move(failure));
  return result;
}
inline SendResult Unreachable() { return Failed(Phase::kConnect, Fault::kRefused, BytesWritten::kNone); }
inline SendResult Ambiguous() { return Failed(Phase::kHead, Fault::kTimeout, BytesWritten::kAll); }
inline SendResult Misconfigured() { return Failed(Phase::kTls, Fault::kCertificate, BytesWritten::kNone); }

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FAKE_CLIENT_H_
