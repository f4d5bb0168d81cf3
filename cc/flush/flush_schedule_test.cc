#include "cc/flush/flush_schedule.h"

#include <string>
#include <vector>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Kind = FlushStrategy::Kind;

class FlushScheduleTest : public testing::Test {
 protected:
  FlushSchedule Make(std::string_view strategy, absl::Duration flush_timeout = absl::Seconds(30)) {
    return FlushSchedule(ParseFlushStrategy(strategy).value(), flush_timeout, clock_.Now());
  }
  FlushDecision Invoke(FlushSchedule& schedule, bool background_flush_runs = false) {
    return schedule.OnInvoke(clock_.Now(), background_flush_runs);
  }
  // Returns the decisions of `count` invocations, each `gap` after the one before.
  std::vector<FlushDecision> Invocations(FlushSchedule& schedule, int count, absl::Duration gap) {
    std::vector<FlushDecision> decisions;
    for (int i = 0; i < count; ++i) {
      clock_.Advance(gap);
      decisions.push_back(Invoke(schedule));
    }
    return decisions;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
};

using Decisions = std::vector<FlushDecision>;

TEST_F(FlushScheduleTest, NineteenFlushesAtTheEndThenContinuously) {
  FlushSchedule schedule = Make("default");
  EXPECT_EQ(Invocations(schedule, 19, absl::Milliseconds(1)), Decisions(19, FlushDecision::kAtEnd));
  // The interval counts from the start: 20 s have not passed yet.
  EXPECT_EQ(Invoke(schedule), FlushDecision::kNone);
  EXPECT_EQ(schedule.effective(), (FlushStrategy{Kind::kContinuously, absl::Seconds(20)}));
}

TEST_F(FlushScheduleTest, NineteenEndDecisionsThenContinuousWhenTheIntervalHasPassed) {
  FlushSchedule schedule = Make("default");
  clock_.Advance(absl::Seconds(20));
  EXPECT_EQ(Invocations(schedule, 19, absl::Milliseconds(1)), Decisions(19, FlushDecision::kAtEnd));
  EXPECT_EQ(Invoke(schedule), FlushDecision::kInBackground);
  EXPECT_EQ(Invoke(schedule), FlushDecision::kNone);
}

TEST_F(FlushScheduleTest, TheMeanGapChoosesTheAdaptiveStrategy) {
  const auto chosen = [this](absl::Duration gap, absl::Duration flush_timeout = absl::Seconds(30)) {
    FlushSchedule schedule = Make("default", flush_timeout);
    Invocations(schedule, 20, gap);
    return ToString(schedule.effective());
  };
  EXPECT_EQ(chosen(absl::Seconds(1)), "continuously,20000");
  EXPECT_EQ(chosen(absl::Milliseconds(1578)), "continuously,20000");
  EXPECT_EQ(chosen(absl::Milliseconds(1579)), "periodically,20000") << "19 gaps are 30.001 s";
  EXPECT_EQ(chosen(absl::Milliseconds(1579), absl::Seconds(31)), "continuously,20000");
  EXPECT_EQ(chosen(absl::Milliseconds(119'999)), "periodically,20000");
  EXPECT_EQ(chosen(absl::Seconds(120)), "end");
}

TEST_F(FlushScheduleTest, TheAdaptiveStrategyForgetsAllButTwentyInvocations) {
  FlushSchedule schedule = Make("default");
  Invocations(schedule, 20, absl::Minutes(5));
  EXPECT_EQ(schedule.effective().kind, Kind::kEnd);
  Invocations(schedule, 18, absl::Seconds(1));
  EXPECT_EQ(schedule.effective().kind, Kind::kPeriodically) << "one long gap is still among them";
  Invocations(schedule, 1, absl::Seconds(1));
  EXPECT_EQ(schedule.effective().kind, Kind::kContinuously);
}

TEST_F(FlushScheduleTest, EndAlwaysFlushesAtTheEnd) {
  FlushSchedule schedule = Make("end");
  EXPECT_EQ(Invocations(schedule, 50, absl::Milliseconds(1)), Decisions(50, FlushDecision::kAtEnd));
}

TEST_F(FlushScheduleTest, IntervalStrategiesFlushWhenMoreThanTheIntervalHasPassed) {
  for (const auto& [strategy, flush] :
       {std::pair{"end,500", FlushDecision::kAtEnd}, std::pair{"periodically,500", FlushDecision::kBlocking},
        std::pair{"continuously,500", FlushDecision::kInBackground}}) {
    SCOPED_TRACE(strategy);
    FlushSchedule schedule = Make(strategy);
    EXPECT_EQ(Invoke(schedule), FlushDecision::kNone);
    clock_.Advance(absl::Milliseconds(500));
    EXPECT_EQ(Invoke(schedule), FlushDecision::kNone);
    clock_.Advance(absl::Milliseconds(1));
    EXPECT_EQ(Invoke(schedule), flush) << "milliseconds are not rounded to seconds";
    clock_.Advance(absl::Milliseconds(500));
    EXPECT_EQ(Invoke(schedule), FlushDecision::kNone);
    clock_.Advance(absl::Milliseconds(1));
    EXPECT_EQ(Invoke(schedule), flush);
  }
}

TEST_F(FlushScheduleTest, ASuppressedContinuousFlushDoesNotUseItsIntervalUp) {
  FlushSchedule schedule = Make("continuously,1000");
  clock_.Advance(absl::Milliseconds(1001));
  EXPECT_EQ(Invoke(schedule, /*background_flush_runs=*/true), FlushDecision::kNone);
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Invoke(schedule), FlushDecision::kInBackground) << "as soon as the slow one has ended";
}

TEST_F(FlushScheduleTest, TimeInAFreezeCountsWhicheverClockSawIt) {
  for (const FakeClock::Step& freeze :
       {FakeClock::Step{.wall = absl::Minutes(1)}, FakeClock::Step{.boot = absl::Minutes(1)},
        FakeClock::Step{.monotonic = absl::Minutes(1)}}) {
    FlushSchedule schedule = Make("periodically,20000");
    clock_.Freeze(freeze);
    EXPECT_EQ(Invoke(schedule), FlushDecision::kBlocking);
  }
}

TEST_F(FlushScheduleTest, AClockThatStepsBackIsNoReasonToFlush) {
  FlushSchedule schedule = Make("continuously,20000");
  clock_.Advance({.wall = -absl::Hours(1)});
  EXPECT_EQ(Invoke(schedule), FlushDecision::kNone);
  clock_.Advance(absl::Seconds(21));
  EXPECT_EQ(Invoke(schedule), FlushDecision::kInBackground) << "nor to flush no more";
}

TEST_F(FlushScheduleTest, TheRaceTimer) {
  const auto interval = [this](std::string_view strategy) { return Make(strategy).race_interval(); };
  EXPECT_EQ(interval("default"), absl::Seconds(60));
  EXPECT_EQ(interval("end"), absl::Minutes(15));
  EXPECT_EQ(interval("end,500"), absl::Milliseconds(500));
  EXPECT_EQ(interval("periodically,700"), absl::Milliseconds(700));
  EXPECT_EQ(interval("continuously,900"), absl::Milliseconds(900));
  for (const char* strategy : {"default", "end", "end,500", "periodically,500", "continuously,500"}) {
    const FlushSchedule schedule = Make(strategy);
    EXPECT_TRUE(schedule.RaceFlushes(FlushDecision::kAtEnd)) << strategy;
    for (const FlushDecision other :
         {FlushDecision::kBlocking, FlushDecision::kInBackground, FlushDecision::kNone}) {
      EXPECT_EQ(schedule.RaceFlushes(other), std::string_view(strategy) == "default") << strategy;
    }
  }
}

}  // namespace
}  // namespace thaw
