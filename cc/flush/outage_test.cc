// What an outage of the intake costs a function, invocation by invocation, over all pipelines, with the
// environment frozen after each.

#include <cstdint>
#include <functional>
#include <string>

#include "cc/flush/coordinator_fixture.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

constexpr absl::Duration kFunctionTime = absl::Milliseconds(50);

class OutageTest : public CoordinatorFixture {
 protected:
  // One invocation with a payload for each of the pipelines. Gives what the extension added to it.
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
    return coordinator_->added_time().last;
  }
  std::vector<PipelineFlusher*> All() { return {traces_.get(), stats_.get(), logs_.get()}; }

  // So many invocations with a dead intake, checking what each costs.
  void Suffer(int invocations, const std::function<std::vector<PipelineFlusher*>(int)>& pipelines) {
    absl::Duration before_open;
    int probing = 0;
    for (int i = 0; i < invocations; ++i) {
      SCOPED_TRACE(i);
      const OutageCounts before = limits_.outage->counts();
      const absl::Duration left_before = Left();
      const absl::Duration added = Invoke(pipelines(i));
      const OutageCounts after = limits_.outage->counts();
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
    // 10 s of active time, and waits of 1, 2, 4 s and so on: few of them probe.
    EXPECT_LE(probing, 12);
    EXPECT_EQ(coordinator_->counts().quiesce_broken, 0);
  }
  // Invocations with an intake that works, until nothing is kept.
  void Recover() {
    AnswerAll({.result = Accepted()});
    for (int i = 0; coordinator_->kept_payloads() > 0 && i < 400; ++i)
      EXPECT_LE(Invoke({}), absl::Milliseconds(300));
    EXPECT_EQ(coordinator_->kept_payloads(), 0);
    EXPECT_EQ(limits_.outage->open_breakers(), 0);
  }
  // What the outage may still cost.
  absl::Duration Left() const {
    absl::Duration left;
    for (const char* host : {"traces.example", "logs.example", "metrics.example"}) {
      Destination destination;
      destination.host = host;
      left += limits_.outage->left(destination);
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
  // Of these the intake may have had those that were tried.
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

// A function without a route to anywhere, whose pipelines have their first data one after the other.
TEST_F(OutageTest, DestinationsThatAreTriedLaterBelongToTheSameOutage) {
  Make("end");
  AnswerAll({.after = absl::InfiniteDuration(), .connects = false});
  const auto metrics = MakePipeline(Pipeline::kTraces, "https://metrics.example");
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

TEST_F(OutageTest, WhatHasNoRoomIsTurnedAwayOrEvictedAndCounted) {
  Make("end", /*outbox_bytes=*/size_t{64} << 10);
  AnswerAll({.after = absl::InfiniteDuration(), .connects = false});
  Suffer(200, [this](int) { return All(); });
  EXPECT_GT(refused_, 0);
  EXPECT_LE(limits_.bytes->used(), limits_.bytes->limit());
  Recover();
  EXPECT_EQ(traces_->turned_away() + stats_->turned_away() + logs_->turned_away(), refused_);
  int64_t evicted = 0;
  for (const PipelineFlusher* pipeline : All()) evicted += pipeline->dropped()[DropReason::kEvicted];
  EXPECT_EQ(Delivered() + refused_ + evicted, offered_);
  EXPECT_EQ(limits_.bytes->used(), 0);
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
  EXPECT_EQ(limits_.outage->counts().strikes, 0);
}

// So far away that an answer takes longer than a probe has.
TEST_F(OutageTest, AnIntakeThatIsFarAwayIsFoundAgain) {
  Make("end");
  AnswerAll({.after = absl::InfiniteDuration(), .connects = false});
  for (int i = 0; i < 10; ++i) Invoke(All());
  EXPECT_EQ(limits_.outage->open_breakers(), 2);
  client_.set_otherwise([this](const FakeClient::Sent&) {
    for (int i = 1; i < 3; ++i)
      clock_.SetAlarm(absl::Milliseconds(220 * i), LateAlarm::kRearm, [this] { client_.Move(); });
    return FakeClient::Scripted{.result = Accepted(), .after = absl::Milliseconds(660), .connects = false};
  });
  for (int i = 0; i < 60; ++i) Invoke({});
  EXPECT_EQ(coordinator_->kept_payloads(), 0);
  EXPECT_EQ(limits_.outage->open_breakers(), 0);
}

}  // namespace
}  // namespace thaw
