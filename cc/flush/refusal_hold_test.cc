#include "cc/flush/refusal_hold.h"

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Decision = Breaker::Decision;

class RefusalHoldTest : public testing::Test {
 protected:
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  RefusalHold hold_{clock_, BreakerOptions()};
};

TEST_F(RefusalHoldTest, TwoRefusedFlushesAndOnlyProbesGo) {
  hold_.OnRefused(std::nullopt);
  EXPECT_EQ(hold_.Decide(), Decision::kGo);
  hold_.OnRefused(std::nullopt);
  EXPECT_EQ(hold_.Decide(), Decision::kSkip);
  for (int i = 0; i < 8; ++i) hold_.OnFlush();
  EXPECT_FALSE(hold_.would_skip());
  EXPECT_EQ(hold_.Decide(), Decision::kProbe);
  EXPECT_EQ(hold_.Decide(), Decision::kSkip) << "one probe at a time";
  hold_.OnRefused(std::nullopt);
  for (int i = 0; i < 8; ++i) hold_.OnFlush();
  EXPECT_TRUE(hold_.would_skip()) << "the wait has doubled";
  for (int i = 0; i < 8; ++i) hold_.OnFlush();
  EXPECT_EQ(hold_.Decide(), Decision::kProbe);
  hold_.OnAccepted();
  EXPECT_EQ(hold_.Decide(), Decision::kGo);
}

TEST_F(RefusalHoldTest, RetryAfterIsKeptAcrossFlushesByTheClockThatAdvancedMost) {
  hold_.OnRefused(absl::Seconds(10));
  EXPECT_TRUE(hold_.would_skip());
  clock_.Advance(absl::Seconds(4));
  EXPECT_EQ(hold_.Decide(), Decision::kSkip);
  clock_.Freeze(absl::Seconds(6));
  EXPECT_EQ(hold_.Decide(), Decision::kGo) << "the peer's time is not frozen";
}

TEST_F(RefusalHoldTest, FlushesDoNotShortenARetryAfter) {
  hold_.OnRefused(absl::Seconds(10));
  hold_.OnRefused(absl::Seconds(10));
  for (int i = 0; i < 100; ++i) hold_.OnFlush();
  EXPECT_EQ(hold_.Decide(), Decision::kSkip);
  clock_.Freeze(absl::Seconds(10));
  EXPECT_EQ(hold_.Decide(), Decision::kProbe);
}

TEST_F(RefusalHoldTest, ARetryAfterOfADayIsNotBelieved) {
  hold_.OnRefused(absl::Hours(24));
  clock_.Freeze(RefusalHold::kLongestHold);
  EXPECT_EQ(hold_.Decide(), Decision::kGo);
}

TEST_F(RefusalHoldTest, AnAcceptanceEndsTheWait) {
  hold_.OnRefused(absl::Seconds(10));
  hold_.OnAccepted();
  EXPECT_EQ(hold_.Decide(), Decision::kGo);
}

TEST_F(RefusalHoldTest, ARefusalBesideAnAcceptanceIsWaitedForToo) {
  hold_.OnAccepted(absl::Seconds(10));
  EXPECT_EQ(hold_.Decide(), Decision::kSkip);
  clock_.Freeze(absl::Seconds(10));
  EXPECT_EQ(hold_.Decide(), Decision::kGo) << "without a probe: it is no strike";
}

}  // namespace
}  // namespace thaw
