#include "cc/flush/stall_watch.h"

#include <memory>
#include <utility>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class StallWatchTest : public testing::Test {
 protected:
  void Watch(StallWatch::Limits limits, absl::Duration allowance = absl::InfiniteDuration()) {
    allowance_ = allowance;
    began_ = clock_.Now().monotonic;
    watch_ = std::make_unique<StallWatch>(
        clock_, limits, [this] { return moved_; }, [this] { return allowance_; },
        [this] {
          EXPECT_FALSE(stalled_);
          stalled_ = true;
        });
  }
  // Lets at most `milliseconds` pass, one by one, until the watch has fired.
  absl::Duration Pass(int milliseconds) {
    for (int i = 0; i < milliseconds && !stalled_; ++i) {
      clock_.Advance(absl::Milliseconds(1));
      executor_.RunAll();
    }
    return clock_.Now().monotonic - began_;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  std::unique_ptr<StallWatch> watch_;
  int64_t moved_ = 0;
  absl::Duration allowance_;
  absl::Duration began_;
  bool stalled_ = false;
};

constexpr StallWatch::Limits kNormal{.idle_limit = absl::Milliseconds(1500)};
constexpr StallWatch::Limits kProbe{.idle_limit = absl::Milliseconds(250),
                                    .at_least = absl::Milliseconds(300),
                                    .look_every = absl::Milliseconds(25)};

TEST_F(StallWatchTest, EndsExactlyAtTheLimitWhenNothingMoves) {
  Watch(kNormal);
  EXPECT_EQ(Pass(5000), absl::Milliseconds(1500));
  EXPECT_EQ(watch_->idle_for(), absl::Milliseconds(1500));
}

TEST_F(StallWatchTest, ASendThatMovesNowAndThenIsNotStalled) {
  Watch(kNormal);
  for (int i = 0; i < 20; ++i) {
    Pass(1300);
    ++moved_;
  }
  EXPECT_FALSE(stalled_);
  EXPECT_EQ(Pass(5000), absl::Milliseconds(20 * 1300 + 1600)) << "movement is seen at the next look";
}

TEST_F(StallWatchTest, TheAllowanceEndsItToo) {
  Watch(kNormal, absl::Milliseconds(730));
  EXPECT_EQ(Pass(5000), absl::Milliseconds(730));
}

TEST_F(StallWatchTest, IdleTimeBeforeAMovementIsNotChargedToTheAllowance) {
  Watch(kNormal, absl::Milliseconds(730));
  for (int i = 0; i < 20; ++i) {
    Pass(600);
    ++moved_;
  }
  EXPECT_FALSE(stalled_);
}

TEST_F(StallWatchTest, IdleTimeIsKnownBetweenLooksToo) {
  Watch(kNormal);
  Pass(1);
  EXPECT_EQ(watch_->idle_for(), absl::Milliseconds(1));
  Pass(149);
  EXPECT_EQ(watch_->idle_for(), absl::Milliseconds(150));
  ++moved_;
  Pass(75);
  EXPECT_EQ(watch_->idle_for(), absl::Milliseconds(25)) << "movement is seen at the next look";
}

TEST_F(StallWatchTest, AProbeOfASilentPeerEndsExactlyWithItsTime) {
  Watch(kProbe);
  ++moved_;  // the first bytes go into the system's buffer, whether or not a peer is there
  EXPECT_EQ(Pass(5000), absl::Milliseconds(300));
}

TEST_F(StallWatchTest, AProbeOfADistantPeerMayGoOnWhileItMoves) {
  Watch(kProbe);
  for (int i = 0; i < 3; ++i) {
    Pass(220);
    ++moved_;
  }
  EXPECT_FALSE(stalled_);
  EXPECT_LE(Pass(5000), absl::Milliseconds(3 * 220 + 275));
}

TEST_F(StallWatchTest, FrozenTimeIsNotIdleTime) {
  Watch(kNormal);
  Pass(1000);
  clock_.Freeze(absl::Hours(1));
  executor_.RunAll();
  EXPECT_FALSE(stalled_);
  Pass(499);
  EXPECT_FALSE(stalled_);
  Pass(1);
  EXPECT_TRUE(stalled_);
  EXPECT_EQ(watch_->idle_for(), absl::Milliseconds(1500));
}

TEST_F(StallWatchTest, WithoutALimitItNeverLooks) {
  Watch({.idle_limit = absl::InfiniteDuration()});
  EXPECT_FALSE(clock_.UntilNextAlarm().has_value());
}

}  // namespace
}  // namespace thaw
