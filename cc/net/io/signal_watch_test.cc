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
