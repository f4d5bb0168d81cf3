#include "cc/net/pooled_client.h"

#include <algorithm>
#include <cstdint>
#include <map>
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
#include "cc/net/backoff.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http1_connection.h"
#include "cc/net/pool.h"
#include "cc/net/retry_policy.h"

namespace thaw {
namespace {

bool IsSuccess(const HttpResponse& response) { return response.status / 100 == 2; }

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
            [this](uint64_t dial, ConnectionPool::GivenUp why) { GiveUpDial(dial, why); }) {}

  Task<SendResult> Send(HttpRequest request, SendOptions options, Cancellation& cancellation) override;
  void Resume() override;
  int Quiesce() override;
  void Forget() override { dialer_->Forget(); }
  void Close() override {
    closed_ = true;
    everything_.Request(absl::CancelledError("the client was closed"));
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
  ClientCounts counts() const override { return *counts_; }
  const ClientOptions& options() const override { return options_; }

 private:
  struct Connection {
    std::shared_ptr<Http1Connection> http;
    RequestForm form;

    bool open() const { return http->open(); }
    bool CheckUsable() { return http->CheckUsable(); }
    void Close() { http->Close(); }
  };
  using ConnectionPool = Pool<Destination, Connection, ExchangeFailure>;

  // An exchange under way, so that a resume reaches it.
  struct Exchange {
    std::shared_ptr<Http1Connection> connection;
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
  };
  // A destination to which dials fail. All its requests wait for the same moment; then one of them dials, and
  // the others wait for its result.
  struct FailedDials {
    int rounds = 0;        // failures in a row, each followed by a wait
    absl::Duration until;  // on the monotonic clock
  };

  void StartDial(const Destination& destination, uint64_t dial);
  void CancelDial(uint64_t dial, const absl::Status& reason);
  void GiveUpDial(uint64_t dial, ConnectionPool::GivenUp why);
  void OnDialled(const Destination& destination, uint64_t dial, DialResult result);
  void CountFailedDial(const Destination& destination);
  // Returns the time until the next dial to `destination` may begin.
  absl::Duration UntilNextDial(const Destination& destination) const;

  Task<Try> TryOnce(const HttpRequest& request, Want want, Cancellation& scope);
  RetryRules RulesOf(const Destination& destination, const SendOptions& options) const;
  // Judges an answer that is not 2xx as a failed exchange.
  ExchangeFailure RefusalOf(const HttpRequest& request, const HttpResponse& response) const;
  void Count(RetryClass retry_class);
  // Ends a request that must not be sent: no further try could succeed.
  void Refuse(absl::Status why, SendResult& result);

  Executor& executor_;
  Clock& clock_;
  const std::unique_ptr<Dialer> dialer_;
  const ClientOptions options_;
  RandomFraction random_;
  const std::shared_ptr<ClientCounts> counts_;
  Cancellation everything_;
  ConnectionPool pool_;
  std::map<uint64_t, RunningDial> dials_;
  std::map<uint64_t, Exchange> exchanges_;
  std::map<Destination, FailedDials> failed_dials_;  // kept while there are requests
  uint64_t next_id_ = 1;
  int sends_ = 0;
  int64_t quiesces_ = 0;
  bool given_up_ = false;  // between a quiesce and its resume
  bool closed_ = false;
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

void PooledClient::GiveUpDial(uint64_t dial, ConnectionPool::GivenUp why) {
  const auto found = dials_.find(dial);
  if (found != dials_.end()) found->second.not_needed = why == ConnectionPool::GivenUp::kServed;
  CancelDial(dial, absl::CancelledError("no request waits for this connection"));
}

void PooledClient::OnDialled(const Destination& destination, uint64_t dial, DialResult result) {
  const auto running = dials_.find(dial);
  const bool crossed = running->second.crossed;
  const bool not_needed = running->second.not_needed;
  dials_.erase(running);
  ConnectionPool::Dialled dialled;
  // Frozen time is not part of a dial's time.
  if (!crossed) dialled.took = result.took;
  if (result.transport != nullptr) {
    ++counts_->connection.opened;
    if (!crossed && result.handshake_took.has_value())
      counts_->connection.handshake_time.Record(*result.handshake_took);
    auto connection = std::make_shared<Connection>();
    connection->form = {result.absolute_form, std::move(result.proxy_authorization)};
    // The pool owns an idle connection; the pending read must not keep the pool's entry alive.
    connection->http = Http1Connection::Start(
        executor_, clock_, std::move(result.transport), options_, counts_->exchange,
        [this, destination, entry = std::weak_ptr<Connection>(connection)](const Http1Connection*) {
          if (const auto held = entry.lock()) pool_.OnIdleClosed(destination, held.get());
        });
    dialled.connection = std::move(connection);
    failed_dials_.erase(destination);
  } else {
    // A dial that was not needed any more says nothing about its destination.
    if (!not_needed) ++counts_->connection.dial_failed;
    dialled.failure = std::move(result.failure);
    dialled.failure->epoch_crossed = crossed;
    if (!crossed && ClassOf(*dialled.failure) == RetryClass::kUnreachable) CountFailedDial(destination);
  }
  pool_.OnDialled(dial, std::move(dialled));
}

void PooledClient::CountFailedDial(const Destination& destination) {
  if (options_.resend_rule == ResendRule::kUnsentOnly) return;
  FailedDials& failed = failed_dials_[destination];
  const absl::Duration now = clock_.Now().monotonic;
  // A dial that began in the previous round adds no information.
  if (failed.rounds > 0 && now < failed.until) return;
  failed.until = now + Backoff(options_.backoff_base, options_.backoff_cap, ++failed.rounds, random_());
}

absl::Duration PooledClient::UntilNextDial(const Destination& destination) const {
  const auto found = failed_dials_.find(destination);
  if (found == failed_dials_.end()) return absl::ZeroDuration();
  return std::max(found->second.until - clock_.Now().monotonic, absl::ZeroDuration());
}

// -- One try ---------------------------------------------------------------------------------------------

Task<PooledClient::Try> PooledClient::TryOnce(const HttpRequest& request, Want want, Cancellation& scope) {
  Try result;
  const int64_t quiesces_before = quiesces_;
  // One deadline covers all phases of the exchange, the wait for a connection included.
  Cancellation exchange_scope(&scope);
  const Alarm deadline(
      clock_, options_.exchange_timeout,
      [&exchange_scope, this] {
        exchange_scope.Request(absl::DeadlineExceededError(
            absl::StrCat("no answer within ", absl::FormatDuration(options_.exchange_timeout))));
      },
      options_.late_alarm);

  std::optional<ConnectionPool::Lease> lease;
  {
    Completion<ConnectionPool::Acquired> acquired(executor_);
    const auto waiter =
        pool_.Acquire(request.destination, want,
                      [&acquired](ConnectionPool::Acquired answer) { acquired.Set(std::move(answer)); });
    const auto registration = exchange_scope.OnRequest([&](const absl::Status& reason) {
      // The request was served already: its answer is on the way and is handled below.
      if (!pool_.CancelWaiter(request.destination, waiter)) return;
      ExchangeFailure failure;
      failure.phase = Phase::kConnect;
      failure.fault = FaultOfCancellation(reason);
      failure.error = absl::Status(
          reason.code(),
          absl::StrCat(ToString(request.destination), ": waiting for a connection: ", reason.message()));
      acquired.Set(std::move(failure));
    });
    ConnectionPool::Acquired answer = co_await acquired;
    if (auto* failure = std::get_if<ExchangeFailure>(&answer)) {
      result.failure = std::move(*failure);
      co_return result;
    }
    lease = std::get<ConnectionPool::Lease>(std::move(answer));
  }

  const std::shared_ptr<Http1Connection> http = lease->connection->http;
  const uint64_t id = next_id_++;
  Exchange& exchange = exchanges_[id];
  exchange.connection = http;
  exchange.crossed = lease->epoch != pool_.epoch() || (given_up_ && quiesces_ != quiesces_before);
  Completion<ExchangeEnd> ended(executor_);
  http->Begin(request, lease->connection->form, [&ended](ExchangeEnd end) { ended.Set(std::move(end)); });
  ExchangeEnd end;
  {
    const auto registration = exchange_scope.OnRequest(
        [&http](const absl::Status& reason) { http->Abort(FaultOfCancellation(reason), reason); });
    end = co_await ended;
  }
  if (end.failure.has_value()) {
    end.failure->reused = lease->reused;
    end.failure->epoch_crossed = exchange.crossed;
    end.failure->idle_for = lease->idle_for;
  }
  result.failure = std::move(end.failure);
  result.response = std::move(end.response);
  exchanges_.erase(id);
  pool_.Release(*std::move(lease), end.reusable, /*answered=*/result.response.has_value());
  co_return result;
}

// -- Retry -----------------------------------------------------------------------------------------------

void PooledClient::Count(RetryClass retry_class) {
  ExchangeCounts& counts = counts_->exchange;
  switch (retry_class) {
    case RetryClass::kUnsent:
      ++counts.unsent;
      break;
    case RetryClass::kUnreachable:
      ++counts.unreachable;
      break;
    case RetryClass::kMisconfigured:
      ++counts.misconfigured;
      break;
    case RetryClass::kIncomplete:
      ++counts.incomplete;
      break;
    case RetryClass::kStale:
      ++counts.stale;
      break;
    case RetryClass::kAmbiguous:
      ++counts.ambiguous;
      break;
    case RetryClass::kRefusedForNow:
      ++counts.refused_for_now;
      break;
    case RetryClass::kRefusedForGood:
      ++counts.refused_for_good;
      break;
    case RetryClass::kCancelled:
      ++counts.cancelled;
      break;
  }
}

RetryRules PooledClient::RulesOf(const Destination& destination, const SendOptions& options) const {
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

ExchangeFailure PooledClient::RefusalOf(const HttpRequest& request, const HttpResponse& response) const {
  ExchangeFailure refusal;
  refusal.phase = Phase::kBody;
  refusal.bytes_written = BytesWritten::kAll;
  refusal.response_begun = refusal.head_complete = true;
  refusal.status = response.status;
  if (const auto header = FindHeader(response.headers, "retry-after"))
    refusal.retry_after = ParseRetryAfter(*header, clock_.Now().wall);
  refusal.error =
      absl::FailedPreconditionError(absl::StrCat(request.method, " ", ToString(request.destination),
                                                 PathOf(request.target), ": answered ", refusal.status));
  return refusal;
}

void PooledClient::Refuse(absl::Status why, SendResult& result) {
  ExchangeFailure failure;
  failure.phase = Phase::kWrite;
  failure.fault = Fault::kProtocol;
  failure.error = std::move(why);
  result.failures.push_back(std::move(failure));
  result.last_class = RetryClass::kRefusedForGood;
  Count(RetryClass::kRefusedForGood);
}

Task<SendResult> PooledClient::Send(HttpRequest request, SendOptions options, Cancellation& cancellation) {
  SendResult result;
  result.possible_duplicate = options.possible_duplicate;
  ++counts_->exchange.requests;
  if (absl::Status status = request.Validate(); !status.ok()) {
    Refuse(std::move(status), result);
    co_return result;
  }
  ++sends_;
  Cancellation scope(&cancellation);
  const auto closing = everything_.OnRequest([&scope](const absl::Status& reason) { scope.Request(reason); });
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
  const RetryRules rules = RulesOf(request.destination, options);
  RetryState state;
  Want want = Want::kAny;
  while (!scope.requested()) {
    // All requests to a destination to which dials fail wait for the same moment, whenever they came.
    if (const absl::Duration wait = UntilNextDial(request.destination); wait > absl::ZeroDuration()) {
      state.delayed += wait;
      const absl::Status slept = co_await Sleep(executor_, clock_, wait, scope);
      if (!slept.ok()) break;
      continue;
    }
    ++counts_->exchange.attempts;
    if (state.may_have_been_accepted && !std::exchange(result.possible_duplicate, true)) {
      ++counts_->exchange.possible_duplicates;
    }
    Try tried = co_await TryOnce(request, want, scope);
    if (tried.response.has_value()) {
      result.response = std::move(tried.response);
      if (IsSuccess(*result.response)) {
        ++state.attempts;
        result.accepted = true;
        ++counts_->exchange.accepted;
        break;
      }
      tried.failure = RefusalOf(request, *result.response);
    }
    ExchangeFailure& failure = *tried.failure;
    result.last_class = ClassOf(failure);
    Count(*result.last_class);
    if (result.last_class == RetryClass::kUnsent) --counts_->exchange.attempts;
    VLOG(1) << failure.ToString();
    const RetryVerdict verdict = DecideRetry(rules, failure, random_, state);
    want = verdict.fresh ? Want::kFresh : Want::kAny;
    result.failures.push_back(std::move(failure));
    if (!verdict.again) break;
    const absl::Duration delay =
        verdict.when_dialled_again ? UntilNextDial(request.destination) : verdict.delay;
    // A wait past the budget would only hold the flush up.
    if (budget.has_value() && delay >= budget->left()) break;
    if (delay > absl::ZeroDuration()) {
      state.delayed += delay;
      const absl::Status slept = co_await Sleep(executor_, clock_, delay, scope);
      if (!slept.ok()) break;
    }
  }
  result.attempts = state.attempts;
  result.unsent_laps = state.unsent;
  result.delayed = state.delayed;
  if (result.accepted) {
    result.last_class.reset();
  } else {
    result.may_have_been_accepted = state.may_have_been_accepted;
    if (result.failures.empty()) result.last_class = RetryClass::kCancelled;
  }
  if (--sends_ == 0) failed_dials_.clear();
  co_return result;
}

// -- Quiesce and resume ------------------------------------------------------------------------------------

int PooledClient::Quiesce() {
  ++quiesces_;
  given_up_ = true;
  counts_->connection.open_at_next += open_exchanges();
  // After the freeze, the loop may see a connection's end before it sees the event that reports the resume.
  for (auto& [id, exchange] : exchanges_) exchange.crossed = true;
  for (auto& [dial, running] : dials_) running.crossed = true;
  return open_exchanges();
}

void PooledClient::Resume() {
  ++counts_->connection.resumes;
  given_up_ = false;
  pool_.Resume();
  // Open exchanges go on for the grace: their answer, or the end of their connection, may be on the way. They
  // are not waited for longer, since a peer that forgot a connection sends nothing. An exchange that crosses
  // again keeps what is left of its grace; otherwise short invocations would keep it for ever.
  for (auto& [id, exchange] : exchanges_) {
    ++counts_->connection.crossed;
    exchange.crossed = true;
    if (std::exchange(exchange.graced, true)) continue;
    exchange.grace = Alarm(clock_, options_.resume_grace, [this, connection = exchange.connection] {
      connection->Abort(Fault::kTimeout, absl::DeadlineExceededError(absl::StrCat(
                                             "no answer within ", absl::FormatDuration(options_.resume_grace),
                                             " of a resume")));
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
