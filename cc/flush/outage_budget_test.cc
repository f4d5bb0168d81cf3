#include "cc/flush/outage_budget.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Decision = Breaker::Decision;
using End = OutageBudget::End;

Destination Host(std::string_view name) {
  Destination destination;
  destination.host = std::string(name);
  return destination;
}

class OutageBudgetTest : public testing::Test {
 protected:
  void Pass(absl::Duration time) {
    while (time > absl::ZeroDuration()) {
      const absl::Duration step = std::min(time, absl::Milliseconds(10));
      clock_.Advance(step);
      executor_.RunAll();
      time -= step;
    }
  }
  // Returns the pass, which is unset while it is waited for.
  std::shared_ptr<std::optional<OutageBudget::Pass>> BeginEnter(const Destination& destination) {
    auto pass = std::make_shared<std::optional<OutageBudget::Pass>>();
    Spawn<OutageBudget::Pass>(executor_, outage_.Enter(destination, cancellation_),
                              [pass](OutageBudget::Pass got) { *pass = std::move(got); });
    executor_.RunAll();
    return pass;
  }
  OutageBudget::Pass Enter(const Destination& destination) {
    const auto pass = BeginEnter(destination);
    EXPECT_TRUE(pass->has_value());
    return pass->value_or(OutageBudget::Pass());
  }
  // Lets time pass in which nothing moves.
  void Idle(const Destination& destination, absl::Duration time) {
    Pass(time);
    outage_.OnIdle(destination, time);
  }
  // Runs a flush in which nothing moves until it ends.
  void Stall(const Destination& destination) {
    const OutageBudget::Pass pass = Enter(destination);
    ASSERT_EQ(pass.kind, Decision::kGo);
    Idle(destination, std::min(absl::Milliseconds(1500), outage_.left(destination)));
    outage_.Leave(pass, End::kFailed);
  }

  const Destination traces_ = Host("traces");
  const Destination logs_ = Host("logs");
  const Destination metrics_ = Host("metrics");
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  Cancellation cancellation_;
  OutageBudget outage_{executor_, clock_, {}};
};

TEST_F(OutageBudgetTest, TwoStalledFlushesOpenTheBreakerOfTheirDestinationOnly) {
  Stall(traces_);
  EXPECT_FALSE(outage_.breaker_open(traces_));
  Stall(traces_);
  EXPECT_TRUE(outage_.breaker_open(traces_));
  EXPECT_TRUE(outage_.would_skip(traces_));
  EXPECT_EQ(Enter(traces_).kind, Decision::kSkip);
  EXPECT_EQ(Enter(logs_).kind, Decision::kGo);
  EXPECT_EQ(outage_.open_breakers(), 1);
  EXPECT_EQ(outage_.counts().strikes, 2);
  EXPECT_EQ(outage_.counts().opened, 1);
  EXPECT_EQ(outage_.counts().skips, 1);
}

TEST_F(OutageBudgetTest, FlushesSideBySideThatFailAreOneStrike) {
  const OutageBudget::Pass traces = Enter(traces_);
  const OutageBudget::Pass stats = Enter(traces_);  // from another pipeline, to the same host
  outage_.Leave(traces, End::kFailed);
  outage_.Leave(stats, End::kFailed);
  EXPECT_FALSE(outage_.breaker_open(traces_));
  EXPECT_EQ(outage_.counts().strikes, 1);
  outage_.Leave(Enter(traces_), End::kFailed);
  EXPECT_TRUE(outage_.breaker_open(traces_));
}

TEST_F(OutageBudgetTest, IdleTimeSideBySideIsSpentOnce) {
  Pass(absl::Seconds(1));
  outage_.OnIdle(traces_, absl::Seconds(1));
  outage_.OnIdle(traces_, absl::Seconds(1));
  outage_.OnIdle(logs_, absl::Milliseconds(500));
  EXPECT_EQ(outage_.left(traces_), absl::Seconds(3));
  EXPECT_EQ(outage_.left(metrics_), absl::Seconds(3)) << "the sandbox has spent it";
}

// A function without a route to anywhere finds its destinations dead one after the other: still one outage.
TEST_F(OutageBudgetTest, AnOutageOfEverythingCostsFourSecondsInAll) {
  Stall(traces_);
  Stall(traces_);
  Stall(logs_);
  EXPECT_EQ(outage_.left(metrics_), absl::ZeroDuration());
  EXPECT_EQ(Enter(metrics_).kind, Decision::kProbe) << "the first flush there only looks";
  EXPECT_EQ(Enter(logs_).kind, Decision::kProbe) << "and so does one after only one strike";
  EXPECT_EQ(outage_.counts().exhausted, 2);
}

TEST_F(OutageBudgetTest, ASingleDeadDestinationHasItsOwnBudget) {
  for (int i = 0; i < 10; ++i) {
    const OutageBudget::Pass pass = Enter(traces_);
    ASSERT_EQ(pass.kind, Decision::kGo) << i;
    Idle(traces_, absl::Milliseconds(400));
    outage_.Leave(pass, End::kNothingLearned);  // each was cut short by its deadline
    outage_.OnAnswer(logs_);
  }
  EXPECT_EQ(outage_.left(logs_), absl::Seconds(4));
  EXPECT_EQ(Enter(traces_).kind, Decision::kProbe);
  EXPECT_EQ(Enter(logs_).kind, Decision::kGo);
}

TEST_F(OutageBudgetTest, AnAnswerRefillsTheBudget) {
  Idle(traces_, absl::Seconds(3));
  outage_.OnAnswer(traces_);
  EXPECT_EQ(outage_.left(traces_), absl::Seconds(4));
  EXPECT_EQ(outage_.left(logs_), absl::Seconds(4));
}

TEST_F(OutageBudgetTest, AProbesFindingHoldsForItsWaiters) {
  Stall(traces_);
  Stall(traces_);
  Pass(absl::Seconds(1));
  EXPECT_FALSE(outage_.would_skip(traces_));
  const OutageBudget::Pass probe = Enter(traces_);
  ASSERT_EQ(probe.kind, Decision::kProbe);
  const auto failed = BeginEnter(traces_);
  EXPECT_FALSE(failed->has_value());
  outage_.Leave(probe, End::kFailed);
  executor_.RunAll();
  ASSERT_TRUE(failed->has_value());
  EXPECT_EQ((*failed)->kind, Decision::kSkip);

  Pass(absl::Seconds(2));
  const OutageBudget::Pass second = Enter(traces_);
  ASSERT_EQ(second.kind, Decision::kProbe);
  const auto answered = BeginEnter(traces_);
  outage_.OnProbeAnswered(second);
  executor_.RunAll();
  ASSERT_TRUE(answered->has_value());
  EXPECT_EQ((*answered)->kind, Decision::kGo);
  outage_.Leave(second, End::kProgress);
  EXPECT_EQ(outage_.counts().probes, 2);
  EXPECT_EQ(outage_.counts().probes_answered, 1);
}

TEST_F(OutageBudgetTest, AWaitForAProbeCanBeCancelled) {
  Stall(traces_);
  Stall(traces_);
  Pass(absl::Seconds(1));
  const OutageBudget::Pass probe = Enter(traces_);
  const auto waiting = BeginEnter(traces_);
  cancellation_.Request(absl::DeadlineExceededError("over"));
  executor_.RunAll();
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ((*waiting)->kind, Decision::kSkip);
  outage_.Leave(probe, End::kFailed);
}

TEST_F(OutageBudgetTest, AFlushThatBeganBeforeTheProbeDoesNotEndIt) {
  const OutageBudget::Pass slow = Enter(traces_);
  Stall(traces_);
  Stall(traces_);
  Pass(absl::Seconds(1));
  const OutageBudget::Pass probe = Enter(traces_);
  ASSERT_EQ(probe.kind, Decision::kProbe);
  outage_.Leave(slow, End::kFailed);
  const auto waiting = BeginEnter(traces_);
  EXPECT_FALSE(waiting->has_value()) << "the probe goes on";
  outage_.Leave(probe, End::kFailed);
  executor_.RunAll();
  EXPECT_EQ((*waiting)->kind, Decision::kSkip);
}

// The destination answers probes and stalls each time: the wait between probes still grows.
TEST_F(OutageBudgetTest, ADestinationThatAnswersOnlyProbesIsGivenUpSoonerEachTime) {
  Stall(traces_);
  Stall(traces_);
  absl::Duration wait = absl::Seconds(1);
  for (int i = 0; i < 4; ++i) {
    Pass(wait - absl::Milliseconds(20));
    EXPECT_EQ(Enter(traces_).kind, Decision::kSkip) << i;
    Pass(absl::Milliseconds(30));
    const OutageBudget::Pass probe = Enter(traces_);
    ASSERT_EQ(probe.kind, Decision::kProbe) << i;
    outage_.OnAnswer(traces_);
    outage_.OnProbeAnswered(probe);
    outage_.Leave(probe, End::kFailed);
    EXPECT_TRUE(outage_.breaker_open(traces_)) << "one strike is enough";
    wait *= 2;
  }
  Pass(wait);
  const OutageBudget::Pass probe = Enter(traces_);
  outage_.OnProbeAnswered(probe);
  outage_.Leave(probe, End::kProgress);
  Stall(traces_);
  EXPECT_FALSE(outage_.breaker_open(traces_)) << "a flush that went well makes all good";
}

TEST_F(OutageBudgetTest, ProbesHaveTheirTimeAndOutagesFour) {
  EXPECT_EQ(outage_.flush_limits().idle_limit, absl::Milliseconds(1500));
  EXPECT_EQ(outage_.probe_limits().at_least, absl::Milliseconds(250));
  EXPECT_LT(outage_.probe_limits().idle_limit, outage_.probe_limits().at_least);
  const OutageBudget unlimited(executor_, clock_, {.no_progress_limit = absl::InfiniteDuration()});
  EXPECT_FALSE(unlimited.limits());
}

}  // namespace
}  // namespace thaw
