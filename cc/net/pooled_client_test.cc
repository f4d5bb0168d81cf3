#include "cc/net/pooled_client.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/destination.h"
#include "cc/net/dialer.h"
#include "cc/sim/sim_dialer.h"
#include "cc/sim/sim_intake.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Runs the client against the simulated intake: real pool, real HTTP, scripted peers, virtual time.
class PooledClientTest : public testing::Test {
 protected:
  void Build(ClientOptions options, SimIntakeOptions intake = {}) {
    intake_ = std::make_unique<SimIntake>(world_, std::move(intake));
    auto client =
        MakeClientWithDialer(world_.executor(), world_.clock(), std::make_unique<SimDialer>(world_, *intake_),
                             std::move(options), [this] { return world_.random().Fraction(); });
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  ~PooledClientTest() override {
    if (client_ == nullptr) return;
    client_->Close();
    world_.RunUntil([this] { return client_->settled() && world_.executor().idle(); });
    EXPECT_EQ(client_->open_connections(), 0);
  }

  static HttpRequest Payload(uint64_t id) {
    HttpRequest request;
    request.destination.host = "intake.test";
    request.target = "/api/v0.2/traces";
    request.body = std::make_shared<const std::string>(reinterpret_cast<const char*>(&id), sizeof(id));
    return request;
  }
  // Starts a request; results are stored in the order in which requests end.
  void Start(uint64_t id, SendOptions options = {}) {
    ++started_;
    Spawn<SendResult>(world_.executor(), client_->Send(Payload(id), options, cancellation_),
                      [this](SendResult result) { results_.push_back(std::move(result)); });
  }
  void Finish() {
    ASSERT_TRUE(world_.RunUntil([this] { return results_.size() == started_; })) << "a request never ended";
  }
  SendResult SendOne(uint64_t id, SendOptions options = {}) {
    Start(id, options);
    Finish();
    return results_.back();
  }
  ConnectionCounts connections() const { return client_->counts().connection; }
  ExchangeCounts exchanges() const { return client_->counts().exchange; }

  SimWorld world_{1};
  Cancellation cancellation_;
  std::unique_ptr<SimIntake> intake_;
  std::unique_ptr<Client> client_;
  std::vector<SendResult> results_;
  size_t started_ = 0;
};

// Counts how often it is told to forget.
class ForgettingDialer : public Dialer {
 public:
  explicit ForgettingDialer(int& forgotten) : forgotten_(forgotten) {}
  Task<DialResult> Dial(Destination, Cancellation&) override { co_return DialResult(); }
  void Forget() override { ++forgotten_; }

 private:
  int& forgotten_;
};

TEST_F(PooledClientTest, ForgettingReachesTheDialer) {
  int forgotten = 0;
  client_ =
      *MakeClientWithDialer(world_.executor(), world_.clock(), std::make_unique<ForgettingDialer>(forgotten),
                            ClientOptions(), [] { return 0.5; });
  client_->Forget();
  EXPECT_EQ(forgotten, 1);
}

// Agrees with every peer on a protocol of which there is no connection.
class StrangeDialer : public SimDialer {
 public:
  using SimDialer::SimDialer;
  Task<DialResult> Dial(Destination destination, Cancellation& cancellation) override {
    DialResult result = co_await SimDialer::Dial(std::move(destination), cancellation);
    result.protocol = "h9";
    co_return result;
  }
};

TEST_F(PooledClientTest, AProtocolThatIsNotSpokenFailsTheDial) {
  intake_ = std::make_unique<SimIntake>(world_, SimIntakeOptions());
  client_ = *MakeClientWithDialer(world_.executor(), world_.clock(),
                                  std::make_unique<StrangeDialer>(world_, *intake_),
                                  ClientOptions{.max_attempts = 1}, [] { return 0.5; });
  const SendResult result = SendOne(1);
  EXPECT_EQ(result.last_class, RetryClass::kUnreachable);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].phase, Phase::kTls);
  EXPECT_EQ(result.failures[0].fault, Fault::kProtocol);
  EXPECT_EQ(connections().dial_failed, 1);
  EXPECT_EQ(connections().opened, 0);
}

SimIntakeOptions Always(SimFault fault) { return {.fault_rate = 1, .faults = {fault}}; }

TEST_F(PooledClientTest, TwoRequestsTakeTwoConnectionsWithoutIdleOnes) {
  Build({.max_idle_per_host = 0});
  EXPECT_TRUE(SendOne(1).accepted);
  EXPECT_TRUE(SendOne(2).accepted);
  EXPECT_EQ(intake_->connections(), 2);
  EXPECT_EQ(client_->open_connections(), 0);
}

TEST_F(PooledClientTest, EachHandshakeIsTimedUnlessItFailsOrCrossesAFreeze) {
  Build({.max_idle_per_host = 0}, {.one_way = absl::Milliseconds(20)});
  SendOne(1);
  EXPECT_EQ(connections().handshake_time.count(), 1);
  EXPECT_EQ(connections().handshake_time.max(), absl::Milliseconds(40));
  Start(2);
  ASSERT_TRUE(world_.RunUntil([this] { return connections().dials == 2; }));
  client_->Quiesce();
  client_->Resume();
  Finish();
  EXPECT_EQ(connections().opened, 2);
  EXPECT_EQ(connections().handshake_time.count(), 1);
  Build({.max_idle_per_host = 0, .max_attempts = 1}, Always(SimFault::kTlsReset));
  EXPECT_FALSE(SendOne(3).accepted);
  EXPECT_EQ(connections().handshake_time.count(), 0);
}

// A dial takes 1 ms for the name and a round trip each for TCP and TLS; an exchange a round trip.
TEST_F(PooledClientTest, AnAnsweredRequestHasTheTimesOfItsPhases) {
  Build({.max_idle_per_host = 0}, {.one_way = absl::Milliseconds(20)});
  const SendResult result = SendOne(1);
  ASSERT_TRUE(result.times.has_value());
  const ExchangeTimes& times = *result.times;
  ASSERT_TRUE(times.dial.has_value());
  EXPECT_EQ(times.dial->name_lookup, absl::Milliseconds(1));
  EXPECT_EQ(times.dial->connect, absl::Milliseconds(40));
  EXPECT_EQ(times.dial->tls, absl::Milliseconds(40));
  EXPECT_EQ(times.waited, absl::Milliseconds(81));
  EXPECT_GE(times.first_byte, absl::Milliseconds(40));
  EXPECT_GE(times.last_byte, times.first_byte);
  EXPECT_EQ(result.elapsed, times.waited + times.last_byte);
  EXPECT_FALSE(times.reused);
  EXPECT_FALSE(times.shared);
  EXPECT_EQ(times.epoch, 0);
}

TEST_F(PooledClientTest, TheTimesSayWhetherAConnectionWasSharedOrIdle) {
  Build({.max_idle_per_host = 1, .max_connections_per_host = 1}, {.one_way = absl::Milliseconds(20)});
  Start(1);
  Start(2);
  Finish();
  EXPECT_TRUE(results_[1].times->reused);
  EXPECT_TRUE(results_[1].times->shared);
  EXPECT_FALSE(results_[1].times->dial.has_value());
  // The second one waited for the dial and for the first one's exchange.
  EXPECT_EQ(results_[1].times->waited, results_[0].elapsed);
  ASSERT_TRUE(world_.RunUntil([this] { return client_->idle_connections() == 1; }));
  bool later = false;
  world_.At(absl::Seconds(1), [&later] { later = true; });
  ASSERT_TRUE(world_.RunUntil([&later] { return later; }));
  const SendResult third = SendOne(3);
  EXPECT_TRUE(third.times->reused);
  EXPECT_FALSE(third.times->shared);
  EXPECT_EQ(third.times->waited, absl::ZeroDuration());
}

TEST_F(PooledClientTest, TheTimesHaveTheEpochOfTheirConnection) {
  Build({.max_idle_per_host = 1});
  client_->Resume();
  client_->Resume();
  EXPECT_EQ(SendOne(1).times->epoch, 2);
}

TEST_F(PooledClientTest, ARefusalHasTimesAndAFailureHasNone) {
  Build({.max_attempts = 1}, Always(SimFault::kStatus503));
  EXPECT_TRUE(SendOne(1).times.has_value());
  Build({.max_attempts = 1}, Always(SimFault::kConnectRefused));
  const SendResult refused = SendOne(2);
  EXPECT_FALSE(refused.times.has_value());
  EXPECT_GT(refused.elapsed, absl::ZeroDuration());
}

TEST_F(PooledClientTest, TwoRequestsTakeOneConnectionWhenItIsKept) {
  Build({.max_idle_per_host = 1});
  SendOne(1);
  EXPECT_EQ(client_->idle_connections(), 1);
  SendOne(2);
  EXPECT_EQ(intake_->connections(), 1);
  EXPECT_EQ(connections().reused, 1);
}

TEST_F(PooledClientTest, AFlushOfTwentySharesOneConnectionAndKeepsNone) {
  Build({.max_idle_per_host = 0, .share_within_flush = true},
        {.one_way = absl::Microseconds(50), .service_time = absl::Microseconds(50)});
  for (int id = 1; id <= 20; ++id) Start(id);
  Finish();
  EXPECT_EQ(intake_->connections(), 1);
  EXPECT_EQ(connections().shared, 19);
  EXPECT_EQ(client_->open_connections(), 0);
}

TEST_F(PooledClientTest, FarAwayAFlushOfTwentyTakesSixConnectionsAndTenRoundTripsAtMost) {
  for (const int round_trip : {20, 80}) {
    SCOPED_TRACE(round_trip);
    results_.clear();
    started_ = 0;
    Build({.max_idle_per_host = 0, .share_within_flush = true},
          {.one_way = absl::Milliseconds(round_trip) / 2});
    const absl::Duration began = world_.clock().Now().monotonic;
    for (int id = 1; id <= 20; ++id) Start(id);
    Finish();
    EXPECT_LE(intake_->connections(), 6);
    EXPECT_LE(world_.clock().Now().monotonic - began, 10 * absl::Milliseconds(round_trip));
    EXPECT_EQ(client_->open_connections(), 0);
    client_->Close();
    world_.RunUntil([this] { return client_->settled() && world_.executor().idle(); });
  }
}

TEST_F(PooledClientTest, ASlowIntakeNearbyIsAskedSideBySide) {
  for (const int requests : {10, 30, 60}) {
    SCOPED_TRACE(requests);
    results_.clear();
    started_ = 0;
    Build({}, {.one_way = absl::Microseconds(100), .service_time = absl::Milliseconds(40)});
    const absl::Duration began = world_.clock().Now().monotonic;
    for (int id = 1; id <= requests; ++id) Start(id);
    Finish();
    for (const SendResult& result : results_) EXPECT_TRUE(result.accepted);
    const absl::Duration took = world_.clock().Now().monotonic - began;
    EXPECT_LE(took, (requests / 6 + 2) * absl::Milliseconds(41));
    client_->Close();
    world_.RunUntil([this] { return client_->settled() && world_.executor().idle(); });
  }
}

TEST_F(PooledClientTest, AnIntakeThatClosesEachConnectionIsAskedSideBySideToo) {
  Build({}, {.one_way = absl::Milliseconds(10), .fault_rate = 1, .faults = {SimFault::kConnectionClose}});
  const absl::Duration began = world_.clock().Now().monotonic;
  for (int id = 1; id <= 30; ++id) Start(id);
  Finish();
  EXPECT_EQ(exchanges().accepted, 30);
  // Sending them one after the other would take 30 times a dial and an exchange: 1.9 s.
  EXPECT_LE(world_.clock().Now().monotonic - began, absl::Milliseconds(600));
}

TEST_F(PooledClientTest, RequestsToADestinationThatRefusesShareOneWaitAndOneDial) {
  Build({}, Always(SimFault::kConnectRefused));
  for (int id = 1; id <= 42; ++id) Start(id, {.budget = absl::Seconds(2)});
  Finish();
  for (const SendResult& result : results_) {
    EXPECT_EQ(result.last_class, RetryClass::kUnreachable);
    EXPECT_EQ(result.attempts, 3);
  }
  // Two failures show that the destination is at fault; then there is one dial for each of the two waits.
  EXPECT_LE(connections().dials, 4);
}

TEST_F(PooledClientTest, ARequestThatComesDuringTheWaitWaitsToo) {
  Build({.backoff_base = absl::Seconds(10), .backoff_cap = absl::Seconds(10)},
        Always(SimFault::kConnectRefused));
  Start(1);
  world_.RunUntil([this] { return exchanges().unreachable == 1; });
  ASSERT_EQ(connections().dials, 1);
  intake_->set_fault_rate(0);
  Start(2);
  Start(3, {.budget = absl::Milliseconds(1)});
  world_.Run(absl::Milliseconds(10));
  EXPECT_EQ(connections().dials, 1);
  ASSERT_EQ(results_.size(), 1u) << "its budget does not reach as far";
  EXPECT_EQ(results_[0].last_class, RetryClass::kCancelled);
  Finish();
  EXPECT_TRUE(results_[1].accepted);
  EXPECT_TRUE(results_[2].accepted);
  EXPECT_EQ(connections().dials, 2);
  EXPECT_GT(results_[2].delayed, absl::ZeroDuration());
}

TEST_F(PooledClientTest, TheWaitIsForgottenWhenNoRequestIsLeft) {
  Build({.backoff_base = absl::Seconds(10), .backoff_cap = absl::Seconds(10)},
        Always(SimFault::kConnectRefused));
  Start(1, {.budget = absl::Milliseconds(100)});
  Finish();
  intake_->set_fault_rate(0);
  const SendResult next = SendOne(2);
  EXPECT_TRUE(next.accepted);
  EXPECT_EQ(next.delayed, absl::ZeroDuration());
}

TEST_F(PooledClientTest, WithoutSharingEachRequestHasItsOwn) {
  Build({.max_idle_per_host = 0, .share_within_flush = false, .max_connections_per_host = 32});
  for (int id = 1; id <= 20; ++id) Start(id);
  Finish();
  EXPECT_EQ(intake_->connections(), 20);
}

TEST_F(PooledClientTest, AnEndSeenWhileIdleCostsNothing) {
  Build({.max_idle_per_host = 1, .on_resume = OnResume::kKeep}, {.idle_limit = absl::Seconds(1)});
  SendOne(1);
  world_.Run(absl::Seconds(2));
  EXPECT_EQ(client_->idle_connections(), 0);
  EXPECT_EQ(connections().dropped_peer_closed, 1);
  const SendResult second = SendOne(2);
  EXPECT_TRUE(second.accepted);
  EXPECT_TRUE(second.failures.empty());
}

TEST_F(PooledClientTest, APeekFindsTheEndThatCameDuringAFreeze) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Hours(1), .on_resume = OnResume::kKeep},
        {.idle_limit = absl::Seconds(1)});
  SendOne(1);
  world_.Freeze(absl::Seconds(2), FrozenClocks::kAllAdvance);
  EXPECT_TRUE(SendOne(2).accepted);
  EXPECT_EQ(exchanges().stale, 0);
  EXPECT_EQ(intake_->connections(), 2);
}

TEST_F(PooledClientTest, AForgottenConnectionIsStaleAndTheResendIsMarked) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Hours(1), .on_resume = OnResume::kKeep},
        {.idle_limit = absl::Seconds(1), .idle_close = IdleClose::kSilent});
  SendOne(1);
  world_.Freeze(absl::Seconds(2), FrozenClocks::kAllAdvance);
  const SendResult second = SendOne(2);
  EXPECT_TRUE(second.accepted);
  EXPECT_TRUE(second.possible_duplicate);
  EXPECT_EQ(exchanges().stale, 1);
  EXPECT_EQ(second.failures.at(0).idle_for, absl::Seconds(2) + absl::Milliseconds(0));
  EXPECT_EQ(intake_->accepted(2), 1);
}

TEST_F(PooledClientTest, DrainingOnResumeAvoidsIt) {
  Build({.max_idle_per_host = 1, .on_resume = OnResume::kDrain},
        {.idle_limit = absl::Seconds(1), .idle_close = IdleClose::kSilent});
  SendOne(1);
  world_.Freeze(absl::Seconds(2), FrozenClocks::kAllAdvance);
  client_->Resume();
  const SendResult second = SendOne(2);
  EXPECT_TRUE(second.accepted);
  EXPECT_FALSE(second.possible_duplicate);
  EXPECT_EQ(connections().dropped_epoch, 1);
}

TEST_F(PooledClientTest, HyperLosesTheRequestOnAForgottenConnection) {
  Build({.max_idle_per_host = ClientOptions::kUnlimited,
         .idle_timeout = absl::Seconds(90),
         .liveness = Liveness::kReactorOnly,
         .expiry_clock = ExpiryClock::kMonotonic,
         .max_attempts = 1,
         .resend_rule = ResendRule::kUnsentOnly},
        {.idle_limit = absl::Seconds(1), .idle_close = IdleClose::kSilent});
  SendOne(1);
  world_.Freeze(absl::Seconds(2), FrozenClocks::kAllAdvance);
  const SendResult second = SendOne(2);
  EXPECT_FALSE(second.accepted);
  EXPECT_EQ(second.attempts, 1);
  EXPECT_EQ(intake_->accepted(2), 0);
}

TEST_F(PooledClientTest, HyperGetsBackARequestWhoseConnectionTheLoopSawEndFirst) {
  Build({.max_idle_per_host = ClientOptions::kUnlimited,
         .idle_timeout = absl::Seconds(90),
         .liveness = Liveness::kReactorOnly,
         .max_attempts = 1,
         .resend_rule = ResendRule::kUnsentOnly},
        {.idle_limit = absl::Seconds(1), .idle_close = IdleClose::kFin});
  SendOne(1);
  world_.Freeze(absl::Seconds(2), FrozenClocks::kAllAdvance);
  const SendResult second = SendOne(2);
  EXPECT_TRUE(second.accepted);
}

TEST_F(PooledClientTest, AnAnswerCutAfterItsHeadIsAccepted) {
  Build({}, Always(SimFault::kHalfBody));
  const SendResult result = SendOne(1);
  EXPECT_TRUE(result.accepted);
  EXPECT_FALSE(result.response->body_whole);
  EXPECT_EQ(result.attempts, 1);
}

TEST_F(PooledClientTest, WithoutAnAnswerOnAFreshConnectionItIsAmbiguousAndMarked) {
  Build({.max_attempts = 3}, Always(SimFault::kEndAccepted));
  const SendResult result = SendOne(1);
  EXPECT_FALSE(result.accepted);
  EXPECT_EQ(result.attempts, 3);
  EXPECT_EQ(result.last_class, RetryClass::kAmbiguous);
  EXPECT_TRUE(result.possible_duplicate);
  EXPECT_TRUE(result.may_have_been_accepted);
  EXPECT_EQ(intake_->accepted(1), 3);
}

TEST_F(PooledClientTest, APipelineThatMustNotCountTwiceDoesNotResendIt) {
  Build({.max_attempts = 3}, Always(SimFault::kEndAccepted));
  const SendResult result = SendOne(1, {.retry_ambiguous = false});
  EXPECT_EQ(result.attempts, 1);
  EXPECT_EQ(intake_->accepted(1), 1);
}

TEST_F(PooledClientTest, RefusalsAreClassifiedByStatus) {
  Build({.max_attempts = 2}, Always(SimFault::kStatus400));
  EXPECT_EQ(SendOne(1).last_class, RetryClass::kRefusedForGood);
  EXPECT_EQ(exchanges().attempts, 1);
}

TEST_F(PooledClientTest, ARequestThatWouldBecomeTwoIsRefusedUnsent) {
  Build({.max_attempts = 3});
  for (const char* value : {"x\r\nHost: other", "x\n", "x\r\n\r\nGET / HTTP/1.1"}) {
    HttpRequest request = Payload(1);
    request.headers = {{"X-One", value}};
    ++started_;
    Spawn<SendResult>(world_.executor(), client_->Send(std::move(request), {}, cancellation_),
                      [this](SendResult result) { results_.push_back(std::move(result)); });
    Finish();
    EXPECT_EQ(results_.back().last_class, RetryClass::kRefusedForGood);
    EXPECT_EQ(results_.back().failures.size(), 1);
    EXPECT_EQ(results_.back().attempts, 0);
    EXPECT_FALSE(results_.back().may_have_been_accepted);
  }
  EXPECT_EQ(exchanges().refused_for_good, 3);
  EXPECT_EQ(intake_->connections(), 0);
  EXPECT_TRUE(SendOne(2).accepted);
}

TEST_F(PooledClientTest, ARequestMayHaveAttemptsOfItsOwn) {
  Build({.max_attempts = 3}, Always(SimFault::kStatus429));
  EXPECT_EQ(SendOne(1, {.max_attempts = 1}).attempts, 1);
}

TEST_F(PooledClientTest, RetryAfterIsHonoured) {
  Build({.max_attempts = 2}, Always(SimFault::kStatus429));
  const SendResult result = SendOne(1);
  EXPECT_EQ(result.attempts, 2);
  EXPECT_EQ(result.delayed, absl::Seconds(1));
}

TEST_F(PooledClientTest, ARetryAfterPastTheBudgetIsNotWaitedFor) {
  Build({.max_attempts = 2}, Always(SimFault::kStatus429));
  const SendResult result = SendOne(1, {.budget = absl::Milliseconds(500)});
  EXPECT_EQ(result.attempts, 1);
  EXPECT_LT(world_.now(), absl::Milliseconds(500));
}

TEST_F(PooledClientTest, ABlackHoleEndsWithTheBudget) {
  Build({}, Always(SimFault::kBlackHole));
  const SendResult result = SendOne(1, {.budget = absl::Seconds(2)});
  EXPECT_FALSE(result.accepted);
  EXPECT_TRUE(result.may_have_been_accepted);
  EXPECT_EQ(world_.now(), absl::Seconds(2));
  EXPECT_EQ(result.failures.back().fault, Fault::kTimeout);
}

TEST_F(PooledClientTest, ADialThatHangsIsUnreachable) {
  Build({}, Always(SimFault::kTlsHangs));
  const SendResult result = SendOne(1, {.budget = absl::Seconds(2)});
  EXPECT_EQ(result.last_class, RetryClass::kUnreachable);
  EXPECT_FALSE(result.may_have_been_accepted);
}

TEST_F(PooledClientTest, APartOfARequestIsSentOnceMoreOnAFreshConnection) {
  Build({.max_attempts = 1}, Always(SimFault::kResetOnFirstByte));
  const SendResult result = SendOne(1);
  EXPECT_FALSE(result.accepted);
  EXPECT_EQ(intake_->accepted(1), 0);
}

TEST_F(PooledClientTest, AnExchangeOpenAtAResumeGetsTheGraceAndNotMore) {
  Build({.max_attempts = 1}, Always(SimFault::kNeverAnswers));
  Start(1, {.budget = absl::Seconds(30)});
  world_.Run(absl::Milliseconds(100));
  EXPECT_EQ(client_->Quiesce(), 1);
  world_.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);
  client_->Resume();
  Finish();
  EXPECT_TRUE(results_.back().failures.at(0).epoch_crossed);
  EXPECT_EQ(results_.back().last_class, RetryClass::kAmbiguous);
  EXPECT_EQ(world_.now(), absl::Milliseconds(100) + absl::Seconds(61));
  EXPECT_EQ(connections().crossed, 1);
  EXPECT_EQ(connections().open_at_next, 1);
}

TEST_F(PooledClientTest, AnEndThatIsSeenBeforeTheResumeIsToldIsTheFreezesAllTheSame) {
  const auto reset_in_a_freeze = [this](bool quiesced, auto frozen_when) {
    Build({}, Always(SimFault::kResetAccepted));
    Start(1, {.budget = absl::Seconds(30)});
    ASSERT_TRUE(world_.RunUntil(frozen_when));
    if (quiesced) {
      EXPECT_EQ(client_->Quiesce(), 1);
    }
    world_.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);
    ASSERT_TRUE(world_.RunUntil([this] { return exchanges().stale + exchanges().ambiguous == 1; }));
    intake_->set_fault_rate(0);
    client_->Resume();
    Finish();
    const SendResult& result = results_.back();
    EXPECT_TRUE(result.accepted);
    EXPECT_TRUE(result.possible_duplicate);
    ASSERT_EQ(result.failures.size(), 1u);
    EXPECT_EQ(ClassOf(result.failures[0]), quiesced ? RetryClass::kStale : RetryClass::kAmbiguous);
    EXPECT_EQ(result.delayed == absl::ZeroDuration(), quiesced);
  };
  reset_in_a_freeze(true, [this] { return intake_->accepted(1) == 1; });
  // The connection is there, and the request waits for the loop's next turn.
  reset_in_a_freeze(true, [this] { return client_->open_connections() == 1; });
  reset_in_a_freeze(false, [this] { return client_->open_connections() == 1; });
}

TEST_F(PooledClientTest, ADialThatFailsBeforeTheResumeIsToldIsRepeatedAtOnce) {
  Build({}, Always(SimFault::kTlsReset));
  Start(1, {.budget = absl::Seconds(30)});
  ASSERT_TRUE(world_.RunUntil([this] { return client_->Quiesce() == 1; }));
  world_.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);
  ASSERT_TRUE(world_.RunUntil([this] { return exchanges().unreachable == 1; }));
  intake_->set_fault_rate(0);
  client_->Resume();
  Finish();
  EXPECT_TRUE(results_.back().accepted);
  EXPECT_TRUE(results_.back().failures.at(0).epoch_crossed);
  EXPECT_EQ(results_.back().delayed, absl::ZeroDuration());
}

TEST_F(PooledClientTest, ADialThatTheFreezeBrokeIsRepeatedAtOnce) {
  Build({}, Always(SimFault::kTlsHangs));
  Start(1, {.budget = absl::Seconds(30)});
  world_.Run(absl::Milliseconds(100));
  intake_->set_fault_rate(0);
  world_.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);
  client_->Resume();
  Finish();
  const SendResult& result = results_.back();
  EXPECT_TRUE(result.accepted);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_TRUE(result.failures[0].epoch_crossed);
  EXPECT_EQ(ClassOf(result.failures[0]), RetryClass::kUnreachable);
  EXPECT_EQ(result.attempts, 2);
  EXPECT_EQ(result.delayed, absl::ZeroDuration());
}

TEST_F(PooledClientTest, ShortInvocationsDoNotKeepAHungDialForEver) {
  Build({}, Always(SimFault::kTlsHangs));
  Start(1, {.budget = absl::Seconds(30)});
  world_.Run(absl::Milliseconds(100));
  intake_->set_fault_rate(0);
  int freezes = 0;
  for (; results_.empty() && freezes < 100; ++freezes) {
    world_.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);
    client_->Resume();
    world_.Run(absl::Milliseconds(100));
  }
  ASSERT_FALSE(results_.empty());
  EXPECT_TRUE(results_.back().accepted);
  EXPECT_LE(freezes, 12) << "a grace of one second, in parts of a tenth";
}

TEST_F(PooledClientTest, ShortInvocationsDoNotKeepAnExchangeForEver) {
  Build({.max_attempts = 1}, Always(SimFault::kNeverAnswers));
  Start(1, {.budget = absl::Seconds(30)});
  world_.Run(absl::Milliseconds(100));
  int freezes = 0;
  for (; results_.empty() && freezes < 100; ++freezes) {
    world_.Freeze(absl::Seconds(60), FrozenClocks::kAllAdvance);
    client_->Resume();
    world_.Run(absl::Milliseconds(100));
  }
  ASSERT_FALSE(results_.empty());
  EXPECT_EQ(results_.back().last_class, RetryClass::kAmbiguous);
  EXPECT_LE(freezes, 12);
}

TEST_F(PooledClientTest, ADialThatFailsWithoutAFreezeWaitsForItsBackoff) {
  Build({}, Always(SimFault::kTlsReset));
  Start(1, {.budget = absl::Seconds(30)});
  world_.RunUntil([this] { return exchanges().unreachable == 1; });
  intake_->set_fault_rate(0);
  Finish();
  EXPECT_TRUE(results_.back().accepted);
  EXPECT_FALSE(results_.back().failures.at(0).epoch_crossed);
  EXPECT_GT(results_.back().delayed, absl::ZeroDuration());
}

TEST_F(PooledClientTest, AConnectionWhoseExchangeHadJustEndedAtCloseIsClosed) {
  Build({.max_idle_per_host = 1});
  Start(1);
  ASSERT_TRUE(world_.RunUntil([this] { return exchanges().bytes_received > 0; }));
  ASSERT_EQ(client_->open_exchanges(), 1) << "the request has not been told of its answer";
  client_->Close();
  Finish();
  EXPECT_TRUE(results_[0].accepted);
  EXPECT_EQ(client_->open_connections(), 0);
}

TEST_F(PooledClientTest, CancellingEndsEveryPhase) {
  for (const SimFault fault : {SimFault::kConnectHangs, SimFault::kTlsHangs, SimFault::kStallMidRequest,
                               SimFault::kNeverAnswers, SimFault::kStatus429}) {
    SCOPED_TRACE(static_cast<int>(fault));
    Build({.max_attempts = 10}, Always(fault));
    Cancellation stop;
    std::optional<SendResult> result;
    Spawn<SendResult>(world_.executor(), client_->Send(Payload(1), {}, stop),
                      [&](SendResult ended) { result = std::move(ended); });
    world_.Run(absl::Milliseconds(200));
    stop.Request(absl::CancelledError("stop"));
    world_.RunUntil([&] { return result.has_value(); });
    EXPECT_FALSE(result->accepted);
    client_->Close();
    world_.RunUntil([this] { return client_->settled() && world_.executor().idle(); });
    EXPECT_EQ(client_->open_connections(), 0);
  }
}

}  // namespace
}  // namespace thaw
