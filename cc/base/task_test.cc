#include "cc/base/task.h"

#include <memory>
#include <string>

#include "cc/base/completion.h"
#include "cc/base/manual_executor.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

Task<int> Two() { co_return 2; }
Task<int> Four() { co_return co_await Two() + co_await Two(); }
Task<std::string> Deep(int depth) {
  if (depth == 0) co_return "bottom";
  co_return co_await Deep(depth - 1);
}
Task<int> Await(Completion<int>& completion) { co_return co_await completion; }

TEST(Task, RunsOnlyFromTheExecutorsQueue) {
  ManualExecutor executor;
  int result = 0;
  Spawn<int>(executor, Four(), [&](int four) { result = four; });
  EXPECT_EQ(result, 0);
  executor.RunAll();
  EXPECT_EQ(result, 4);
}

// GCC passes control between coroutines without growing the stack, except under these two sanitizers.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kDeep = 1000;
#else
constexpr int kDeep = 100000;
#endif

TEST(Task, DeepChainsDoNotGrowTheStack) {
  ManualExecutor executor;
  std::string result;
  Spawn<std::string>(executor, Deep(kDeep), [&](std::string text) { result = text; });
  executor.RunAll();
  EXPECT_EQ(result, "bottom");
}

TEST(Task, UnstartedTaskFreesItsFrame) {
  const auto held = std::make_shared<int>(1);
  {
    auto task = [](std::shared_ptr<int> copy) -> Task<int> { co_return *copy; }(held);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Completion, ResumesThroughTheQueueAndTakesTheFirstValue) {
  ManualExecutor executor;
  Completion<int> completion(executor);
  int result = 0;
  Spawn<int>(executor, Await(completion), [&](int value) { result = value; });
  executor.RunAll();
  EXPECT_TRUE(completion.Set(1));
  EXPECT_FALSE(completion.Set(2));
  EXPECT_EQ(result, 0) << "resumed inside Set()";
  executor.RunAll();
  EXPECT_EQ(result, 1);
  EXPECT_FALSE(completion.Set(3));
}

TEST(Completion, SetBeforeTheWait) {
  ManualExecutor executor;
  Completion<int> completion(executor);
  completion.Set(7);
  int result = 0;
  Spawn<int>(executor, Await(completion), [&](int value) { result = value; });
  executor.RunAll();
  EXPECT_EQ(result, 7);
}

}  // namespace
}  // namespace thaw
