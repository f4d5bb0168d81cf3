#include "cc/flush/pipeline_flusher.h"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/clock/sleep.h"
#include "cc/flush/fake_client.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// A key that a lookup may change.
class ScriptedKey : public ApiKeySource {
 public:
  ScriptedKey(Executor& executor, Clock& clock, std::string key)
      : key(std::move(key)), executor_(executor), clock_(clock) {}
  std::string Current() const override { return key; }
  Task<bool> Refresh() override {
    ++refreshes;
    if (takes > absl::ZeroDuration()) {
      Cancellation never;
      Task<absl::Status> sleeping = Sleep(executor_, clock_, takes, never);
      EXPECT_TRUE((co_await std::move(sleeping)).ok());
    }
    const std::string before = key;
    if (next.has_value()) key = *next;
    co_return key != before;
  }
  std::string key;
  std::optional<std::string> next;
  absl::Duration takes;
  int refreshes = 0;

 private:
  Executor& executor_;
  Clock& clock_;
};

class PipelineFlusherTest : public testing::Test {
 protected:
  struct Given {
    FlusherOptions options;
    LimitOptions limits;
    std::optional<PeersOptions> peers;
    int additional = 0;
  };

  void Make(const Given& given) {
    std::vector<Endpoint> endpoints;
    for (int i = 0; i <= given.additional; ++i) {
      keys_.push_back(std::make_shared<ScriptedKey>(executor_, clock_, "key" + std::to_string(i)));
      endpoints.push_back(
          *MakeEndpoint("https://intake" + std::to_string(i) + ".example", "/api/v0.2/traces", keys_.back()));
    }
    flusher_ = std::make_unique<PipelineFlusher>(executor_, clock_, client_, given.options, "traces",
                                                 std::move(endpoints), given.limits, given.peers);
    flusher_->set_on_outcome([this](const PayloadOutcome& outcome) {
      EXPECT_TRUE(outcomes_.emplace(outcome.id, outcome).second)
          << "payload " << outcome.id << " ended twice";
    });
    client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  }
  static EncodedRequest Request(PayloadId id, size_t bytes = 16) {
    EncodedRequest request;
    request.headers = {{"content-type", "application/x-protobuf"}};
    std::string body(bytes, '.');
    body.replace(0, 4, "p" + std::to_string(id) + "   ", 0, 4);
    request.body = std::make_shared<const std::string>(std::move(body));
    request.payloads = {id};
    return request;
  }
  void Make() { Make(Given()); }
  void Add(PayloadId id) { ASSERT_TRUE(flusher_->Add(Request(id)).ok()); }
  void Check() {
    ASSERT_TRUE(flusher_->CheckInvariantByWalking().ok()) << flusher_->CheckInvariantByWalking();
  }

  // Runs a flush step by step and checks the invariant after each; time passes when nothing else is to be
  // done.
  FlushReport RunFlush(bool shutdown = false, absl::Duration deadline = absl::Seconds(10)) {
    std::optional<FlushReport> report;
    Cancellation cancellation;
    Task<FlushReport> flush =
        shutdown ? flusher_->Shutdown(deadline, cancellation) : flusher_->Flush(deadline, cancellation);
    Spawn<FlushReport>(executor_, std::move(flush), [&report](FlushReport got) { report = std::move(got); });
    for (int step = 0; !report.has_value(); ++step) {
      EXPECT_LT(step, 100'000) << "the flush never ends";
      if (step >= 100'000) std::abort();
      if (!executor_.Step()) {
        const std::optional<absl::Duration> next = clock_.UntilNextAlarm();
        clock_.Advance(next.value_or(absl::Seconds(1)));
      }
      Check();
    }
    return *std::move(report);
  }
  std::vector<std::string> SentBodies() const {
    std::vector<std::string> bodies;
    for (const FakeClient::Sent& sent : client_.sent()) bodies.push_back(sent.request.body->substr(0, 2));
    return bodies;
  }
  static std::string KeyOf(const FakeClient::Sent& sent) {
    return std::string(FindHeader(sent.request.headers, "dd-api-key").value_or("none"));
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeClient client_{executor_, clock_};
  std::vector<std::shared_ptr<ScriptedKey>> keys_;
  std::unique_ptr<PipelineFlusher> flusher_;
  std::map<PayloadId, PayloadOutcome> outcomes_;
};

using Bodies = std::vector<std::string>;

TEST_F(PipelineFlusherTest, ARequestsTargetStandsBehindTheEndpoints) {
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  for (const char* base : {"", "/base"}) {
    flusher_ = std::make_unique<PipelineFlusher>(
        executor_, clock_, client_, FlusherOptions(), "proxied",
        std::vector<Endpoint>{*MakeEndpoint(absl::StrCat("https://intake.example", base), /*path=*/"",
                                            std::make_shared<LiteralApiKey>("key"))});
    EncodedRequest request = Request(1);
    request.target = "/api/v2/debugger?ddtags=env:prod";
    request.method = base[0] == '\0' ? "POST" : "GET";
    ASSERT_TRUE(flusher_->Add(std::move(request)).ok());
    EXPECT_EQ(RunFlush().delivered, 1);
    EXPECT_EQ(client_.sent().back().request.target, absl::StrCat(base, "/api/v2/debugger?ddtags=env:prod"));
    EXPECT_EQ(client_.sent().back().request.method, base[0] == '\0' ? "POST" : "GET");
  }
}

TEST_F(PipelineFlusherTest, SendsEverythingAtOnceAndAny2xxIsSuccess) {
  Make();
  for (PayloadId id = 1; id <= 3; ++id) Add(id);
  for (const int status : {200, 202, 204})
    client_.Answer({.result = Answered(status), .after = absl::Seconds(1)});
  const FlushReport report = RunFlush();
  EXPECT_EQ(client_.most_open(), 3);
  EXPECT_EQ(report.delivered, 3);
  EXPECT_EQ(report.requests, 3);
  EXPECT_EQ(report.retained, 0);
  EXPECT_EQ(report.elapsed, absl::Seconds(1));
  EXPECT_TRUE(report.errors.empty());
  EXPECT_EQ(client_.sent()[0].request.target, "/api/v0.2/traces");
  EXPECT_EQ(client_.sent()[0].request.destination.host, "intake0.example");
  EXPECT_EQ(KeyOf(client_.sent()[0]), "key0");
  EXPECT_EQ(client_.sent()[0].options.budget, absl::Seconds(10));
  EXPECT_EQ(client_.sent()[0].request.body_timeout, kUnwantedBodyTimeout)
      << "a body that never ends would hold the flush up";
}

TEST_F(PipelineFlusherTest, AnEmptyFlushDoesNothing) {
  Make();
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.requests, 0);
  EXPECT_EQ(report.payloads, 0);
}

TEST_F(PipelineFlusherTest, AFailedPayloadGoesFirstInTheNextFlushByteIdenticalAndTheRestStaysDelivered) {
  Make();
  for (PayloadId id = 1; id <= 3; ++id) Add(id);
  client_.Answer(Accepted());
  client_.Answer(Unreachable());
  client_.Answer(Accepted());
  const FlushReport first = RunFlush();
  EXPECT_EQ(first.delivered, 2);
  EXPECT_EQ(first.retained, 1);
  EXPECT_EQ(first.failures.size(), 1);
  EXPECT_TRUE(first.errors.empty()) << "what is sent again later is no error";
  const auto body = client_.sent()[1].request.body;
  client_.clear_sent();
  Add(4);
  const FlushReport second = RunFlush();
  EXPECT_EQ(SentBodies(), (Bodies{"p2", "p4"}));
  EXPECT_EQ(client_.sent()[0].request.body, body) << "the same bytes, not a copy";
  EXPECT_FALSE(client_.sent()[0].options.possible_duplicate);
  EXPECT_EQ(second.delivered, 2);
  EXPECT_EQ(second.possible_duplicates, 0);
}

TEST_F(PipelineFlusherTest, PayloadsRefusedForNowOrMisconfiguredAreKept) {
  for (const SendResult& result : {Answered(503), Answered(429), Answered(408), Misconfigured()}) {
    Make();
    client_.Answer(result);
    Add(1);
    EXPECT_EQ(RunFlush().retained, 1);
    EXPECT_EQ(RunFlush().delivered, 1);
    outcomes_.clear();
  }
}

TEST_F(PipelineFlusherTest, PayloadsRefusedForGoodAreDroppedByStatusAndNamedOnce) {
  Make();
  for (PayloadId id = 1; id <= 4; ++id) Add(id);
  for (const int status : {400, 404, 400, 302}) client_.Answer(Answered(status));
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.dropped[DropReason::kRefused], 4);
  EXPECT_EQ(report.refused_by_status, (std::map<int, int64_t>{{302, 1}, {400, 2}, {404, 1}}));
  EXPECT_EQ(report.errors.size(), 3);
  EXPECT_EQ(flusher_->dropped()[DropReason::kRefused], 4);
  EXPECT_EQ(outcomes_.at(1).reason, DropReason::kRefused);
  EXPECT_EQ(flusher_->kept_payloads(), 0);
}

TEST_F(PipelineFlusherTest, RefusedDataIsKeptIfSoWished) {
  Make({.peers = PeersOptions{.drop_refused = false}});
  Add(1);
  client_.Answer(Answered(400));
  EXPECT_EQ(RunFlush().retained, 1);
  EXPECT_EQ(RunFlush().delivered, 1);
}

TEST_F(PipelineFlusherTest, AmbiguousTracesStayAndAreFlagged) {
  Make();
  Add(1);
  client_.Answer(Ambiguous());
  EXPECT_EQ(RunFlush().retained, 1);
  client_.clear_sent();
  const FlushReport report = RunFlush();
  EXPECT_TRUE(client_.sent()[0].options.possible_duplicate);
  EXPECT_EQ(report.delivered, 1);
  EXPECT_EQ(report.possible_duplicates, 1);
  EXPECT_TRUE(outcomes_.at(1).possible_duplicate);
}

TEST_F(PipelineFlusherTest, AmbiguousStatsAreDroppedAndCounted) {
  Make({.options = {.retry_ambiguous = false}});
  Add(1);
  Add(2);
  client_.Answer(Ambiguous());
  client_.Answer(Unreachable());
  const FlushReport report = RunFlush();
  EXPECT_FALSE(client_.sent()[0].options.retry_ambiguous);
  EXPECT_EQ(report.dropped[DropReason::kAmbiguousDropped], 1);
  EXPECT_EQ(report.retained, 1) << "what certainly did not arrive stays";
}

TEST_F(PipelineFlusherTest, AStaleConnectionDoesNotMakeStatsAmbiguous) {
  Make({.options = {.retry_ambiguous = false}});
  Add(1);
  client_.Answer(Failed(Phase::kHead, Fault::kReset, BytesWritten::kAll, /*reused=*/true));
  EXPECT_EQ(RunFlush().retained, 1);
  EXPECT_EQ(RunFlush().possible_duplicates, 1);
}

TEST_F(PipelineFlusherTest, TheDeadlineEndsEverythingAndKeepsIt) {
  Make({.limits = {.outage = {.no_progress_limit = absl::InfiniteDuration()}}});
  Add(1);
  Add(2);
  client_.Answer({.after = absl::InfiniteDuration(), .written_when_cancelled = true});
  client_.Answer({.after = absl::InfiniteDuration()});
  const FlushReport report = RunFlush(false, absl::Seconds(2));
  EXPECT_EQ(report.elapsed, absl::Seconds(2));
  EXPECT_EQ(report.retained, 2);
  const FlushReport next = RunFlush();
  EXPECT_EQ(next.delivered, 2);
  EXPECT_EQ(next.possible_duplicates, 1);
  EXPECT_TRUE(outcomes_.at(1).possible_duplicate);
  EXPECT_FALSE(outcomes_.at(2).possible_duplicate);
}

TEST_F(PipelineFlusherTest, AnInterruptedFlushLosesNothing) {
  Make();
  Add(1);
  client_.Answer({.after = absl::InfiniteDuration()});
  Cancellation cancellation;
  std::optional<FlushReport> report;
  Spawn<FlushReport>(executor_, flusher_->Flush(absl::Seconds(10), cancellation),
                     [&report](FlushReport got) { report = std::move(got); });
  executor_.RunAll();
  EXPECT_FALSE(report.has_value());
  cancellation.Request(absl::CancelledError("Ctrl-C"));
  executor_.RunAll();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->retained, 1);
  EXPECT_EQ(RunFlush().delivered, 1);
}

TEST_F(PipelineFlusherTest, OverlappingFlushesSendNothingTwice) {
  Make();
  Add(1);
  client_.Answer({.result = Accepted(), .after = absl::Seconds(1)});
  Cancellation cancellation;
  std::optional<FlushReport> report;
  Spawn<FlushReport>(executor_, flusher_->Flush(absl::Seconds(10), cancellation),
                     [&report](FlushReport got) { report = std::move(got); });
  executor_.RunAll();
  Add(2);
  EXPECT_EQ(RunFlush().delivered, 1);
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->delivered, 1);
  EXPECT_EQ(client_.sent().size(), 2);
}

TEST_F(PipelineFlusherTest, ARefusedKeyIsLookedUpAgainAndOnlyANewOneIsTried) {
  Make();
  keys_[0]->next = "rotated";
  Add(1);
  Add(2);
  client_.Answer(Answered(403));
  client_.Answer(Answered(401));
  EXPECT_EQ(RunFlush().delivered, 2);
  EXPECT_EQ(KeyOf(client_.sent()[2]), "rotated");
  EXPECT_EQ(KeyOf(client_.sent()[3]), "rotated");
  EXPECT_EQ(keys_[0]->refreshes, 1) << "the second found the new key there";

  client_.clear_sent();
  Add(3);
  client_.Answer(Answered(403));
  const FlushReport report = RunFlush();
  EXPECT_EQ(client_.sent().size(), 1);
  EXPECT_EQ(report.dropped[DropReason::kRefused], 1);
}

TEST_F(PipelineFlusherTest, WithoutAKeyNothingIsSentAndNothingLost) {
  Make();
  keys_[0]->key = "";
  Add(1);
  EXPECT_EQ(RunFlush().retained, 1);
  EXPECT_TRUE(client_.sent().empty());
  keys_[0]->key = "there";
  EXPECT_EQ(RunFlush().delivered, 1);
}

TEST_F(PipelineFlusherTest, AKeyThatIsNotKnownYetIsLookedUpOnceInAFlush) {
  Make();
  keys_[0]->key = "";
  keys_[0]->next = "found";
  keys_[0]->takes = absl::Seconds(3);
  for (PayloadId id = 1; id <= 3; ++id) Add(id);
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 3);
  EXPECT_EQ(report.elapsed, absl::Seconds(3)) << "which is not the intake's slowness";
  EXPECT_EQ(keys_[0]->refreshes, 1);
  EXPECT_EQ(KeyOf(client_.sent()[0]), "found");
}

TEST_F(PipelineFlusherTest, ALookUpOfAKeyThatNeverEndsEndsWithTheFlush) {
  Make();
  keys_[0]->key = "";
  keys_[0]->next = "late";
  keys_[0]->takes = absl::Seconds(60);
  Add(1);
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.elapsed, absl::Seconds(10));
  EXPECT_EQ(report.retained, 1);
  clock_.Advance(absl::Minutes(1));
  executor_.RunAll();
  EXPECT_EQ(RunFlush().delivered, 1) << "it went on by itself";
}

TEST_F(PipelineFlusherTest, TooLargeIsSplitUntilItFits) {
  Make();
  flusher_->set_splitter([](const EncodedRequest& request) {
    std::vector<std::shared_ptr<const std::string>> halves;
    const std::string& body = *request.body;
    if (body.size() < 2) return halves;
    halves.push_back(std::make_shared<const std::string>(body.substr(0, body.size() / 2)));
    halves.push_back(std::make_shared<const std::string>(body.substr(body.size() / 2)));
    return halves;
  });
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = sent.request.body->size() > 4 ? Answered(413) : Accepted()};
  });
  Add(1);  // 16 bytes
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.requests, 7);
  EXPECT_EQ(report.delivered, 1);
  EXPECT_TRUE(report.errors.empty());
}

TEST_F(PipelineFlusherTest, AHalfThatFailsKeepsThePayloadOpenAndOnlyTheHalfIsSentAgain) {
  Make();
  flusher_->set_splitter([](const EncodedRequest& request) {
    return std::vector<std::shared_ptr<const std::string>>{
        std::make_shared<const std::string>(request.body->substr(0, 8)),
        std::make_shared<const std::string>(request.body->substr(8))};
  });
  Add(1);
  client_.Answer(Answered(413));
  client_.Answer(Accepted());
  client_.Answer(Unreachable());
  const FlushReport first = RunFlush();
  EXPECT_EQ(first.delivered, 0);
  EXPECT_EQ(first.retained, 1);
  client_.clear_sent();
  EXPECT_EQ(RunFlush().delivered, 1);
  ASSERT_EQ(client_.sent().size(), 1);
  EXPECT_EQ(*client_.sent()[0].request.body, "........");
}

TEST_F(PipelineFlusherTest, TooLargeAndUnsplittableIsDropped) {
  Make();
  Add(1);
  client_.Answer(Answered(413));
  EXPECT_EQ(RunFlush().dropped[DropReason::kTooLarge], 1);
}

TEST_F(PipelineFlusherTest, AdditionalEndpointsHaveTheirOwnKeyAndCountersAndNoPayloadWaitsForThem) {
  Make({.additional = 2});
  Add(1);
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = sent.request.destination.host == "intake1.example" ? Unreachable()
                                                                                             : Accepted()};
  });
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 1);
  EXPECT_EQ(report.retained, 0);
  EXPECT_EQ(report.additional_delivered, 1);
  EXPECT_EQ(flusher_->outbox().items(), 1);
  std::map<std::string, std::string> keys;
  for (const FakeClient::Sent& sent : client_.sent()) keys[sent.request.destination.host] = KeyOf(sent);
  EXPECT_EQ(keys,
            (std::map<std::string, std::string>{
                {"intake0.example", "key0"}, {"intake1.example", "key1"}, {"intake2.example", "key2"}}));
  EXPECT_EQ(client_.sent()[0].request.body, client_.sent()[1].request.body);
  client_.clear_sent();
  client_.Answer(Answered(400));
  EXPECT_EQ(RunFlush().additional_dropped[DropReason::kRefused], 1);
  EXPECT_EQ(client_.sent().size(), 1);
  EXPECT_EQ(flusher_->dropped().total(), 0);
}

TEST_F(PipelineFlusherTest, AFullOutboxTurnsNewDataAwayOnlyWhileNothingWasTried) {
  Outbox::Item item;
  item.request = std::make_shared<const EncodedRequest>(Request(1));
  Make({.limits = {.outbox_bytes = 2 * item.bytes()}});
  Add(1);
  Add(2);
  EXPECT_EQ(flusher_->Add(Request(3)).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(flusher_->turned_away(), 1);
  EXPECT_EQ(flusher_->handed_over(), 2);
  client_.Answer(Unreachable());
  client_.Answer(Unreachable());
  RunFlush();
  Add(3);
  EXPECT_EQ(outcomes_.at(1).reason, DropReason::kEvicted);
  EXPECT_EQ(flusher_->dropped()[DropReason::kEvicted], 1);
  EXPECT_EQ(flusher_->total().dropped[DropReason::kEvicted], 1);
  Check();
  EXPECT_EQ(RunFlush().delivered, 2);
}

TEST_F(PipelineFlusherTest, APayloadOfManyRequestsIsDeliveredWhenAllAre) {
  Make();
  ASSERT_TRUE(flusher_->opened().Open(1, 100).ok());
  flusher_->AddAdmitted(Request(1));
  flusher_->AddAdmitted(Request(1));
  flusher_->opened().Seal(1);
  Check();
  client_.Answer(Accepted());
  client_.Answer(Answered(503));
  EXPECT_EQ(RunFlush().delivered, 0);
  EXPECT_EQ(RunFlush().delivered, 1);

  ASSERT_TRUE(flusher_->opened().Open(2, 100).ok());
  flusher_->AddAdmitted(Request(2));
  flusher_->AddAdmitted(Request(2));
  flusher_->opened().Seal(2);
  client_.Answer(Accepted());
  client_.Answer(Answered(400));
  EXPECT_EQ(RunFlush().dropped.total(), 1);
  EXPECT_FALSE(outcomes_.at(2).delivered);

  ASSERT_TRUE(flusher_->opened().Open(3, 100).ok());
  flusher_->opened().Drop(3, DropReason::kUnencodable);
  EXPECT_EQ(outcomes_.at(3).reason, DropReason::kUnencodable);
  Check();
}

// -- Breaker ---------------------------------------------------------------------------------------------

TEST_F(PipelineFlusherTest, AnOutageCostsTwoShortFlushesThenNothingThenProbes) {
  Make();
  Add(1);
  Add(2);
  client_.set_otherwise([](const FakeClient::Sent&) {
    return FakeClient::Scripted{.after = absl::InfiniteDuration(), .connects = false};
  });
  absl::Duration cost;
  for (int i = 0; i < 2; ++i) {
    const FlushReport report = RunFlush();
    EXPECT_TRUE(report.stalled);
    cost += report.elapsed;
  }
  EXPECT_LE(cost, absl::Seconds(4));
  EXPECT_TRUE(flusher_->outage().breaker_open(flusher_->endpoints()[0].destination));
  client_.clear_sent();
  const FlushReport skipped = RunFlush();
  EXPECT_TRUE(skipped.skipped);
  EXPECT_EQ(skipped.elapsed, absl::ZeroDuration());
  EXPECT_TRUE(client_.sent().empty());

  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  const FlushReport probe = RunFlush();
  EXPECT_EQ(client_.sent().size(), 1);
  EXPECT_LE(probe.elapsed, absl::Milliseconds(300));
  EXPECT_TRUE(RunFlush().skipped);

  // The intake works again.
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  EXPECT_TRUE(RunFlush().skipped) << "not yet time to look";
  clock_.Advance(absl::Seconds(2));
  executor_.RunAll();
  const FlushReport back = RunFlush();
  EXPECT_EQ(back.delivered, 2);
  EXPECT_FALSE(flusher_->outage().breaker_open(flusher_->endpoints()[0].destination));
}

TEST_F(PipelineFlusherTest, RefusedConnectionsAreStrikesToo) {
  Make();
  Add(1);
  client_.set_otherwise(
      [](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Unreachable()}; });
  RunFlush();
  RunFlush();
  EXPECT_TRUE(RunFlush().skipped);
}

TEST_F(PipelineFlusherTest, AnAmbiguousPayloadIsSentFourTimesAndThenKeptForTheShutdown) {
  Make();
  Add(1);
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Ambiguous()}; });
  int64_t held = 0;
  for (int i = 0; i < 12; ++i) {
    held += RunFlush().held;
    clock_.Freeze(absl::Minutes(90));  // the longest wait for a probe
  }
  ASSERT_EQ(client_.sent().size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client_.sent()[i].options.ambiguous_resends, 3 - i);
  EXPECT_EQ(held, 1);
  EXPECT_EQ(flusher_->outbox().held_items(), 1);
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  Add(2);
  EXPECT_EQ(RunFlush().delivered, 1);
  EXPECT_EQ(flusher_->KeptPayloads(), std::vector<PayloadId>{1});
  EXPECT_EQ(RunFlush(/*shutdown=*/true).delivered, 1);
  EXPECT_TRUE(outcomes_.at(1).possible_duplicate);
  EXPECT_EQ(client_.sent().size(), 6u);
}

TEST_F(PipelineFlusherTest, AProbeTakesThePayloadWithTheFewestAmbiguousTries) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Ambiguous()}; });
  Add(1);
  RunFlush();
  RunFlush();
  ASSERT_TRUE(flusher_->outage().breaker_open(flusher_->endpoints()[0].destination));
  Add(2);
  client_.clear_sent();
  clock_.Freeze(absl::Minutes(2));
  RunFlush();
  EXPECT_EQ(SentBodies(), Bodies{"p2"});
}

TEST_F(PipelineFlusherTest, RetryAfterIsKeptAcrossFlushes) {
  Make();
  Add(1);
  client_.Answer(Refused(429, absl::Seconds(10)));
  const FlushReport refused = RunFlush();
  ASSERT_EQ(refused.out_of_reach.size(), 1u);
  EXPECT_NE(refused.out_of_reach[0].find("https://intake0.example"), std::string::npos);
  clock_.Advance(absl::Seconds(9));
  const FlushReport skipped = RunFlush();
  EXPECT_TRUE(skipped.skipped);
  EXPECT_EQ(skipped.requests, 0);
  EXPECT_EQ(skipped.out_of_reach, refused.out_of_reach);
  EXPECT_EQ(skipped.retained, 1);
  clock_.Freeze(absl::Seconds(1));
  EXPECT_EQ(RunFlush().delivered, 1);
  EXPECT_EQ(flusher_->outage().counts().out_of_reach, 1);
  EXPECT_EQ(flusher_->outage().counts().back, 1);
}

TEST_F(PipelineFlusherTest, AnEndpointThatRefusesIsProbedWithOneRequestThatDoesNotWait) {
  Make();
  for (PayloadId id = 1; id <= 5; ++id) Add(id);
  client_.set_otherwise(
      [](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Answered(503)}; });
  RunFlush();
  RunFlush();
  client_.clear_sent();
  for (int i = 0; i < 7; ++i) EXPECT_EQ(RunFlush().requests, 0);
  EXPECT_EQ(RunFlush().requests, 1);
  EXPECT_EQ(client_.sent()[0].options.most_delay, absl::ZeroDuration());
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  for (int i = 0; i < 15; ++i) EXPECT_EQ(RunFlush().requests, 0) << i;
  EXPECT_EQ(RunFlush().delivered, 5);
}

TEST_F(PipelineFlusherTest, ShutdownSendsDespiteARetryAfterAndWaitsAsLongAsItMay) {
  Make();
  Add(1);
  client_.Answer(Refused(503, absl::Seconds(60)));
  RunFlush();
  EXPECT_EQ(RunFlush(/*shutdown=*/true).delivered, 1);
  EXPECT_EQ(client_.sent().back().options.most_delay, absl::InfiniteDuration());
}

TEST_F(PipelineFlusherTest, DeniedDataIsToldOnceAndSoIsTheEndOfIt) {
  for (const int status : {401, 403}) {
    Make();
    client_.set_otherwise(
        [status](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Answered(status)}; });
    outcomes_.clear();
    for (PayloadId id = 1; id <= 3; ++id) {
      Add(id);
      EXPECT_EQ(RunFlush().out_of_reach.size(), 1u);
    }
    EXPECT_EQ(flusher_->outage().counts().out_of_reach, 1);
    client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
    Add(4);
    EXPECT_TRUE(RunFlush().out_of_reach.empty());
    EXPECT_EQ(flusher_->outage().counts().back, 1);
  }
}

TEST_F(PipelineFlusherTest, AProxyThatWantsACredentialIsTold) {
  Make();
  Add(1);
  SendResult result = Answered(407);
  result.last_class = RetryClass::kMisconfigured;
  client_.Answer(std::move(result));
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.retained, 1);
  EXPECT_EQ(report.out_of_reach.size(), 1u);
  EXPECT_TRUE(RunFlush().out_of_reach.empty());
  EXPECT_EQ(flusher_->outage().counts().back, 1);
}

TEST_F(PipelineFlusherTest, ARequestThatCanNotBeSentSaysNothingOfTheDestination) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent&) {
    SendResult result = Failed(Phase::kWrite, Fault::kProtocol, BytesWritten::kNone);
    result.attempts = 0;
    result.last_class = RetryClass::kRefusedForGood;
    return FakeClient::Scripted{.result = std::move(result), .connects = false};
  });
  for (PayloadId id = 1; id <= 5; ++id) {
    Add(id);
    const FlushReport report = RunFlush();
    EXPECT_EQ(report.dropped[DropReason::kUnencodable], 1);
    EXPECT_EQ(report.errors.size(), id == 1 ? 1u : 0u);
    EXPECT_TRUE(report.out_of_reach.empty());
  }
  EXPECT_EQ(flusher_->outage().counts().strikes, 0);
  EXPECT_EQ(flusher_->outage().counts().out_of_reach, 0);
}

TEST_F(PipelineFlusherTest, PayloadsThatAnAdditionalEndpointDidNotGetAreReported) {
  Make({.additional = 1});
  Add(1);
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    const bool primary = sent.request.destination.host == "intake0.example";
    return FakeClient::Scripted{.result = primary ? Accepted() : Unreachable()};
  });
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.retained, 0);
  EXPECT_EQ(report.additional_retained, 1);
  EXPECT_FALSE(report.all_delivered());
  ASSERT_EQ(report.out_of_reach.size(), 1u);
  EXPECT_NE(report.out_of_reach[0].find("intake1.example"), std::string::npos);
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  const FlushReport after = RunFlush();
  EXPECT_TRUE(after.all_delivered());
  EXPECT_TRUE(after.out_of_reach.empty());
}

TEST_F(PipelineFlusherTest, ADeadAdditionalEndpointHoldsNothingElseUp) {
  Make({.additional = 1});
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    if (sent.request.destination.host == "intake0.example") return FakeClient::Scripted{.result = Accepted()};
    return FakeClient::Scripted{.after = absl::InfiniteDuration(), .connects = false};
  });
  for (PayloadId id = 1; id <= 20; ++id) {
    Add(id);
    const FlushReport report = RunFlush();
    EXPECT_EQ(report.delivered, 1);
    const bool probes = id == 10;
    EXPECT_EQ(report.elapsed, id <= 2  ? absl::Milliseconds(1600)
                              : probes ? absl::Milliseconds(250)
                                       : absl::ZeroDuration())
        << "the dead one's breaker is open after the second flush; the eighth one after it probes";
    EXPECT_EQ(report.skipped, id > 2);
  }
  client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  clock_.Advance(absl::Seconds(2));
  executor_.RunAll();
  EXPECT_EQ(RunFlush().additional_delivered, 20);
}

TEST_F(PipelineFlusherTest, ASlowIntakeThatMovesNeverOpensTheBreaker) {
  Make();
  for (PayloadId id = 1; id <= 5; ++id) {
    Add(id);
    client_.Answer({.result = Accepted(), .after = absl::Seconds(4)});
    std::optional<FlushReport> report;
    Cancellation cancellation;
    Spawn<FlushReport>(executor_, flusher_->Flush(absl::Seconds(10), cancellation),
                       [&report](FlushReport got) { report = std::move(got); });
    while (!report.has_value()) {
      executor_.RunAll();
      client_.Move();  // a byte from time to time
      clock_.Advance(absl::Milliseconds(500));
    }
    EXPECT_FALSE(report->stalled);
    EXPECT_EQ(report->delivered, 1);
  }
}

TEST_F(PipelineFlusherTest, AFreezeIsNotAStall) {
  Make();
  Add(1);
  client_.Answer({.result = Accepted(), .after = absl::Milliseconds(500)});
  std::optional<FlushReport> report;
  Cancellation cancellation;
  Spawn<FlushReport>(executor_, flusher_->Flush(absl::Seconds(2), cancellation),
                     [&report](FlushReport got) { report = std::move(got); });
  executor_.RunAll();
  clock_.Advance(absl::Milliseconds(200));
  clock_.Freeze(absl::Hours(1));
  executor_.RunAll();
  EXPECT_FALSE(report.has_value());
  clock_.Advance(absl::Milliseconds(600));
  executor_.RunAll();
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->stalled);
  EXPECT_EQ(report->delivered, 1);
}

TEST_F(PipelineFlusherTest, ShutdownAsksNoBreaker) {
  Make();
  Add(1);
  client_.Answer(Unreachable());
  client_.Answer(Unreachable());
  RunFlush();
  RunFlush();
  ASSERT_TRUE(flusher_->outage().breaker_open(flusher_->endpoints()[0].destination));
  EXPECT_EQ(RunFlush(/*shutdown=*/true).delivered, 1);
}

// -- Peers' strategies -----------------------------------------------------------------------------------

const LimitOptions kNoOutages = {.outage = {.no_progress_limit = absl::InfiniteDuration()}};

constexpr PeersOptions Peers(OnFailure on_failure) {
  return {.on_failure = on_failure,
          .sequential = true,
          .return_all_on_failure = true,
          .retry_all_statuses = true};
}

TEST_F(PipelineFlusherTest, DiscardLosesAFailedPayloadAndThoseAfterIt) {
  Make({.limits = kNoOutages, .peers = Peers(OnFailure::kDiscard)});
  for (PayloadId id = 1; id <= 3; ++id) Add(id);
  client_.Answer(Accepted());
  client_.Answer(Unreachable());
  const FlushReport report = RunFlush();
  EXPECT_EQ(client_.sent().size(), 2);
  EXPECT_EQ(client_.most_open(), 1);
  EXPECT_EQ(report.delivered, 1);
  EXPECT_EQ(report.dropped[DropReason::kDiscarded], 2);
  ASSERT_EQ(report.errors.size(), 2);
  EXPECT_EQ(report.errors[0].substr(0, 48), "Max retries exceeded, returning request error: c");
  EXPECT_EQ(report.errors[1], "TRACES | Request failed: No requests sent");
  EXPECT_EQ(RunFlush().requests, 0);
}

TEST_F(PipelineFlusherTest, RedriveAtShutdownSendsAcceptedPayloadsAgainToo) {
  Make({.limits = kNoOutages, .peers = Peers(OnFailure::kRedriveAtShutdown)});
  for (PayloadId id = 1; id <= 3; ++id) Add(id);
  client_.Answer(Accepted());
  client_.Answer(Unreachable());
  EXPECT_EQ(RunFlush().delivered, 1);
  EXPECT_EQ(RunFlush().requests, 0) << "not before shutdown";
  client_.clear_sent();
  const FlushReport last = RunFlush(/*shutdown=*/true);
  EXPECT_EQ(SentBodies(), (Bodies{"p1", "p2", "p3"}));
  EXPECT_EQ(last.delivered, 2) << "the first was delivered before";
  EXPECT_EQ(flusher_->kept_payloads(), 0);
  EXPECT_EQ(flusher_->outbox().items(), 0);
}

TEST_F(PipelineFlusherTest, ARedriveThatFailsIsTheEnd) {
  Make({.limits = kNoOutages, .peers = Peers(OnFailure::kRedriveAtShutdown)});
  Add(1);
  client_.Answer(Unreachable());
  RunFlush();
  client_.Answer(Unreachable());
  EXPECT_EQ(RunFlush(/*shutdown=*/true).dropped[DropReason::kRedriveFailed], 1);
}

TEST_F(PipelineFlusherTest, RetryAllStatusesTriesARefusalAsOftenAsTheClientTriesAndThenDropsIt) {
  Make({.limits = kNoOutages, .peers = Peers(OnFailure::kRedriveAtShutdown)});
  client_.mutable_options().max_attempts = 3;
  client_.set_otherwise(
      [](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Answered(400)}; });
  Add(1);
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.requests, 3);
  EXPECT_EQ(report.dropped[DropReason::kRefused], 1);
  EXPECT_EQ(report.errors.size(), 1);
}

// -- Property --------------------------------------------------------------------------------------------

// No payload is lost from the counts, whatever happens in whatever order; when the faults end, everything
// that was kept is delivered.
TEST_F(PipelineFlusherTest, ConservationUnderRandomOutcomes) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    outcomes_.clear();
    keys_.clear();
    Given given{.options = {.retry_ambiguous = random() % 2 != 0}};
    given.limits.outbox_bytes = 4000 + random() % 20'000;
    given.limits.outage.breaker = {.probe_backoff = absl::Milliseconds(1),
                                   .probe_backoff_cap = absl::Milliseconds(10)};
    if (seed % 4 == 0) {
      given = {.limits = kNoOutages,
               .peers = Peers(seed % 8 == 0 ? OnFailure::kDiscard : OnFailure::kRedriveAtShutdown)};
      given.limits.outbox_bytes = 10'000;
    }
    given.additional = static_cast<int>(random() % 3);
    Make(given);
    flusher_->set_splitter([](const EncodedRequest& request) {
      std::vector<std::shared_ptr<const std::string>> halves;
      if (request.body->size() < 4) return halves;
      halves.push_back(
          std::make_shared<const std::string>(request.body->substr(0, request.body->size() / 2)));
      halves.push_back(std::make_shared<const std::string>(request.body->substr(request.body->size() / 2)));
      return halves;
    });
    bool faults = true;
    client_.set_otherwise([&](const FakeClient::Sent&) {
      FakeClient::Scripted scripted;
      scripted.result = Accepted();
      scripted.after = absl::Milliseconds(random() % 200);
      scripted.connects = random() % 2;
      if (!faults) return scripted;
      scripted.written_when_cancelled = random() % 2;
      switch (random() % 12) {
        case 0:
          scripted.result = Answered(503);
          break;
        case 1:
          scripted.result = Answered(400);
          break;
        case 2:
          scripted.result = Answered(403);
          break;
        case 3:
          scripted.result = Answered(413);
          break;
        case 4:
          scripted.result = Unreachable();
          break;
        case 5:
          scripted.result = Ambiguous();
          break;
        case 6:
          scripted.result = Misconfigured();
          break;
        case 7:
          scripted.result = Failed(Phase::kHead, Fault::kReset, BytesWritten::kAll, true);
          break;
        case 8:
          scripted.after = absl::InfiniteDuration();
          break;
        default:
          break;
      }
      return scripted;
    });
    PayloadId next = 1;
    int64_t taken = 0;
    for (int round = 0; round < 30; ++round) {
      const int add = static_cast<int>(random() % 6);
      for (int i = 0; i < add; ++i) {
        if (flusher_->Add(Request(next, 4 + random() % 600)).ok()) ++taken;
        ++next;
        Check();
      }
      if (random() % 10 == 0) keys_[0]->next = "key" + std::to_string(random());
      RunFlush(false, absl::Milliseconds(1 + random() % 3000));
      clock_.Advance(absl::Milliseconds(random() % 50));
      executor_.RunAll();
    }
    faults = false;
    RunFlush(/*shutdown=*/true);
    EXPECT_EQ(flusher_->kept_payloads(), 0);
    EXPECT_EQ(flusher_->handed_over(), taken);
    EXPECT_EQ(static_cast<int64_t>(outcomes_.size()), taken);
    int64_t delivered = 0;
    for (const auto& [id, outcome] : outcomes_) delivered += outcome.delivered;
    EXPECT_EQ(delivered, flusher_->delivered());
    EXPECT_EQ(flusher_->total().delivered, delivered);
    EXPECT_EQ(flusher_->total().dropped.total(), flusher_->dropped().total());
    EXPECT_EQ(flusher_->outbox().items(), 0);
    EXPECT_EQ(flusher_->outbox().bytes(), 0);
  }
}

}  // namespace
}  // namespace thaw
