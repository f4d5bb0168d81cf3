#include "cc/net/io/event_loop.h"

#include <sys/syscall.h>

#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/clock/sleep.h"
#include "cc/clock/system_clock.h"
#include "cc/net/testing/refused_calls.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Time added to the machine's monotonic clock: a freeze of the whole process looks like this to the loop.
absl::Duration frozen;
ClockReading ReadFrozenClocks() {
  ClockReading now = ReadSystemClocks();
  now.monotonic += frozen;
  return now;
}

TEST(EventLoop, RunsPostedTasksInOrderAndFromAnyThread) {
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

TEST(EventLoop, WorkThatTakesLongLetsSocketsHaveTheirTurns) {
  frozen = absl::ZeroDuration();
  EventLoop loop(&ReadFrozenClocks);
  constexpr int kPieces = 32;
  int pieces = 0;
  int64_t polls = 0;
  std::function<void()> piece = [&] {
    frozen += absl::Milliseconds(2);
    if (++pieces < kPieces) return loop.Post([&] { piece(); });
    polls = loop.polls();
    loop.Stop();
  };
  loop.Post([&] { piece(); });
  loop.Run();
  EXPECT_GE(polls, kPieces - 2) << "one poll at least between two pieces";
  frozen = absl::ZeroDuration();
}

TEST(EventLoop, ACallThatTheKernelRefusesIsNamedBeforeALoopIsMade) {
  EXPECT_TRUE(EventLoop::Check().ok()) << EventLoop::Check();
  for (const auto& [call, name, error] :
       {std::tuple(SYS_epoll_create1, "epoll_create1", ENOSYS),
        std::tuple(SYS_epoll_create1, "epoll_create1", EMFILE), std::tuple(SYS_eventfd2, "eventfd", EPERM),
        std::tuple(SYS_timerfd_create, "timerfd_create", EMFILE), std::tuple(SYS_pipe2, "pipe2", EMFILE),
        std::tuple(SYS_epoll_ctl, "epoll_ctl", EPERM), std::tuple(SYS_epoll_ctl, "epoll_ctl", ENOSPC),
        std::tuple(SYS_epoll_ctl, "epoll_ctl", ENOMEM)}) {
    const std::string start = absl::StrCat("no event loop: ", name, ": ");
    const ChildExit exit = WithRefusedCalls({{static_cast<int>(call), error}}, [&start] {
      const absl::Status status = EventLoop::Check();
      return absl::IsUnavailable(status) && absl::StartsWith(status.message(), start) ? 0 : 1;
    });
    if (!exit.filtered) GTEST_SKIP() << "no filters of calls on this machine";
    EXPECT_EQ(exit.status, 0) << start << error;
  }
}

TEST(EventLoop, AlarmsFireWithoutTimersOfTheKernels) {
  const ChildExit exit = WithRefusedCalls({{SYS_timerfd_create, EPERM}}, [] {
    if (!EventLoop::Check().ok()) return 1;
    EventLoop loop;
    const AlarmId alarm = loop.SetAlarm(absl::Milliseconds(5), LateAlarm::kFire, [&loop] { loop.Stop(); });
    loop.Run();
    return loop.CancelAlarm(alarm) ? 2 : 0;
  });
  if (!exit.filtered) GTEST_SKIP() << "no filters of calls on this machine";
  EXPECT_EQ(exit.status, 0);
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
    frozen += absl::Seconds(60);  // during this turn
  });
  const ClockReading began = ReadSystemClocks();
  loop.Run();
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(loop.alarm_late(), 1);
  EXPECT_GE(ReadSystemClocks().monotonic - began.monotonic, absl::Milliseconds(25));
}

}  // namespace
}  // namespace thaw
