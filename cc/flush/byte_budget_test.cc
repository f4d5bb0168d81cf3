#include "cc/flush/byte_budget.h"

#include <deque>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

// Keeps evictable things of one byte each.
class Keeper : public ByteBudget::Holder {
 public:
  explicit Keeper(ByteBudget& budget) : budget_(budget) { budget_.AddHolder(this); }
  ~Keeper() override { budget_.RemoveHolder(this); }
  void Keep() {
    budget_.Add(1);
    budget_.AddEvictable(1);
    kept.push_back(budget_.NextSequence());
  }
  std::optional<uint64_t> OldestEvictable() const override {
    return kept.empty() ? std::nullopt : std::optional(kept.front());
  }
  void EvictOldest() override {
    budget_.RemoveEvictable(1);
    budget_.Remove(1);
    evicted.push_back(kept.front());
    kept.pop_front();
  }

  std::deque<uint64_t> kept;
  std::vector<uint64_t> evicted;

 private:
  ByteBudget& budget_;
};

TEST(ByteBudgetTest, TheOldestOfAllHoldersGoesFirst) {
  ByteBudget budget(4);
  Keeper a(budget);
  Keeper b(budget);
  for (Keeper* keeper : {&b, &a, &a, &b}) keeper->Keep();
  EXPECT_TRUE(budget.MakeRoom(3).ok());
  EXPECT_EQ(a.evicted, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(b.evicted, (std::vector<uint64_t>{1}));
  EXPECT_EQ(budget.used(), 1u);
}

TEST(ByteBudgetTest, NothingIsEvictedForBytesThatCannotFit) {
  ByteBudget budget(4);
  Keeper keeper(budget);
  keeper.Keep();
  budget.Add(2);  // not evictable
  EXPECT_EQ(budget.MakeRoom(3), absl::ResourceExhaustedError(
                                    "there is no room for 3 bytes: 2 of 4 hold data that was never tried"));
  EXPECT_EQ(budget.MakeRoom(5).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(budget.MakeRoom(static_cast<size_t>(-1)).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(keeper.evicted.empty());
  EXPECT_TRUE(budget.MakeRoom(2).ok());
  EXPECT_EQ(keeper.evicted.size(), 1u);
}

TEST(ByteBudgetTest, EvictMakesAsMuchRoomAsPossible) {
  ByteBudget budget(4);
  Keeper keeper(budget);
  keeper.Keep();
  budget.Add(3);
  budget.Evict(3);
  EXPECT_EQ(keeper.evicted.size(), 1u);
  EXPECT_EQ(budget.used(), 3u);
}

TEST(ByteBudgetTest, AHolderThatIsGoneIsNotAsked) {
  ByteBudget budget(1);
  budget.Add(1);
  {
    const Keeper keeper(budget);
  }
  budget.Evict(1);
  EXPECT_EQ(budget.used(), 1u);
}

TEST(ByteBudget, DataThatHasStoppedComingInGivesWayBeforeThereIsNoRoom) {
  ByteBudget budget(100);
  int still = 2;
  int asked = 0;
  budget.set_reclaim([&] {
    ++asked;
    if (still == 0) return false;
    --still;
    budget.GiveBack(30);
    return true;
  });
  budget.TakeAnyway(90);
  ASSERT_TRUE(budget.Take(10).ok());
  EXPECT_EQ(asked, 0) << "there was room";
  ASSERT_TRUE(budget.Take(20).ok());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(budget.used(), 90u);
  EXPECT_EQ(budget.Take(101).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(asked, 1) << "it can never fit";
  EXPECT_EQ(budget.Take(50).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(budget.used(), 60u);
}

}  // namespace
}  // namespace thaw
