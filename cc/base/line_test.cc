#include "cc/base/line.h"

#include <string>

#include "cc/base/manual_executor.h"
#include "cc/base/task.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

Task<void> Work(Executor& executor, Line& line, char name, std::string& order) {
  const Line::Place place = co_await line.Enter();
  for (int i = 0; i < 3; ++i) {
    order.push_back(name);
    co_await Turn(executor);
  }
}

TEST(Line, OneIsDoneBeforeTheNextBegins) {
  ManualExecutor executor;
  Line line(executor);
  std::string order;
  for (const char name : {'a', 'b', 'c'}) Spawn(executor, Work(executor, line, name, order));
  executor.RunAll();
  EXPECT_EQ(order, "aaabbbccc");
  EXPECT_EQ(line.size(), 0);
}

TEST(Line, OtherWorkHasItsTurnsBetween) {
  ManualExecutor executor;
  Line line(executor);
  std::string order;
  Spawn(executor, Work(executor, line, 'a', order));
  executor.Post([&] {
    order.push_back('-');
    EXPECT_EQ(line.size(), 1);
    executor.Post([&] { order.push_back('-'); });
  });
  executor.RunAll();
  EXPECT_EQ(order, "a-a-a");
}

}  // namespace
}  // namespace thaw
