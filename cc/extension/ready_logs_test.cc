#include "cc/extension/ready_logs.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/clock/linear_work.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class ReadyLogsTest : public testing::Test {
 protected:
  void Add(std::string request_id, size_t bytes, int64_t lines = 1) {
    ready_.Add({.lines = lines, .bytes = bytes, .request_id = std::move(request_id)});
  }
  std::vector<std::string> TakeAll() {
    std::vector<std::string> taken;
    while (!ready_.empty()) {
      const ReadyLogs::Batch batch = ready_.TakeOldest();
      taken.push_back(absl::StrCat(batch.request_id, batch.lines));
    }
    return taken;
  }

  ByteBudget budget_{4000};
  int64_t dropped_ = 0;
  ReadyLogs ready_{budget_, dropped_};
};

TEST_F(ReadyLogsTest, BatchesComeOutInTheOrderInWhichTheyCame) {
  Add("a", 10, 1);
  Add("b", 10, 2);
  Add("a", 10, 3);
  Add("", 10, 4);
  EXPECT_EQ(budget_.used(), 40);
  EXPECT_THAT(TakeAll(), ElementsAre("a1", "b2", "a3", "4"));
  EXPECT_EQ(budget_.used(), 0);
  EXPECT_THAT(ready_.TakeMissing(), IsEmpty());
}

TEST_F(ReadyLogsTest, BeyondItsPartTheOldestOfTheInvocationWithMostBytesIsDropped) {
  Add("calm", 100, 1);
  for (int i = 0; i < 20; ++i) Add("flood", 100, 10 + i);
  Add("late", 100, 2);
  EXPECT_EQ(ready_.bytes(), 1000);
  EXPECT_EQ(budget_.used(), 1000);
  // 12 of the 20 batches.
  EXPECT_EQ(dropped_, 12 * 10 + 66);
  EXPECT_THAT(ready_.TakeMissing(), ElementsAre(Pair("flood", dropped_)));
  EXPECT_THAT(ready_.TakeMissing(), IsEmpty());
  EXPECT_THAT(TakeAll(), ElementsAre("calm1", "flood22", "flood23", "flood24", "flood25", "flood26",
                                     "flood27", "flood28", "flood29", "late2"));
}

TEST_F(ReadyLogsTest, DataOfOtherKindsEvictsThem) {
  Add("a", 400);
  Add("b", 300);
  ASSERT_TRUE(budget_.MakeRoom(3500).ok());
  EXPECT_THAT(ready_.TakeMissing(), ElementsAre(Pair("a", 1)));
  EXPECT_EQ(budget_.used(), 300);
}

TEST_F(ReadyLogsTest, ItsEndGivesTheBytesBack) {
  {
    ReadyLogs ready(budget_, dropped_);
    ready.Add({.lines = 1, .bytes = 100, .request_id = "a"});
    EXPECT_EQ(budget_.used(), 100);
  }
  EXPECT_EQ(budget_.used(), 0);
  EXPECT_TRUE(budget_.MakeRoom(4000).ok());
}

TEST_F(ReadyLogsTest, ManyBatchesCostNoMoreEach) {
  EXPECT_TRUE(IsLinear(2000, [](size_t batches) {
    return [batches] {
      // As many batches are held as are dropped.
      ByteBudget budget(4 * batches);
      int64_t dropped = 0;
      ReadyLogs ready(budget, dropped);
      for (size_t i = 0; i < 2 * batches; ++i)
        ready.Add({.lines = 1, .bytes = 1, .request_id = "an invocation's id"});
      EXPECT_EQ(dropped, static_cast<int64_t>(batches));
    };
  }));
}

}  // namespace
}  // namespace thaw
