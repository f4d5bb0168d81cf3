#include "cc/net/io/datagram_gathering.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

class DatagramGatheringTest : public testing::Test {
 protected:
  // Lets as many datagrams gather in the pause as come at a pace, and returns the next pause.
  absl::Duration Next(int64_t a_millisecond) {
    now_ += pause_;
    return pause_ = gathering_.PauseAfter(a_millisecond * (pause_ / absl::Milliseconds(1)), false, now_);
  }
  // Receives one datagram in each of the turns before the first pause.
  void BeginPauses() {
    for (int turn = 0; turn <= DatagramGathering::kQuickTurns; ++turn) {
      EXPECT_EQ(pause_, absl::ZeroDuration()) << turn;
      pause_ = gathering_.PauseAfter(1, false, now_ += absl::Microseconds(50));
    }
    EXPECT_GT(pause_, absl::ZeroDuration());
  }

  DatagramGathering gathering_;
  absl::Duration now_ = absl::Seconds(100);
  absl::Duration pause_;
};

TEST_F(DatagramGatheringTest, AFewDatagramsInARowAreReadAtOnce) { BeginPauses(); }

TEST_F(DatagramGatheringTest, SlowDatagramsAreReadAtOnce) {
  for (int turn = 0; turn < 100; ++turn)
    EXPECT_EQ(gathering_.PauseAfter(1, false, now_ += DatagramGathering::kShortPause), absl::ZeroDuration());
}

TEST_F(DatagramGatheringTest, PausesAreLongUntilAFloodComesAndThenShort) {
  BeginPauses();
  EXPECT_EQ(Next(20), DatagramGathering::kLongPause);
  EXPECT_EQ(Next(20), DatagramGathering::kLongPause);
  EXPECT_EQ(Next(100), DatagramGathering::kShortPause);
  EXPECT_EQ(Next(100), DatagramGathering::kShortPause);
  EXPECT_EQ(Next(20), DatagramGathering::kLongPause);
}

TEST_F(DatagramGatheringTest, WhereMoreMayWaitThereIsNoPause) {
  BeginPauses();
  EXPECT_EQ(gathering_.PauseAfter(1000, true, now_ += absl::Milliseconds(2)), absl::ZeroDuration());
  EXPECT_GT(gathering_.PauseAfter(1000, false, now_ += absl::Microseconds(100)), absl::ZeroDuration());
}

TEST_F(DatagramGatheringTest, PausesEndWhenHardlyAnythingGathers) {
  BeginPauses();
  EXPECT_EQ(gathering_.PauseAfter(1, false, now_ += absl::Milliseconds(2)), absl::ZeroDuration());
  EXPECT_EQ(gathering_.PauseAfter(1, false, now_ += absl::Microseconds(50)), absl::ZeroDuration());
}

}  // namespace
}  // namespace thaw
