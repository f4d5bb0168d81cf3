#include "cc/clock/clock.h"

#include <string>
#include <utility>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/clock/sleep.h"
#include "cc/clock/system_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class FakeClockTest : public testing::Test {
 protected:
  ManualExecutor executor_;
  FakeClock clock_{executor_};
};

TEST_F(FakeClockTest, TheThreeClocksMoveByThemselves) {
  const ClockReading before = clock_.Now();
  clock_.Advance({.wall = absl::Seconds(-30), .monotonic = absl::Seconds(1), .boot = absl::Seconds(5)});
  const ClockReading after = clock_.Now();
  EXPECT_EQ(after.wall - before.wall, absl::Seconds(-30));
  EXPECT_EQ(after.monotonic - before.monotonic, absl::Seconds(1));
  EXPECT_EQ(after.boot - before.boot, absl::Seconds(5));
  EXPECT_EQ(LargestAdvance(before, after), absl::Seconds(5));
  EXPECT_EQ(LargestAdvance(after, before), absl::Seconds(30));
}

TEST_F(FakeClockTest, AlarmsFireInOrderOfDueTimeThenOfSetting) {
  std::string order;
  const Alarm c(clock_, absl::Seconds(2), [&] { order += 'c'; });
  const Alarm a(clock_, absl::Seconds(1), [&] { order += 'a'; });
  const Alarm b(clock_, absl::Seconds(1), [&] { order += 'b'; });
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  EXPECT_EQ(order, "ab");
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  EXPECT_EQ(order, "abc");
}

TEST_F(FakeClockTest, ACancelledAlarmDoesNotFireEvenWhenItIsQueuedAlready) {
  int fired = 0;
  Alarm alarm(clock_, absl::Seconds(1), [&] { ++fired; });
  clock_.Advance(absl::Seconds(1));
  alarm.Cancel();
  executor_.RunAll();
  EXPECT_EQ(fired, 0);
}

TEST_F(FakeClockTest, AnAlarmNeverFiresAfterInfinity) {
  int fired = 0;
  const Alarm alarm(clock_, absl::InfiniteDuration(), [&] { ++fired; });
  clock_.Advance(absl::Hours(1000));
  executor_.RunAll();
  EXPECT_EQ(fired, 0);
}

TEST_F(FakeClockTest, ALateAlarmWaitsForTheTimeLeftAtTheLoopsLastTurn) {
  int fired = 0;
  const Alarm alarm(clock_, absl::Seconds(3), [&] { ++fired; });
  clock_.Advance(absl::Seconds(2));  // 1 s remains
  clock_.Freeze(absl::Seconds(60));
  executor_.RunAll();
  EXPECT_EQ(fired, 0);
  EXPECT_EQ(clock_.late(), 1);
  EXPECT_EQ(clock_.UntilNextAlarm(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  EXPECT_EQ(fired, 1);
}

TEST_F(FakeClockTest, AnAlarmReturnsTheRestOfItsActiveTime) {
  Alarm alarm(clock_, absl::Seconds(3), [] {});
  EXPECT_EQ(alarm.left(), absl::Seconds(3));
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(alarm.left(), absl::Seconds(1));
  clock_.Freeze(absl::Seconds(60));
  EXPECT_EQ(alarm.left(), absl::Seconds(1)) << "the freeze is not counted";
  alarm.Cancel();
  EXPECT_EQ(alarm.left(), absl::ZeroDuration());
  EXPECT_EQ(Alarm().left(), absl::ZeroDuration());
}

TEST_F(FakeClockTest, AnAlarmIsSetUntilItRunsOrIsCancelled) {
  EXPECT_FALSE(Alarm().is_set());
  bool set_while_it_runs = true;
  Alarm alarm;
  alarm = Alarm(clock_, absl::Seconds(1), [&] { set_while_it_runs = alarm.is_set(); });
  EXPECT_TRUE(alarm.is_set());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(alarm.is_set()) << "it waits in the executor's queue, and can still be cancelled";
  EXPECT_EQ(alarm.left(), absl::ZeroDuration());
  executor_.RunAll();
  EXPECT_FALSE(set_while_it_runs);
  EXPECT_FALSE(alarm.is_set());

  alarm = Alarm(clock_, absl::InfiniteDuration(), [] {});
  EXPECT_TRUE(alarm.is_set());
  Alarm moved = std::move(alarm);
  EXPECT_TRUE(moved.is_set());
  moved.Cancel();
  EXPECT_FALSE(moved.is_set());
}

TEST_F(FakeClockTest, AnAlarmAHairLateFires) {
  int fired = 0;
  const Alarm alarm(clock_, absl::Seconds(1), [&] { ++fired; });
  clock_.Freeze(absl::Seconds(1) + kAlarmLateAfter);
  executor_.RunAll();
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(clock_.late(), 0);
}

TEST_F(FakeClockTest, AnAlarmThatCountsFrozenTimeFiresAtOnce) {
  int fired = 0;
  const Alarm alarm(clock_, absl::Seconds(3), [&] { ++fired; }, LateAlarm::kFire);
  clock_.Freeze(absl::Seconds(60));
  executor_.RunAll();
  EXPECT_EQ(fired, 1);
}

TEST_F(FakeClockTest, SleepEndsEarlyWhenCancelled) {
  Cancellation cancellation;
  absl::Status result;
  Spawn<absl::Status>(executor_, Sleep(executor_, clock_, absl::Seconds(5), cancellation),
                      [&](absl::Status status) { result = status; });
  executor_.RunAll();
  cancellation.Request(absl::CancelledError("stop"));
  executor_.RunAll();
  EXPECT_TRUE(absl::IsCancelled(result));
  EXPECT_EQ(clock_.UntilNextAlarm(), std::nullopt);
}

TEST(SystemClock, ReadsAllThree) {
  const ClockReading first = ReadSystemClocks();
  const ClockReading second = ReadSystemClocks();
  EXPECT_GE(second.monotonic, first.monotonic);
  EXPECT_GE(second.boot, first.boot);
  EXPECT_GT(first.wall, absl::FromUnixSeconds(1700000000));
}

}  // namespace
}  // namespace thaw
