#include "cc/net/io/event_loop.h"

#include <string>
#include <thread>

#include "cc/clock/sleep.h"
#include "cc/clock/system_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Added to the machine's monotonic clock: what a freeze of the whole process looks like to the loop.
absl::Duration frozen;
ClockReading ReadFrozenClocks() {
  ClockReading now = ReadSystemClocks();
  now.monotonic += frozen;
  return now;
}

TEST(EventLoop, RunsWhatIsPostedInOrderAndFromAnyThread) {
  EventLoop loop;
  std::string order;
  loop.Post([&] { order += 'a'; });
  std::thread other([&] {
    loop.Post([&] {
      order += 'b';
      loop.Stop();
    });
  });
  other.join();
  loop.Run();
  EXPECT_EQ(order, "ab");
}

TEST(EventLoop, StopBeforeRunReturnsAtOnceAndRunWorksAgain) {
  EventLoop loop;
  loop.Stop();
  loop.Run();
  int ran = 0;
  loop.Post([&] {
    ++ran;
    loop.Stop();
  });
  loop.Run();
  EXPECT_EQ(ran, 1);
}

TEST(EventLoop, AlarmsFireInOrderOfTheirTime) {
  EventLoop loop;
  std::string order;
  const Alarm later(loop, absl::Milliseconds(20), [&] {
    order += 'l';
    loop.Stop();
  });
  const Alarm sooner(loop, absl::Milliseconds(5), [&] { order += 's'; });
  Alarm never(loop, absl::Milliseconds(1), [&] { order += 'n'; });
  never.Cancel();
  loop.Run();
  EXPECT_EQ(order, "sl");
}

TEST(EventLoop, AnAlarmThatAFreezeMadeLateWaitsForItsRemainder) {
  EventLoop loop(&ReadFrozenClocks);
  int fired = 0;
  const Alarm alarm(loop, absl::Milliseconds(30), [&] {
    ++fired;
    loop.Stop();
  });
  loop.Post([&] {
    frozen += absl::Seconds(60);  // all of this turn
  });
  const ClockReading began = ReadSystemClocks();
  loop.Run();
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(loop.alarm_late(), 1);
  EXPECT_GE(ReadSystemClocks().monotonic - began.monotonic, absl::Milliseconds(25));
}

}  // namespace
}  // namespace thaw
