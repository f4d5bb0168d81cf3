#include "cc/net/pooled_client.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/status_macros.h"
#include "cc/base/task.h"
#include "cc/clock/sleep.h"
#include "cc/net/destination.h"
#include "cc/net/dial_backoff.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http_answer.h"
#include "cc/net/http_connection.h"
#include "cc/net/http_connection_factory.h"
#include "cc/net/pool.h"
#include "cc/net/retry_policy.h"

namespace thaw {
namespace {

class PooledClient : public Client {
 public:
  PooledClient(Executor& executor, Clock& clock, std::unique_ptr<Dialer> dialer, ClientOptions options,
               RandomFraction random, std::shared_ptr<ClientCounts> counts)
      : executor_(executor),
        clock_(clock),
        dialer_(std::move(dialer)),
        options_(std::move(options)),
        random_(std::move(random)),
        counts_(counts != nullptr ? std::move(counts) : std::make_shared<ClientCounts>()),
        pool_(
            clock, options_, counts_->connection,
            [this](const Destination& destination, uint64_t dial) { StartDial(destination, dial); },
            [this](uint64_t dial, ConnectionPool::CancelReason why) { CancelUnneededDial(dial, why); }),
        dial_backoff_(clock, options_.backoff_base, options_.backoff_cap, random_) {}

  Task<SendResult> Send(HttpRequest request, SendOptions options, Cancellation& cancellation) override;
  void Resume() override;
  int Quiesce() override;
  void Forget() override { dialer_->Forget(); }
  void Close() override {
    all_requests_.Request(absl::CancelledError("the client was closed"));
    pool_.Close();
  }
  int open_exchanges() const override {
    // A dial that was given up has closed its socket; its task ends within the next turns of the loop.
    return sends_ + static_cast<int>(std::count_if(dials_.begin(), dials_.end(), [](const auto& dial) {
             return !dial.second.cancellation.requested();
           }));
  }
  bool settled() const override { return sends_ == 0 && dials_.empty(); }
  int open_connections() const override { return pool_.open(); }
  int idle_connections() const override { return pool_.idle(); }
  const ClientCounts& counts() const override { return *counts_; }
  const ClientOptions& options() const override { return options_; }

 private:
  using ConnectionPool = Pool<Destination, HttpConnection, ExchangeFailure>;

  // An exchange under way, so that a resume reaches it.
  struct Exchange {
    std::shared_ptr<HttpConnection> connection;
    HttpConnection::ExchangeId id = 0;
    // The environment was given up to a freeze since the exchange, or its connection, began.
    bool crossed = false;
    bool graced = false;
    Alarm grace;
  };
  struct RunningDial {
    Cancellation cancellation;
    Alarm deadline;
    bool crossed = false;
    bool graced = false;
    bool not_needed = false;  // other connections served the requests that it was begun for
  };
  // The outcome of one try: an answer or a failure.
  struct Try {
    std::optional<HttpResponse> response;
    std::optional<ExchangeFailure> failure;
    std::optional<ExchangeTimes> times;  // set if there is an answer
  };

  void StartDial(const Destination& destination, uint64_t dial);
  void CancelDial(uint64_t dial, const absl::Status& reason);
  void CancelUnneededDial(uint64_t dial, ConnectionPool::CancelReason why);
  void OnDialled(const Destination& destination, uint64_t dial, DialResult result);
  // Makes the HTTP connection of a dial that succeeded. If there is none for its protocol, the result has the
  // failure.
  ConnectionPool::Dialled MakeConnection(const Destination& destination, DialResult result);

  Task<Try> TryOnce(const HttpRequest& request, Want want, Cancellation& scope);
  // `asked`: when the request asked for a connection, on the monotonic clock.
  Try EndExchange(uint64_t number, absl::Duration asked, ConnectionPool::Lease lease, ExchangeEnd end);

  RetryRules RulesFor(const Destination& destination, const SendOptions& options) const;
  // Notes the outcome of a try in `state` and `result`. Returns what follows a failure; nothing follows a
  // success.
  RetryVerdict JudgeTry(const HttpRequest& request, const RetryRules& rules, Try tried, RetryState& state,
                        SendResult& result);
  // Ends a request that must not be sent: no further try could succeed.
  void RejectRequest(absl::Status why, SendResult& result);
  // Completes the result of a request after its last try.
  static void Conclude(const RetryState& state, SendResult& result);

  Executor& executor_;
  Clock& clock_;
  const std::unique_ptr<Dialer> dialer_;
  const ClientOptions options_;
  RandomFraction random_;
  const std::shared_ptr<ClientCounts> counts_;
  Cancellation all_requests_;
  ConnectionPool pool_;
  std::map<uint64_t, RunningDial> dials_;
  std::map<uint64_t, Exchange> exchanges_;
  DialBackoff dial_backoff_;  // kept while there are requests
  uint64_t next_id_ = 1;
  int sends_ = 0;
  int64_t quiesces_ = 0;
  bool quiesced_ = false;  // between a quiesce and its resume
};

// -- Dialling --------------------------------------------------------------------------------------------

void PooledClient::StartDial(const Destination& destination, uint64_t dial) {
  RunningDial& running = dials_[dial];
  running.deadline = Alarm(
      clock_, options_.exchange_timeout,
      [this, dial] {
        CancelDial(dial, absl::DeadlineExceededError(absl::StrCat(
                             "no connection within ", absl::FormatDuration(options_.exchange_timeout))));
      },
      options_.late_alarm);
  Task<DialResult> task = dialer_->Dial(destination, running.cancellation);
  absl::AnyInvocable<void(DialResult)> done = [this, destination, dial](DialResult result) {
    OnDialled(destination, dial, std::move(result));
  };
  Spawn<DialResult>(executor_, std::move(task), std::move(done));
}

void PooledClient::CancelDial(uint64_t dial, const absl::Status& reason) {
  const auto found = dials_.find(dial);
  if (found != dials_.end()) found->second.cancellation.Request(reason);
}

void PooledClient::CancelUnneededDial(uint64_t dial, ConnectionPool::CancelReason why) {
  const auto found = dials_.find(dial);
  if (found != dials_.end()) found->second.not_needed = why == ConnectionPool::CancelReason::kServed;
  CancelDial(dial, absl::CancelledError("no request waits for this connection"));
}

void PooledClient::OnDialled(const Destination& destination, uint64_t dial, DialResult result) {
  const auto running = dials_.find(dial);
  const bool crossed = running->second.crossed;
  const bool not_needed = running->second.not_needed;
  dials_.erase(running);
  const absl::Duration took = result.took;
  const DialTimes times = result.times;
  ConnectionPool::Dialled dialled;
  if (result.transport != nullptr) {
    dialled = MakeConnection(destination, std::move(result));
    if (dialled.connection != nullptr) dialled.connection->set_dial_times(times);
  } else {
    dialled.failure = std::move(result.failure);
  }
  // Frozen time is not part of a dial's time.
  if (!crossed) dialled.took = took;
  if (dialled.connection != nullptr) {
    ++counts_->connection.opened;
    dial_backoff_.OnSuccess(destination);
    if (!crossed && times.tls.has_value()) counts_->connection.handshake_time.Record(*times.tls);
  } else {
    // A dial that was not needed any more says nothing about its destination.
    if (!not_needed) ++counts_->connection.dial_failed;
    dialled.failure->epoch_crossed = crossed;
    const bool unreachable = !crossed && ClassOf(*dialled.failure) == RetryClass::kUnreachable;
    if (unreachable && options_.resend_rule != ResendRule::kUnsentOnly) dial_backoff_.OnFailure(destination);
  }
  pool_.OnDialled(dial, std::move(dialled));
}

PooledClient::ConnectionPool::Dialled PooledClient::MakeConnection(const Destination& destination,
                                                                   DialResult result) {
  ConnectionPool::Dialled dialled;
  absl::StatusOr<std::shared_ptr<HttpConnection>> connection = MakeHttpConnection(
      executor_, clock_, std::move(result), options_, counts_->exchange,
      [this, destination](const HttpConnection* closed) { pool_.OnIdleClosed(destination, closed); });
  if (connection.ok()) {
    dialled.connection = *std::move(connection);
  } else {
    dialled.failure = MakeFailure(Phase::kTls, Fault::kProtocol, ToString(destination), connection.status());
  }
  return dialled;
}

// -- One try ---------------------------------------------------------------------------------------------

Task<PooledClient::Try> PooledClient::TryOnce(const HttpRequest& request, Want want, Cancellation& scope) {
  const int64_t quiesces_before = quiesces_;
  const absl::Duration asked = clock_.Now().monotonic;
  // One deadline covers all phases of the exchange, the wait for a connection included.
  Cancellation exchange_scope(&scope);
  const Alarm deadline(
      clock_, options_.exchange_timeout,
      [&exchange_scope, this] {
        exchange_scope.Request(absl::DeadlineExceededError(
            absl::StrCat("no answer within ", absl::FormatDuration(options_.exchange_timeout))));
      },
      options_.late_alarm);

  ConnectionPool::Acquired acquired;
  {
    Completion<ConnectionPool::Acquired> acquiring(executor_);
    const auto waiter =
        pool_.Acquire(request.destination, want,
                      [&acquiring](ConnectionPool::Acquired answer) { acquiring.Set(std::move(answer)); });
    const auto registration = exchange_scope.OnRequest([&](const absl::Status& reason) {
      // The request was served already: its answer is on the way and is handled below.
      if (!pool_.CancelWaiter(waiter)) return;
      acquiring.Set(MakeCancelledFailure(
          Phase::kConnect, absl::StrCat(ToString(request.destination), ": waiting for a connection"),
          reason));
    });
    acquired = co_await acquiring;
  }
  if (auto* failure = std::get_if<ExchangeFailure>(&acquired)) {
    co_return Try{.failure = std::move(*failure)};
  }
  auto& lease = std::get<ConnectionPool::Lease>(acquired);

  const uint64_t number = next_id_++;
  Exchange& exchange = exchanges_[number];
  exchange.connection = lease.connection;
  exchange.crossed = lease.epoch != pool_.epoch() || (quiesced_ && quiesces_ != quiesces_before);
  Completion<ExchangeEnd> ended(executor_);
  exchange.id = exchange.connection->Begin(request, [&ended](ExchangeEnd end) { ended.Set(std::move(end)); });
  ExchangeEnd end;
  {
    const auto registration = exchange_scope.OnRequest([&exchange](const absl::Status& reason) {
      exchange.connection->Abort(exchange.id, FaultOfCancellation(reason), reason);
    });
    end = co_await ended;
  }
  co_return EndExchange(number, asked, std::move(lease), std::move(end));
}

PooledClient::Try PooledClient::EndExchange(uint64_t number, absl::Duration asked,
                                            ConnectionPool::Lease lease, ExchangeEnd end) {
  const auto exchange = exchanges_.find(number);
  if (end.failure.has_value()) {
    end.failure->reused = lease.reused;
    end.failure->epoch_crossed = exchange->second.crossed;
    end.failure->idle_for = lease.idle_for;
  }
  exchanges_.erase(exchange);
  Try result{.response = std::move(end.response), .failure = std::move(end.failure)};
  if (result.response.has_value()) {
    const absl::Duration ended = clock_.Now().monotonic;
    ExchangeTimes& times = result.times.emplace();
    times.waited = lease.begun - asked;
    if (!lease.reused) times.dial = lease.connection->dial_times();
    times.reused = lease.reused;
    times.shared = lease.reused && lease.idle_for == absl::ZeroDuration();
    times.epoch = lease.epoch;
    times.first_byte = end.first_byte_at.value_or(ended) - lease.begun;
    times.last_byte = ended - lease.begun;
  }
  pool_.Release(std::move(lease), end.reusable, /*answered=*/result.response.has_value());
  return result;
}

// -- Retry -----------------------------------------------------------------------------------------------

RetryRules PooledClient::RulesFor(const Destination& destination, const SendOptions& options) const {
  return {.resend_rule = options_.resend_rule,
          .max_attempts = options.max_attempts.value_or(options_.max_attempts),
          .backoff_base = options_.backoff_base,
          .backoff_cap = options_.backoff_cap,
          .retry_ambiguous = options.retry_ambiguous,
          .ambiguous_resends = options.ambiguous_resends,
          .most_delay = options.most_delay,
          .wait_for_listener = options.wait_for_listener,
          .lost_resends = options.lost_resends,
          .jitter = options.jitter,
          .free_unsent = 1 + pool_.open(destination)};
}

RetryVerdict PooledClient::JudgeTry(const HttpRequest& request, const RetryRules& rules, Try tried,
                                    RetryState& state, SendResult& result) {
  ExchangeCounts& counts = counts_->exchange;
  if (tried.response.has_value()) {
    result.response = std::move(tried.response);
    result.times = tried.times;
    if (IsSuccess(*result.response)) {
      ++state.attempts;
      result.accepted = true;
      ++counts.accepted;
      return {};
    }
    tried.failure = FailureOfAnswer(request, *result.response, clock_.Now().wall);
  }
  ExchangeFailure& failure = *tried.failure;
  result.last_class = ClassOf(failure);
  ++counts[*result.last_class];
  if (result.last_class == RetryClass::kUnsent) --counts.attempts;
  VLOG(1) << failure.ToString();
  const RetryVerdict verdict = DecideRetry(rules, failure, random_, state);
  result.failures.push_back(std::move(failure));
  return verdict;
}

void PooledClient::RejectRequest(absl::Status why, SendResult& result) {
  result.failures.push_back({.phase = Phase::kWrite, .fault = Fault::kProtocol, .error = std::move(why)});
  result.last_class = RetryClass::kRefusedForGood;
  ++counts_->exchange[RetryClass::kRefusedForGood];
}

void PooledClient::Conclude(const RetryState& state, SendResult& result) {
  result.attempts = state.attempts;
  result.unsent_laps = state.unsent;
  result.delayed = state.delayed;
  if (result.accepted) {
    result.last_class.reset();
    return;
  }
  result.may_have_been_accepted = state.may_have_been_accepted;
  if (result.failures.empty()) result.last_class = RetryClass::kCancelled;
}

Task<SendResult> PooledClient::Send(HttpRequest request, SendOptions options, Cancellation& cancellation) {
  SendResult result;
  result.possible_duplicate = options.possible_duplicate;
  ++counts_->exchange.requests;
  if (absl::Status status = request.Validate(); !status.ok()) {
    RejectRequest(std::move(status), result);
    co_return result;
  }
  ++sends_;
  const absl::Duration began = clock_.Now().monotonic;
  Cancellation scope(&cancellation);
  const auto closing =
      all_requests_.OnRequest([&scope](const absl::Status& reason) { scope.Request(reason); });
  std::optional<Alarm> budget;
  if (options.budget != absl::InfiniteDuration()) {
    budget.emplace(
        clock_, options.budget,
        [&scope, &options] {
          scope.Request(absl::DeadlineExceededError(
              absl::StrCat("the budget of ", absl::FormatDuration(options.budget), " is spent")));
        },
        options_.late_alarm);
  }
  const RetryRules rules = RulesFor(request.destination, options);
  RetryState state;
  Want want = Want::kAny;
  while (!scope.requested()) {
    // All requests to a destination to which dials fail wait for the same moment, whenever they came.
    absl::Duration delay = dial_backoff_.UntilNextDial(request.destination);
    if (delay == absl::ZeroDuration()) {
      ++counts_->exchange.attempts;
      if (state.may_have_been_accepted && !std::exchange(result.possible_duplicate, true)) {
        ++counts_->exchange.possible_duplicates;
      }
      Try tried = co_await TryOnce(request, want, scope);
      const RetryVerdict verdict = JudgeTry(request, rules, std::move(tried), state, result);
      if (!verdict.again) break;
      want = verdict.fresh ? Want::kFresh : Want::kAny;
      delay = verdict.when_dialled_again ? dial_backoff_.UntilNextDial(request.destination) : verdict.delay;
      // A wait past the budget would only hold the flush up.
      if (budget.has_value() && delay >= budget->left()) break;
    }
    if (delay > absl::ZeroDuration()) {
      state.delayed += delay;
      const absl::Status slept = co_await Sleep(executor_, clock_, delay, scope);
      if (!slept.ok()) break;
    }
  }
  Conclude(state, result);
  result.elapsed = clock_.Now().monotonic - began;
  if (--sends_ == 0) dial_backoff_.Clear();
  co_return result;
}

// -- Quiesce and resume ------------------------------------------------------------------------------------

int PooledClient::Quiesce() {
  ++quiesces_;
  quiesced_ = true;
  counts_->connection.open_at_next += open_exchanges();
  // After the freeze, the loop may see a connection's end before it sees the event that reports the resume.
  for (auto& [id, exchange] : exchanges_) exchange.crossed = true;
  for (auto& [dial, running] : dials_) running.crossed = true;
  return open_exchanges();
}

void PooledClient::Resume() {
  ++counts_->connection.resumes;
  quiesced_ = false;
  pool_.Resume();
  // Open exchanges go on for the grace: their answer, or the end of their connection, may be on the way. They
  // are not waited for longer, since a peer that forgot a connection sends nothing. An exchange that crosses
  // again keeps what is left of its grace; otherwise short invocations would keep it for ever.
  for (auto& [id, exchange] : exchanges_) {
    ++counts_->connection.crossed;
    exchange.crossed = true;
    if (std::exchange(exchange.graced, true)) continue;
    exchange.grace =
        Alarm(clock_, options_.resume_grace, [this, connection = exchange.connection, number = exchange.id] {
          connection->Abort(
              number, Fault::kTimeout,
              absl::DeadlineExceededError(absl::StrCat(
                  "no answer within ", absl::FormatDuration(options_.resume_grace), " of a resume")));
        });
  }
  for (auto& [dial, running] : dials_) {
    running.crossed = true;
    if (std::exchange(running.graced, true)) continue;
    running.deadline = Alarm(clock_, options_.resume_grace, [this, dial = dial] {
      CancelDial(dial,
                 absl::DeadlineExceededError(absl::StrCat(
                     "no connection within ", absl::FormatDuration(options_.resume_grace), " of a resume")));
    });
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> MakeClientWithDialer(Executor& executor, Clock& clock,
                                                             std::unique_ptr<Dialer> dialer,
                                                             ClientOptions options, RandomFraction random,
                                                             std::shared_ptr<ClientCounts> counts) {
  THAW_RETURN_IF_ERROR(options.Validate());
  return std::make_unique<PooledClient>(executor, clock, std::move(dialer), std::move(options),
                                        std::move(random), std::move(counts));
}

}  // namespace thaw
