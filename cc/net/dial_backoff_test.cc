#include "cc/net/dial_backoff.h"

#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class DialBackoffTest : public testing::Test {
 protected:
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  RandomFraction random_ = [] { return 0.5; };
  DialBackoff backoff_{clock_, absl::Milliseconds(100), absl::Seconds(1), random_};
  const Destination a_{.host = "a.test"};
  const Destination b_{.host = "b.test"};
};

TEST_F(DialBackoffTest, EachRoundWaitsLongerUpToTheCap) {
  EXPECT_EQ(backoff_.UntilNextDial(a_), absl::ZeroDuration());
  for (const int milliseconds : {50, 100, 200, 400, 500, 500}) {
    backoff_.OnFailure(a_);
    EXPECT_EQ(backoff_.UntilNextDial(a_), absl::Milliseconds(milliseconds));
    clock_.Advance(absl::Milliseconds(milliseconds));
    EXPECT_EQ(backoff_.UntilNextDial(a_), absl::ZeroDuration());
  }
}

TEST_F(DialBackoffTest, AFailureWithinTheWaitIsOfThePreviousRound) {
  backoff_.OnFailure(a_);
  clock_.Advance(absl::Milliseconds(20));
  backoff_.OnFailure(a_);
  EXPECT_EQ(backoff_.UntilNextDial(a_), absl::Milliseconds(30));
}

TEST_F(DialBackoffTest, DestinationsShareNothing) {
  backoff_.OnFailure(a_);
  EXPECT_EQ(backoff_.UntilNextDial(b_), absl::ZeroDuration());
}

TEST_F(DialBackoffTest, ASuccessEndsTheWaitAndTheSeries) {
  backoff_.OnFailure(a_);
  backoff_.OnSuccess(a_);
  EXPECT_EQ(backoff_.UntilNextDial(a_), absl::ZeroDuration());
  backoff_.OnFailure(a_);
  EXPECT_EQ(backoff_.UntilNextDial(a_), absl::Milliseconds(50));
}

TEST_F(DialBackoffTest, ClearForgetsAll) {
  backoff_.OnFailure(a_);
  backoff_.OnFailure(b_);
  backoff_.Clear();
  EXPECT_EQ(backoff_.UntilNextDial(a_), absl::ZeroDuration());
  EXPECT_EQ(backoff_.UntilNextDial(b_), absl::ZeroDuration());
}

}  // namespace
}  // namespace thaw
