#include "cc/base/when_all.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/completion.h"
#include "cc/base/manual_executor.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

Task<void> Wait(Completion<int>& completion, std::string& begun, char name) {
  begun.push_back(name);
  co_await completion;
}
Task<int> Await(Completion<int>& completion) { co_return co_await completion; }
Task<std::unique_ptr<int>> Boxed(int value) { co_return std::make_unique<int>(value); }

TEST(WhenAll, EndsWhenTheLastTaskHasEnded) {
  ManualExecutor executor;
  Completion<int> first(executor);
  Completion<int> second(executor);
  std::string begun;
  std::vector<Task<void>> tasks;
  tasks.push_back(Wait(first, begun, 'a'));
  tasks.push_back(Wait(second, begun, 'b'));
  bool ended = false;
  Spawn(executor, WhenAll(executor, std::move(tasks)), [&ended] { ended = true; });
  executor.RunAll();
  EXPECT_EQ(begun, "ab") << "both run before either has ended";
  second.Set(2);
  executor.RunAll();
  EXPECT_FALSE(ended);
  first.Set(1);
  executor.RunAll();
  EXPECT_TRUE(ended);
}

TEST(WhenAll, EndsAtOnceWithoutTasks) {
  ManualExecutor executor;
  int ended = 0;
  Spawn(executor, WhenAll(executor, std::vector<Task<void>>()), [&ended] { ++ended; });
  const auto on_end = [](int) { ADD_FAILURE() << "there is no result"; };
  Spawn(executor, WhenAll<int>(executor, {}, on_end), [&ended] { ++ended; });
  EXPECT_EQ(executor.steps(), 0);
  executor.RunAll();
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(executor.steps(), 2) << "no wait";
}

TEST(WhenAll, PassesResultsInTheOrderInWhichTasksEnd) {
  ManualExecutor executor;
  std::vector<std::unique_ptr<Completion<int>>> completions;
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 3; ++i) {
    completions.push_back(std::make_unique<Completion<int>>(executor));
    tasks.push_back(Await(*completions.back()));
  }
  std::vector<int> results;
  const auto on_end = [&results](int result) { results.push_back(result); };
  bool ended = false;
  Spawn(executor, WhenAll<int>(executor, std::move(tasks), on_end), [&ended] { ended = true; });
  for (const int next : {2, 0, 1}) {
    EXPECT_FALSE(ended);
    completions[next]->Set(next);
    executor.RunAll();
  }
  EXPECT_EQ(results, (std::vector<int>{2, 0, 1}));
  EXPECT_TRUE(ended);
}

TEST(WhenAll, MovesResultsThatCanNotBeCopied) {
  ManualExecutor executor;
  std::vector<Task<std::unique_ptr<int>>> tasks;
  tasks.push_back(Boxed(1));
  tasks.push_back(Boxed(2));
  int sum = 0;
  const auto on_end = [&sum](std::unique_ptr<int> result) { sum += *result; };
  Spawn(executor, WhenAll<std::unique_ptr<int>>(executor, std::move(tasks), on_end));
  executor.RunAll();
  EXPECT_EQ(sum, 3);
}

}  // namespace
}  // namespace thaw
