#include "cc/flush/breaker.h"

#include <algorithm>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class BreakerTest : public testing::Test {
 protected:
  // Time in which the loop turns, as it does while an invocation runs.
  void Pass(absl::Duration time) {
    while (time > absl::ZeroDuration()) {
      const absl::Duration step = std::min(time, absl::Milliseconds(10));
      clock_.Advance(step);
      executor_.RunAll();
      time -= step;
    }
  }
  void Open() {
    breaker_.OnStrike();
    breaker_.OnStrike();
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  Breaker breaker_{clock_,
                   {.strikes = 2, .probe_backoff = absl::Seconds(1), .probe_backoff_cap = absl::Seconds(3)}};
};

using Decision = Breaker::Decision;

TEST_F(BreakerTest, OpensAfterTwoStrikesInARow) {
  EXPECT_EQ(breaker_.Decide(), Decision::kGo);
  breaker_.OnStrike();
  EXPECT_EQ(breaker_.Decide(), Decision::kGo);
  breaker_.OnProgress();
  breaker_.OnStrike();
  EXPECT_EQ(breaker_.Decide(), Decision::kGo);
  breaker_.OnStrike();
  EXPECT_TRUE(breaker_.open());
  EXPECT_EQ(breaker_.Decide(), Decision::kSkip);
}

TEST_F(BreakerTest, ProbesOnceWhenTheTimeHasComeAndClosesOnProgress) {
  Open();
  Pass(absl::Milliseconds(990));
  EXPECT_EQ(breaker_.Decide(), Decision::kSkip);
  Pass(absl::Milliseconds(20));
  EXPECT_EQ(breaker_.Decide(), Decision::kProbe);
  EXPECT_EQ(breaker_.Decide(), Decision::kSkip) << "one probe at a time";
  breaker_.OnProgress();
  EXPECT_EQ(breaker_.Decide(), Decision::kGo);
  breaker_.OnStrike();
  EXPECT_FALSE(breaker_.open());
}

TEST_F(BreakerTest, TheWaitDoublesUpToItsCap) {
  Open();
  for (const int seconds : {1, 2, 3, 3}) {
    Pass(absl::Seconds(seconds) - absl::Milliseconds(20));
    EXPECT_EQ(breaker_.Decide(), Decision::kSkip) << seconds;
    Pass(absl::Milliseconds(30));
    EXPECT_EQ(breaker_.Decide(), Decision::kProbe) << seconds;
    breaker_.OnStrike();
  }
}

TEST_F(BreakerTest, FrozenTimeIsNoActiveTime) {
  Open();
  Pass(absl::Milliseconds(500));
  clock_.Freeze(absl::Seconds(58));
  executor_.RunAll();
  EXPECT_EQ(breaker_.Decide(), Decision::kSkip);
  Pass(absl::Milliseconds(520));
  EXPECT_EQ(breaker_.Decide(), Decision::kProbe);
}

TEST_F(BreakerTest, WithFrozenTimeItProbesAfterAMinuteThenTwoThenThree) {
  Open();
  for (const int minutes : {1, 2, 3, 3}) {
    clock_.Freeze(absl::Minutes(minutes) - absl::Milliseconds(10));
    executor_.RunAll();
    EXPECT_EQ(breaker_.Decide(), Decision::kSkip) << minutes;
    Pass(absl::Milliseconds(10));
    EXPECT_EQ(breaker_.Decide(), Decision::kProbe) << minutes;
    breaker_.OnStrike();
  }
}

TEST_F(BreakerTest, WithShortFlushesItProbesAtTheEighthThenTheSixteenth) {
  Open();
  for (const int flushes : {8, 16, 24, 24}) {
    for (int i = 1; i < flushes; ++i) {
      breaker_.OnFlush();
      ASSERT_EQ(breaker_.Decide(), Decision::kSkip) << i << " of " << flushes;
      Pass(absl::Milliseconds(10));
    }
    breaker_.OnFlush();
    EXPECT_EQ(breaker_.Decide(), Decision::kProbe) << flushes;
    breaker_.OnStrike();
  }
}

TEST_F(BreakerTest, WaitsLikeAnotherThatWaitsLonger) {
  Breaker other(clock_, {.strikes = 1, .probe_backoff = absl::Seconds(3)});
  other.OnStrike();
  Pass(absl::Seconds(1));
  Open();
  breaker_.WaitLike(other);
  Pass(absl::Milliseconds(1980));
  EXPECT_TRUE(breaker_.would_skip());
  EXPECT_TRUE(other.would_skip());
  Pass(absl::Milliseconds(30));
  EXPECT_FALSE(breaker_.would_skip()) << "its own second was over long before";
  EXPECT_FALSE(other.would_skip());
  other.WaitLike(breaker_);
  EXPECT_FALSE(other.would_skip()) << "the other does not wait longer";
}

TEST_F(BreakerTest, AFlushThatBeganBeforeItOpenedDoesNotPutTheProbeOff) {
  Open();
  breaker_.OnStrike();
  Pass(absl::Milliseconds(1010));
  EXPECT_EQ(breaker_.Decide(), Decision::kProbe);
  breaker_.OnNothingLearned();
  EXPECT_EQ(breaker_.Decide(), Decision::kProbe) << "a probe that told nothing may be repeated at once";
}

TEST_F(BreakerTest, AfterAnAnsweredProbeOneStrikeOpensItAgainForLonger) {
  Open();
  Pass(absl::Milliseconds(1010));
  ASSERT_EQ(breaker_.Decide(), Decision::kProbe);
  breaker_.OnProbeAnswered();
  EXPECT_EQ(breaker_.Decide(), Decision::kGo);
  breaker_.OnStrike();
  EXPECT_TRUE(breaker_.open());
  Pass(absl::Milliseconds(1990));
  EXPECT_EQ(breaker_.Decide(), Decision::kSkip);
  Pass(absl::Milliseconds(20));
  ASSERT_EQ(breaker_.Decide(), Decision::kProbe);
  breaker_.OnProbeAnswered();
  breaker_.OnProgress();
  breaker_.OnStrike();
  EXPECT_FALSE(breaker_.open()) << "progress forgets it all";
}

TEST_F(BreakerTest, OpenedByForceItMayProbeAtOnce) {
  breaker_.Open();
  EXPECT_FALSE(breaker_.would_skip());
  EXPECT_EQ(breaker_.Decide(), Decision::kProbe);
  EXPECT_TRUE(breaker_.would_skip());
  breaker_.OnStrike();
  Pass(absl::Milliseconds(990));
  EXPECT_EQ(breaker_.Decide(), Decision::kSkip);
  Pass(absl::Milliseconds(20));
  EXPECT_EQ(breaker_.Decide(), Decision::kProbe);
}

}  // namespace
}  // namespace thaw
