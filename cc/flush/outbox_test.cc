#include "cc/flush/outbox.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

Outbox::Item MakeItem(PayloadId id, size_t bytes = 1000) {
  EncodedRequest request;
  request.body = std::make_shared<const std::string>(bytes, 'x');
  request.payloads = {id};
  Outbox::Item item;
  item.request = std::make_shared<const EncodedRequest>(std::move(request));
  return item;
}

class OutboxTest : public testing::Test {
 protected:
  // Returns room for exactly `items` of 1000 bytes.
  static size_t RoomFor(size_t items) { return items * MakeItem(1).bytes(); }

  std::unique_ptr<Outbox> MakeOutbox() {
    return std::make_unique<Outbox>(budget_,
                                    [this](const Outbox::Item& item) { evicted_.push_back(Id(item)); });
  }
  std::unique_ptr<Outbox> MakeOutbox(size_t items) {
    budget_ = std::make_shared<ByteBudget>(RoomFor(items));
    return MakeOutbox();
  }
  static absl::Status Add(Outbox& outbox, PayloadId id, size_t bytes = 1000) {
    return outbox.Add(MakeItem(id, bytes));
  }
  static PayloadId Id(const Outbox::Item& item) { return item.request->payloads[0]; }
  static std::vector<PayloadId> Ids(const std::vector<Outbox::Item>& items) {
    std::vector<PayloadId> ids;
    for (const Outbox::Item& item : items) ids.push_back(Id(item));
    return ids;
  }
  static void ReturnTried(Outbox& outbox, Outbox::Item item) {
    ++item.tries;
    outbox.Return(std::move(item));
  }
  std::shared_ptr<ByteBudget> budget_;
  std::vector<PayloadId> evicted_;
};

TEST_F(OutboxTest, LendsTheTriedFirstOldestFirstThenTheNeverTried) {
  const auto owned = MakeOutbox(10);
  Outbox& outbox = *owned;
  for (PayloadId id : {1, 2, 3}) ASSERT_TRUE(Add(outbox, id).ok());
  std::vector<Outbox::Item> lent = outbox.Take();
  EXPECT_EQ(Ids(lent), (std::vector<PayloadId>{1, 2, 3}));
  ASSERT_TRUE(Add(outbox, 4).ok());
  // The items come back in another order.
  ReturnTried(outbox, std::move(lent[2]));
  ReturnTried(outbox, std::move(lent[0]));
  outbox.End(lent[1]);
  EXPECT_TRUE(outbox.CheckByWalking().ok()) << outbox.CheckByWalking();
  EXPECT_EQ(Ids(outbox.Take()), (std::vector<PayloadId>{1, 3, 4}));
  EXPECT_EQ(outbox.items(), 3);
  EXPECT_EQ(outbox.lent_items(), 3);
}

TEST_F(OutboxTest, NewerDataEvictsTriedItemsOldestFirst) {
  const auto owned = MakeOutbox(3);
  Outbox& outbox = *owned;
  for (PayloadId id : {1, 2, 3}) ASSERT_TRUE(Add(outbox, id).ok());
  for (Outbox::Item& item : outbox.Take()) ReturnTried(outbox, std::move(item));
  ASSERT_TRUE(Add(outbox, 4).ok());
  EXPECT_EQ(evicted_, (std::vector<PayloadId>{1}));
  ASSERT_TRUE(Add(outbox, 5).ok());
  EXPECT_EQ(evicted_, (std::vector<PayloadId>{1, 2}));
  EXPECT_LE(outbox.bytes(), budget_->limit());
  EXPECT_EQ(outbox.bytes(), budget_->used());
  EXPECT_EQ(Ids(outbox.Take()), (std::vector<PayloadId>{3, 4, 5}));
}

TEST_F(OutboxTest, NeverEvictsUntriedItemsNorItemsBeingSent) {
  const auto owned = MakeOutbox(2);
  Outbox& outbox = *owned;
  for (PayloadId id : {1, 2}) ASSERT_TRUE(Add(outbox, id).ok());
  EXPECT_EQ(Add(outbox, 3).code(), absl::StatusCode::kResourceExhausted);
  std::vector<Outbox::Item> lent = outbox.Take();
  EXPECT_EQ(Add(outbox, 3).code(), absl::StatusCode::kResourceExhausted);
  outbox.Return(std::move(lent[0]));  // not tried in the end
  ReturnTried(outbox, std::move(lent[1]));
  EXPECT_TRUE(Add(outbox, 3).ok());
  EXPECT_EQ(evicted_, (std::vector<PayloadId>{2}));
  EXPECT_EQ(Add(outbox, 4).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(evicted_.size(), 1);
  EXPECT_TRUE(outbox.CheckByWalking().ok());
}

TEST_F(OutboxTest, EvictsNothingForAnItemThatCannotFit) {
  const auto owned = MakeOutbox(2);
  Outbox& outbox = *owned;
  ASSERT_TRUE(Add(outbox, 1).ok());
  for (Outbox::Item& item : outbox.Take()) ReturnTried(outbox, std::move(item));
  EXPECT_EQ(Add(outbox, 2, 1 << 20).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(evicted_.empty());
  EXPECT_EQ(outbox.items(), 1);
}

TEST_F(OutboxTest, HeldItemsAreLentOnlyWhenAskedForAndGoAfterTheTried) {
  const auto owned = MakeOutbox(2);
  Outbox& outbox = *owned;
  for (PayloadId id : {1, 2}) ASSERT_TRUE(Add(outbox, id).ok());
  std::vector<Outbox::Item> lent = outbox.Take();
  outbox.Hold(std::move(lent[0]));
  ReturnTried(outbox, std::move(lent[1]));
  ASSERT_TRUE(Add(outbox, 3).ok());
  EXPECT_EQ(evicted_, (std::vector<PayloadId>{2}));
  EXPECT_EQ(Ids(outbox.Take()), (std::vector<PayloadId>{3}));
  EXPECT_EQ(Ids(outbox.TakeHeld()), (std::vector<PayloadId>{1}));
}

TEST_F(OutboxTest, OutboxesThatShareABudgetEvictTheOldestOfAll) {
  const auto traces = MakeOutbox(4);
  const auto logs = MakeOutbox();
  ASSERT_TRUE(Add(*traces, 1).ok());
  ASSERT_TRUE(Add(*logs, 2).ok());
  ASSERT_TRUE(Add(*traces, 3).ok());
  ASSERT_TRUE(Add(*logs, 4).ok());
  EXPECT_EQ(Add(*logs, 5).code(), absl::StatusCode::kResourceExhausted);
  for (Outbox::Item& item : traces->Take()) ReturnTried(*traces, std::move(item));
  for (Outbox::Item& item : logs->Take()) ReturnTried(*logs, std::move(item));
  for (const PayloadId id : {5, 6, 7}) ASSERT_TRUE(Add(*logs, id).ok());
  EXPECT_EQ(evicted_, (std::vector<PayloadId>{1, 2, 3}));
  EXPECT_EQ(traces->items(), 0);
  EXPECT_EQ(Ids(logs->Take()), (std::vector<PayloadId>{4, 5, 6, 7}));
  EXPECT_EQ(budget_->used(), budget_->limit());
}

TEST_F(OutboxTest, ADestroyedOutboxReturnsItsBytesToTheBudget) {
  const auto stays = MakeOutbox(2);
  {
    const auto goes = MakeOutbox();
    for (const PayloadId id : {1, 2}) ASSERT_TRUE(Add(*goes, id).ok());
    std::vector<Outbox::Item> lent = goes->Take();
    ReturnTried(*goes, std::move(lent[0]));
    goes->Hold(std::move(lent[1]));
  }
  EXPECT_EQ(budget_->used(), 0);
  for (const PayloadId id : {3, 4}) EXPECT_TRUE(Add(*stays, id).ok());
  EXPECT_EQ(Add(*stays, 5).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(evicted_.empty());
}

}  // namespace
}  // namespace thaw
