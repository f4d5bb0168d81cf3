#include "cc/net/io/signal_watch.h"

#include <csignal>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

TEST(SignalWatchTest, EachSignalIsACallOnTheLoop) {
  EventLoop loop;
  std::vector<int> came;
  const SignalWatch watch(loop, {SIGTERM, SIGINT}, [&](int signal) {
    came.push_back(signal);
    if (came.size() == 1) {
      std::raise(SIGINT);
    } else {
      loop.Stop();
    }
  });
  loop.Post([] { std::raise(SIGTERM); });
  loop.Run();
  EXPECT_THAT(came, ElementsAre(SIGTERM, SIGINT));
}

TEST(SignalWatchTest, SignalsThatTheParentHadBlockedOrIgnoredCome) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  std::signal(SIGINT, SIG_IGN);
  std::raise(SIGTERM);  // stays pending
  EventLoop loop;
  std::vector<int> came;
  {
    const SignalWatch watch(loop, {SIGTERM, SIGINT}, [&](int signal) {
      came.push_back(signal);
      if (came.size() == 1) {
        std::raise(SIGINT);
      } else {
        loop.Stop();
      }
    });
    loop.Run();
  }
  EXPECT_THAT(came, ElementsAre(SIGTERM, SIGINT));
  sigset_t after;
  sigprocmask(SIG_SETMASK, &before, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), 1) << "a watch that is gone leaves the mask as it was";
}

TEST(SignalWatchTest, OneThatIsGoneIsNotCalled) {
  EventLoop loop;
  bool called = false;
  {
    const SignalWatch watch(loop, {SIGUSR1}, [&](int) { called = true; });
  }
  loop.Post([&loop] { loop.Stop(); });
  loop.Run();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace thaw
