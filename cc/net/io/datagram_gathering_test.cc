#include "cc/net/io/datagram_gathering.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

class DatagramGatheringTest : public testing::Test {
 protected:
  // Lets as many datagrams gather in the pause as come at a pace, and returns the next pause.
  absl::Duration Next(int64_t a_second) {
    now_ += pause_;
    return pause_ = gathering_.PauseAfter(pause_ * a_second / absl::Seconds(1), false, now_);
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
    EXPECT_EQ(gathering_.PauseAfter(1, false, now_ += DatagramGathering::kShortest), absl::ZeroDuration());
}

TEST_F(DatagramGatheringTest, PausesLastUntilEnoughHasGathered) {
  BeginPauses();
  Next(32'000);
  EXPECT_EQ(Next(32'000), absl::Milliseconds(2));
  EXPECT_EQ(Next(32'000), absl::Milliseconds(2));
}

TEST_F(DatagramGatheringTest, PausesAreShortInAFloodAndNeverTooLong) {
  BeginPauses();
  Next(5'000);
  EXPECT_EQ(Next(5'000), DatagramGathering::kLongest);
  EXPECT_EQ(Next(200'000), DatagramGathering::kShortest);
  EXPECT_EQ(Next(200'000), DatagramGathering::kShortest);
  EXPECT_EQ(Next(5'000), DatagramGathering::kLongest);
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
