#include "python/bindings/fork_gate.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include "cc/clock/processor_time.h"
#include "gtest/gtest.h"

namespace thaw::python {
namespace {

using std::chrono::milliseconds;

// Uses the processor for a moment.
void Progress() {
  for (const int64_t begin = ThreadNanoseconds(); ThreadNanoseconds() - begin < 500'000;) {
  }
}

class ForkGateTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ForkGate::Install([] {});
  }
  // Forks, and returns the exit status of the child, which returns what `child` does.
  template <typename Child>
  static int Fork(Child child) {
    const pid_t pid = fork();
    if (pid == 0) _exit(child());
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

// The thread takes longer than a fork waits for one that does nothing, as where a first client is made on a machine
// that has little time for it.
TEST_F(ForkGateTest, AForkWaitsAsLongAsAThreadMakesProgress) {
  std::atomic<bool> began = false, is_done = false;
  std::thread busy([&] {
    const ForkGate::Pass pass;
    began = true;
    for (int i = 0; i < 150; ++i) {
      Progress();
      std::this_thread::sleep_for(milliseconds(20));
    }
    is_done = true;
  });
  while (!began) std::this_thread::yield();
  EXPECT_EQ(Fork([&] { return is_done ? 7 : 1; }), 7);
  busy.join();
}

TEST_F(ForkGateTest, AForkDoesNotWaitForAThreadThatNeverGoesOn) {
  std::atomic<bool> began = false, is_over = false;
  std::thread blocked([&] {
    const ForkGate::Pass pass;
    began = true;
    is_over.wait(false);
  });
  while (!began) std::this_thread::yield();
  EXPECT_EQ(Fork([] { return 7; }), 7);
  is_over = true;
  is_over.notify_all();
  blocked.join();
}

TEST_F(ForkGateTest, PassesEndInAnyOrderAndAChildHasItsOwn) {
  auto first = std::make_unique<ForkGate::Pass>(), second = std::make_unique<ForkGate::Pass>();
  first.reset();
  second.reset();
  const auto fork_again = [] { return Fork([] { return 7; }); };
  EXPECT_EQ(Fork([&] {
              {
                const ForkGate::Pass pass;
              }
              return fork_again();
            }),
            7);
}

}  // namespace
}  // namespace thaw::python
