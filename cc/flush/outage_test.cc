// Measures what an outage of the intake costs a function, invocation by invocation, over all pipelines, with
// a freeze after each.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "cc/flush/coordinator_fixture.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr absl::Duration kFunctionTime = absl::Milliseconds(50);

class OutageTest : public CoordinatorFixture {
 protected:
  // Runs one invocation with a payload for each pipeline. Returns what the extension added to it.
  absl::Duration Invoke(const std::vector<PipelineFlusher*>& pipelines) {
    EXPECT_EQ(Begin(), FlushDecision::kAtEnd);
    for (PipelineFlusher* pipeline : pipelines) {
      ++offered_;
      if (!Add(*pipeline)) ++refused_;
    }
    Pass(kFunctionTime);
    coordinator_->OnFunctionEnd();
    Run(coordinator_->Flush(FlushReason::kEnd));
    EXPECT_EQ(coordinator_->Quiesce(), 0);
    clock_.Freeze(absl::Seconds(90));
    executor_.RunAll();
    return coordinator_->added_time().last();
  }
  std::vector<PipelineFlusher*> All() { return {traces_.get(), stats_.get(), logs_.get()}; }

  // Runs invocations with a dead intake and checks what each costs.
  void Suffer(int invocations, const std::function<std::vector<PipelineFlusher*>(int)>& pipelines) {
    absl::Duration before_open;
    int probing = 0;
    for (int i = 0; i < invocations; ++i) {
      SCOPED_TRACE(i);
      const OutageCounts before = shared_.outage->counts();
      const absl::Duration left_before = Left();
      const absl::Duration added = Invoke(pipelines(i));
      const OutageCounts after = shared_.outage->counts();
      const bool probed = after.probes > before.probes;
      if (Left() < left_before) {
        before_open += added;
      } else if (probed) {
        EXPECT_LE(added, absl::Milliseconds(300));
        ++probing;
      } else {
        EXPECT_EQ(added, absl::ZeroDuration());
      }
    }
    EXPECT_LE(before_open, absl::Seconds(4));
    EXPECT_GT(probing, 0);
    // In 10 s of active time, with waits of 1, 2, 4 s and so on, few of them probe.
    EXPECT_LE(probing, 12);
    EXPECT_EQ(coordinator_->counts().quiesce_broken, 0);
  }
  // Runs invocations with a working intake until nothing is kept.
  void Recover() {
    AnswerAll({.result = Accepted()});
    for (int i = 0; coordinator_->kept_payloads() > 0 && i < 400; ++i)
      EXPECT_LE(Invoke({}), absl::Milliseconds(300));
    EXPECT_EQ(coordinator_->kept_payloads(), 0);
    EXPECT_EQ(shared_.outage->open_breakers(), 0);
  }
  // Returns what the outage may still cost.
  absl::Duration Left() const {
    absl::Duration left;
    for (const char* host : {"traces.example", "logs.example", "metrics.example"}) {
      Destination destination;
      destination.host = host;
      left += shared_.outage->left(destination);
    }
    return left;
  }
  int64_t Delivered() const { return traces_->delivered() + stats_->delivered() + logs_->delivered(); }

  int64_t offered_ = 0;
  int64_t refused_ = 0;
};

TEST_F(OutageTest, ABlackHoleCostsFourSecondsAtMostAndThenNearlyNothing) {
  Make("end");
  AnswerAll({.after = absl::InfiniteDuration(), .connects = false});
  Suffer(200, [this](int) { return All(); });
  EXPECT_EQ(Delivered(), 0);
  Recover();
  EXPECT_EQ(Delivered(), offered_);
  EXPECT_EQ(offered_, 600);
}

TEST_F(OutageTest, SoDoesAnIntakeThatConnectsAndSaysNothing) {
  Make("end");
  AnswerAll({.after = absl::InfiniteDuration(), .written_when_cancelled = true});
  Suffer(200, [this](int) { return All(); });
  Recover();
  EXPECT_EQ(traces_->delivered(), 200);
  EXPECT_EQ(logs_->delivered(), 200);
  // The intake may have accepted those that were tried.
  EXPECT_EQ(stats_->delivered() + stats_->dropped()[DropReason::kAmbiguousDropped], 200);
  EXPECT_GT(stats_->delivered(), 150);
}

TEST_F(OutageTest, SoDoesAnIntakeThatRefusesConnections) {
  Make("end");
  AnswerAll({.result = Unreachable(), .after = absl::Milliseconds(200), .connects = false});
  Suffer(200, [this](int) { return All(); });
  Recover();
  EXPECT_EQ(Delivered(), 600);
}

// The function has no route to anywhere, and its pipelines have their first data one after the other.
TEST_F(OutageTest, DestinationsThatAreTriedLaterBelongToTheSameOutage) {
  Make("end");
  AnswerAll({.after = absl::InfiniteDuration(), .connects = false});
  const auto metrics = MakePipeline(PipelineNamed("traces"), "https://metrics.example");
  Suffer(200, [&](int i) {
    std::vector<PipelineFlusher*> pipelines = {traces_.get()};
    if (i > 20) pipelines.push_back(logs_.get());
    if (i > 40) pipelines.push_back(metrics.get());
    return pipelines;
  });
  Recover();
  EXPECT_EQ(metrics->kept_payloads(), 0);
  EXPECT_EQ(metrics->delivered(), 159);
}

TEST_F(OutageTest, ADeadHostCostsNoMoreBecauseOthersWork) {
  Make("end");
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    if (sent.request.destination.host == "logs.example")
      return FakeClient::Scripted{.after = absl::InfiniteDuration(), .connects = false};
    return FakeClient::Scripted{.result = Accepted()};
  });
  Suffer(200, [this](int) { return All(); });
  EXPECT_EQ(traces_->delivered(), 200);
  EXPECT_EQ(stats_->delivered(), 200);
  Recover();
  EXPECT_EQ(logs_->delivered(), 200);
}

TEST_F(OutageTest, DataWithoutRoomIsRefusedOrEvictedAndCounted) {
  Make("end", /*outbox_bytes=*/size_t{64} << 10);
  AnswerAll({.after = absl::InfiniteDuration(), .connects = false});
  Suffer(200, [this](int) { return All(); });
  EXPECT_GT(refused_, 0);
  EXPECT_LE(shared_.bytes->used(), shared_.bytes->limit());
  Recover();
  EXPECT_EQ(traces_->turned_away() + stats_->turned_away() + logs_->turned_away(), refused_);
  int64_t evicted = 0;
  for (const PipelineFlusher* pipeline : All()) evicted += pipeline->dropped()[DropReason::kEvicted];
  EXPECT_EQ(Delivered() + refused_ + evicted, offered_);
  EXPECT_EQ(shared_.bytes->used(), 0);
}

TEST_F(OutageTest, ASlowIntakeThatMovesIsNeverGivenUp) {
  Make("end");
  client_.set_otherwise([this](const FakeClient::Sent&) {
    for (int i = 1; i < 5; ++i)
      clock_.SetAlarm(absl::Seconds(i), LateAlarm::kRearm, [this] { client_.Move(); });
    return FakeClient::Scripted{.result = Accepted(), .after = absl::Seconds(5)};
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Invoke(All()), absl::Seconds(5));
  EXPECT_EQ(Delivered(), 60);
  EXPECT_EQ(shared_.outage->counts().strikes, 0);
}

// The intake is so far away that an answer takes longer than a probe may.
TEST_F(OutageTest, AnIntakeThatIsFarAwayIsFoundAgain) {
  Make("end");
  AnswerAll({.after = absl::InfiniteDuration(), .connects = false});
  for (int i = 0; i < 10; ++i) Invoke(All());
  EXPECT_EQ(shared_.outage->open_breakers(), 2);
  client_.set_otherwise([this](const FakeClient::Sent&) {
    for (int i = 1; i < 3; ++i)
      clock_.SetAlarm(absl::Milliseconds(220 * i), LateAlarm::kRearm, [this] { client_.Move(); });
    return FakeClient::Scripted{.result = Accepted(), .after = absl::Milliseconds(660), .connects = false};
  });
  for (int i = 0; i < 60; ++i) Invoke({});
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  EXPECT_EQ(shared_.outage->open_breakers(), 0);
}

// The answer of an intake that refuses data at once, and how a client waits after it.
FakeClient::Scripted RefusedAfterWaits(const SendOptions& options, int status, bool retry_after) {
  FakeClient::Scripted scripted{
      .result = Refused(status, retry_after ? std::optional(absl::Seconds(1)) : std::nullopt),
      .after = absl::Milliseconds(2)};
  const absl::Duration wait = retry_after ? absl::Seconds(1) : absl::Milliseconds(150);
  for (int tries = 1; tries < 3 && scripted.result.delayed + wait <= options.most_delay; ++tries) {
    scripted.result.delayed += wait;
    scripted.after += wait;
  }
  return scripted;
}

TEST_F(OutageTest, RefusalsCostFourSecondsAtMostAndThenNearlyNothing) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    for (const bool retry_after : {false, true}) {
      SCOPED_TRACE(testing::Message() << status << (retry_after ? ", Retry-After" : ""));
      Make("end");
      client_.set_otherwise(
          [&](const FakeClient::Sent& sent) { return RefusedAfterWaits(sent.options, status, retry_after); });
      absl::Duration added;
      int longer = 0;
      for (int i = 0; i < 200; ++i) {
        const absl::Duration each = Invoke(All());
        added += each;
        if (i > 20) longer += each > absl::Milliseconds(5);
      }
      EXPECT_LE(added, absl::Seconds(4));
      EXPECT_EQ(longer, 0);
      EXPECT_EQ(Delivered(), 0);
      EXPECT_EQ(shared_.outage->counts().out_of_reach, 3) << "each endpoint once";
      AnswerAll({.result = Accepted()});
      for (int i = 0; coordinator_->kept_payloads() > 0 && i < 400; ++i) Invoke({});
      EXPECT_EQ(coordinator_->kept_payloads(), 0);
      EXPECT_EQ(Delivered(), 600);
      EXPECT_EQ(shared_.outage->counts().back, 3);
    }
  }
}

TEST_F(OutageTest, StatsThatAreRefusedForEverCostLittleAndDoNotStopTraces) {
  Make("end");
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    if (sent.request.target == "/api/v0.2/stats")
      return RefusedAfterWaits(sent.options, 503, /*retry_after=*/false);
    return FakeClient::Scripted{.result = Accepted()};
  });
  absl::Duration added;
  for (int i = 0; i < 200; ++i) added += Invoke(All());
  EXPECT_LE(added, absl::Seconds(1));
  EXPECT_EQ(traces_->delivered(), 200);
  EXPECT_EQ(logs_->delivered(), 200);
  EXPECT_EQ(stats_->kept_payloads(), 200);
}

TEST_F(OutageTest, AnIntakeThatRefusesEverySecondRequestIsWaitedForFourSecondsInAll) {
  Make("end");
  int requests = 0;
  client_.set_otherwise([&requests](const FakeClient::Sent& sent) {
    if (++requests % 2 == 0) return FakeClient::Scripted{.result = Accepted()};
    FakeClient::Scripted scripted = RefusedAfterWaits(sent.options, 503, /*retry_after=*/false);
    if (scripted.result.delayed == absl::ZeroDuration()) return scripted;
    // Accepted after a wait.
    SendResult accepted = Accepted();
    accepted.failures = scripted.result.failures;
    accepted.delayed = scripted.result.delayed;
    scripted.result = std::move(accepted);
    return scripted;
  });
  absl::Duration added;
  for (int i = 0; i < 1000; ++i) added += Invoke({traces_.get()});
  // The budget, what flushes without refusals gave back, and the time of the answers themselves.
  EXPECT_LE(added, absl::Seconds(4) + 500 * absl::Milliseconds(10) + 1000 * absl::Milliseconds(2));
  EXPECT_GE(traces_->delivered(), 990);
}

// The invocations take 10 ms, without a pause between them.
TEST_F(OutageTest, AfterAShortOutageShortInvocationsSendAgainSoon) {
  Make("end");
  const absl::Duration over = clock_.Now().monotonic + absl::Milliseconds(300);
  client_.set_otherwise([this, over](const FakeClient::Sent&) {
    return FakeClient::Scripted{.result = clock_.Now().monotonic < over ? Unreachable() : Accepted()};
  });
  int after_it = 0;
  for (int i = 0; i < 200 && (i == 0 || coordinator_->kept_payloads() > 0); ++i) {
    Begin();
    Add(*traces_);
    Pass(absl::Milliseconds(10));
    coordinator_->OnFunctionEnd();
    Run(coordinator_->Flush(FlushReason::kEnd));
    coordinator_->Quiesce();
    if (clock_.Now().monotonic >= over) ++after_it;
  }
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  EXPECT_LE(after_it, 33) << "no longer than it lasted";
  EXPECT_EQ(shared_.outage->counts().out_of_reach, 1);
  EXPECT_EQ(shared_.outage->counts().back, 1);
}

TEST_F(OutageTest, AfterAShortOutageRareInvocationsSendAgainWithTheNext) {
  Make("end");
  AnswerAll({.result = Unreachable()});
  Invoke(All());
  Invoke(All());
  EXPECT_GT(shared_.outage->open_breakers(), 0);
  AnswerAll({.result = Accepted()});
  Invoke(All());
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
}

TEST_F(OutageTest, AnOutageItsEndAndItsLossesAreLoggedOnce) {
  const FakeClient::Scripted outages[] = {
      {.result = Unreachable(), .connects = false},
      {.result = Misconfigured(), .connects = false},
      {.after = absl::InfiniteDuration(), .connects = false},
      {.after = absl::InfiniteDuration(), .written_when_cancelled = true},
  };
  for (const FakeClient::Scripted& outage : outages) {
    Make("end");
    Invoke(All());
    EXPECT_EQ(shared_.outage->counts().out_of_reach, 0);
    for (int round = 1; round <= 2; ++round) {
      AnswerAll(outage);
      for (int i = 0; i < 30; ++i) Invoke({traces_.get(), logs_.get()});
      EXPECT_EQ(shared_.outage->counts().out_of_reach, 2 * round) << "each of the two hosts once";
      EXPECT_EQ(shared_.outage->OutOfReach().size(), 2u);
      AnswerAll({.result = Accepted()});
      for (int i = 0; i < 400 && shared_.outage->open_breakers() > 0; ++i) Invoke(All());
      Invoke(All());
      EXPECT_EQ(shared_.outage->counts().back, 2 * round);
      EXPECT_TRUE(shared_.outage->OutOfReach().empty());
    }
    AnswerAll(outage);
    Invoke(All());
    const FlushReport last = Run(coordinator_->Shutdown(absl::Seconds(2)));
    EXPECT_GT(last.retained, 0);
    EXPECT_EQ(coordinator_->counts().lost_at_shutdown, last.retained);
    EXPECT_EQ(last.out_of_reach.size(), 2u);
    const std::string losses = coordinator_->Losses(last);
    EXPECT_NE(losses.find("traces: "), std::string::npos) << losses;
    EXPECT_NE(losses.find("https://logs.example"), std::string::npos) << losses;
  }
}

TEST_F(OutageTest, DataThatCameAfterTheLastHandOverIsReportedAsLost) {
  Make("end");
  int late = 0;
  coordinator_->AddLeftover([&late] { return late > 0 ? absl::StrCat("logs: ", late, " lines") : ""; });
  Invoke(All());
  const FlushReport last = Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->Losses(last), "");
  late = 7;
  EXPECT_EQ(
      coordinator_->Losses(last),
      "data lost at the end of the environment: logs: 7 lines, which came after the last flush had begun");
}

TEST_F(OutageTest, NothingIsToldWhereEverythingWasDelivered) {
  Make("end");
  for (int i = 0; i < 10; ++i) Invoke(All());
  const FlushReport last = Run(coordinator_->Shutdown(absl::Seconds(2)));
  EXPECT_EQ(coordinator_->Losses(last), "");
  EXPECT_EQ(shared_.outage->counts().out_of_reach, 0);
}

}  // namespace
}  // namespace thaw
