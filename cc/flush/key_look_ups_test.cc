#include "cc/flush/key_look_ups.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "cc/base/manual_executor.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// A source whose lookup ends when the test says so.
class ManualKey : public ApiKeySource {
 public:
  explicit ManualKey(Executor& executor) : found(executor) {}
  std::string Current() const override { return key; }
  Task<bool> Refresh() override {
    ++refreshes;
    key = co_await found;
    co_return true;
  }
  void OnLastFlush() override { told_before_refresh = refreshes == 0; }
  std::string key;
  Completion<std::string> found;
  int refreshes = 0;
  bool told_before_refresh = false;
};

class KeyLookUpsTest : public testing::Test {
 protected:
  // Begins a wait, and counts it in ended_ when it is over.
  void LookUp(KeyLookUps& look_ups, size_t endpoint, const std::shared_ptr<ApiKeySource>& source) {
    Spawn(executor_, look_ups.LookUp(endpoint, source, cancellation_), [this] { ++ended_; });
    executor_.RunAll();
  }

  ManualExecutor executor_;
  Cancellation cancellation_;
  int ended_ = 0;
};

TEST_F(KeyLookUpsTest, OneLookUpServesAllWaits) {
  const auto source = std::make_shared<ManualKey>(executor_);
  KeyLookUps look_ups(executor_, /*last=*/false);
  LookUp(look_ups, 0, source);
  LookUp(look_ups, 0, source);
  EXPECT_EQ(source->refreshes, 1);
  EXPECT_EQ(ended_, 0);
  source->found.Set("key");
  executor_.RunAll();
  EXPECT_EQ(ended_, 2);
  LookUp(look_ups, 0, source);
  EXPECT_EQ(ended_, 3) << "the lookup has ended, and there is no second one";
  EXPECT_EQ(source->refreshes, 1);
  EXPECT_FALSE(source->told_before_refresh);
}

TEST_F(KeyLookUpsTest, EachEndpointHasItsOwn) {
  const auto first = std::make_shared<ManualKey>(executor_);
  const auto second = std::make_shared<ManualKey>(executor_);
  KeyLookUps look_ups(executor_, /*last=*/false);
  LookUp(look_ups, 0, first);
  LookUp(look_ups, 1, second);
  second->found.Set("key");
  executor_.RunAll();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(first->refreshes, 1);
  first->found.Set("another");
  executor_.RunAll();
  EXPECT_EQ(ended_, 2);
}

TEST_F(KeyLookUpsTest, ALookUpGoesOnWhenTheFlushHasEnded) {
  const auto source = std::make_shared<ManualKey>(executor_);
  {
    KeyLookUps look_ups(executor_, /*last=*/false);
    LookUp(look_ups, 0, source);
    cancellation_.Request(absl::DeadlineExceededError("the flush has ended"));
    executor_.RunAll();
    EXPECT_EQ(ended_, 1);
  }
  source->found.Set("late");
  executor_.RunAll();
  EXPECT_EQ(source->Current(), "late");
}

TEST_F(KeyLookUpsTest, TheLastFlushIsAnnouncedBeforeTheLookUp) {
  const auto source = std::make_shared<ManualKey>(executor_);
  KeyLookUps look_ups(executor_, /*last=*/true);
  LookUp(look_ups, 0, source);
  EXPECT_TRUE(source->told_before_refresh);
  source->found.Set("key");
  executor_.RunAll();
  EXPECT_EQ(ended_, 1);
}

}  // namespace
}  // namespace thaw
