#include "cc/flush/payload_ledger.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

class PayloadLedgerTest : public testing::Test {
 protected:
  PayloadLedgerTest() {
    ledger_.set_on_outcome([this](const PayloadOutcome& outcome) {
      EXPECT_TRUE(outcomes_.emplace(outcome.id, outcome).second)
          << "payload " << outcome.id << " ended twice";
    });
  }
  static Outbox::Item Item(std::vector<PayloadId> payloads, size_t endpoint = 0) {
    EncodedRequest request;
    request.body = std::make_shared<const std::string>("body");
    request.payloads = std::move(payloads);
    Outbox::Item item;
    item.request = std::make_shared<const EncodedRequest>(std::move(request));
    item.endpoint = endpoint;
    item.counted = endpoint == 0;
    return item;
  }
  // Adds an item to ledger and outbox, where it stays lent until End.
  Outbox::Item Add(const Outbox::Item& item) {
    ledger_.Add(item);
    outbox_.AddLent(item);
    return item;
  }
  void End(const Outbox::Item& item, std::optional<DropReason> dropped = std::nullopt) {
    outbox_.End(item);
    ledger_.End(item, dropped, report_);
    Check();
  }
  void Check() const {
    EXPECT_TRUE(ledger_.CheckInvariantByWalking(outbox_).ok()) << ledger_.CheckInvariantByWalking(outbox_);
  }

  Outbox outbox_{std::make_shared<ByteBudget>(1 << 20), [](const Outbox::Item&) {}};
  PayloadLedger ledger_;
  FlushReport report_;
  std::map<PayloadId, PayloadOutcome> outcomes_;
};

TEST_F(PayloadLedgerTest, APayloadIsDeliveredWhenAllItsPartsAre) {
  ledger_.HandOver(1);
  ledger_.HandOver(1);
  EXPECT_EQ(ledger_.handed_over(), 1) << "its second request is no second payload";
  const Outbox::Item first = Add(Item({1}));
  const Outbox::Item second = Add(Item({1}));
  End(first);
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_EQ(ledger_.KeptIds(), std::vector<PayloadId>{1});
  End(second);
  EXPECT_TRUE(outcomes_.at(1).delivered);
  EXPECT_FALSE(outcomes_.at(1).reason.has_value());
  EXPECT_EQ(ledger_.delivered(), 1);
  EXPECT_EQ(ledger_.kept(), 0);
  EXPECT_EQ(report_.payloads, 1);
  EXPECT_EQ(report_.delivered, 1);
  EXPECT_EQ(report_.possible_duplicates, 0);
}

TEST_F(PayloadLedgerTest, ARequestMayHoldPartsOfManyPayloads) {
  for (const PayloadId id : {3, 1, 2}) ledger_.HandOver(id);
  const Outbox::Item shared = Add(Item({1, 2, 3}));
  const Outbox::Item rest = Add(Item({3}));
  EXPECT_EQ(ledger_.KeptIds(), (std::vector<PayloadId>{1, 2, 3}));
  End(shared);
  EXPECT_EQ(ledger_.KeptIds(), std::vector<PayloadId>{3});
  End(rest);
  EXPECT_EQ(ledger_.delivered(), 3);
}

TEST_F(PayloadLedgerTest, TheFirstReasonCountsOnceAllPartsHaveEnded) {
  ledger_.HandOver(1);
  const std::vector<Outbox::Item> items = {Add(Item({1})), Add(Item({1})), Add(Item({1}))};
  End(items[0], DropReason::kTooLarge);
  End(items[1], DropReason::kEvicted);
  EXPECT_EQ(ledger_.dropped().total(), 0) << "a part is still kept";
  End(items[2]);
  EXPECT_FALSE(outcomes_.at(1).delivered);
  EXPECT_EQ(outcomes_.at(1).reason, DropReason::kTooLarge);
  EXPECT_EQ(ledger_.dropped()[DropReason::kTooLarge], 1);
  EXPECT_EQ(ledger_.dropped().total(), 1);
  EXPECT_EQ(report_.dropped[DropReason::kTooLarge], 1);
  EXPECT_EQ(report_.payloads, 1);
}

TEST_F(PayloadLedgerTest, OnePartThatMayBeThereTwiceMakesThePayloadAPossibleDuplicate) {
  ledger_.HandOver(1);
  Outbox::Item doubtful = Add(Item({1}));
  const Outbox::Item sure = Add(Item({1}));
  doubtful.possible_duplicate = true;
  End(doubtful);
  End(sure);
  EXPECT_TRUE(outcomes_.at(1).possible_duplicate);
  EXPECT_EQ(report_.possible_duplicates, 1);
}

TEST_F(PayloadLedgerTest, AnOpenedPayloadWaitsUntilItIsSealed) {
  ledger_.Open(1);
  EXPECT_EQ(ledger_.opened(), 1);
  Check();
  End(Add(Item({1})));
  EXPECT_EQ(ledger_.delivered(), 0) << "more of it may come";
  ledger_.Seal(1, report_);
  EXPECT_EQ(ledger_.delivered(), 1);
  EXPECT_EQ(ledger_.opened(), 0);

  ledger_.Open(2);
  ledger_.DropOpened(2, DropReason::kUnencodable, report_);
  EXPECT_EQ(outcomes_.at(2).reason, DropReason::kUnencodable);
  Check();
}

TEST_F(PayloadLedgerTest, ThePiecesOfAnItemReplaceIt) {
  for (const PayloadId id : {1, 2}) ledger_.HandOver(id);
  const Outbox::Item whole = Add(Item({1, 2}));
  const Outbox::Item half = Add(Item({1, 2}));
  const Outbox::Item other = Add(Item({1, 2}));
  outbox_.End(whole);
  ledger_.EndReplaced(whole, report_);
  Check();
  EXPECT_TRUE(outcomes_.empty());
  End(half);
  End(other, DropReason::kRefused);
  EXPECT_EQ(ledger_.dropped()[DropReason::kRefused], 2) << "each payload waits for all pieces";
}

TEST_F(PayloadLedgerTest, NoPayloadWaitsForAdditionalEndpoints) {
  ledger_.HandOver(1);
  const Outbox::Item primary = Add(Item({1}));
  const std::vector<Outbox::Item> additional = {Add(Item({1}, 1)), Add(Item({1}, 2)), Add(Item({1}, 2))};
  EXPECT_EQ(ledger_.kept_for_additional(), 3);
  End(primary);
  EXPECT_EQ(ledger_.kept(), 0);
  End(additional[0]);
  End(additional[1], DropReason::kRefused);
  EXPECT_EQ(report_.additional_delivered, 1);
  EXPECT_EQ(report_.additional_dropped[DropReason::kRefused], 1);
  EXPECT_EQ(ledger_.additional_dropped()[DropReason::kRefused], 1);
  EXPECT_EQ(ledger_.dropped().total(), 0);
  outbox_.End(additional[2]);
  ledger_.EndReplaced(additional[2], report_);
  EXPECT_EQ(ledger_.kept_for_additional(), 0);
  EXPECT_EQ(report_.additional_delivered, 1) << "an item that was replaced is not delivered";
}

TEST_F(PayloadLedgerTest, AnAcceptedItemThatIsSentAgainEndsNoPayload) {
  ledger_.HandOver(1);
  Outbox::Item item = Add(Item({1}));
  End(item);
  item.counted = false;
  End(Add(item), DropReason::kRedriveFailed);
  EXPECT_EQ(ledger_.delivered(), 1);
  EXPECT_EQ(ledger_.dropped().total(), 0);
  EXPECT_EQ(report_.payloads, 1);
}

TEST_F(PayloadLedgerTest, ThePartThatTheOutboxLacksIsFound) {
  ledger_.HandOver(1);
  ledger_.Add(Item({1}));  // and not to the outbox
  const absl::Status status = ledger_.CheckInvariant(outbox_);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "payloads wait for 1 parts; 0 are to be encoded and 0 are in the outbox");
}

TEST_F(PayloadLedgerTest, APayloadThatWaitsForNothingIsFound) {
  ledger_.HandOver(1);
  EXPECT_TRUE(ledger_.CheckInvariant(outbox_).ok());
  EXPECT_EQ(ledger_.CheckInvariantByWalking(outbox_).message(), "payload 1 waits for nothing");
}

TEST_F(PayloadLedgerTest, EndingAPartTwiceIsABug) {
  ledger_.HandOver(1);
  const Outbox::Item item = Item({1});
  ledger_.Add(item);
  ledger_.End(item, std::nullopt, report_);
  EXPECT_DEATH(ledger_.End(item, std::nullopt, report_), "payload 1 ended twice");
  EXPECT_DEATH(ledger_.Add(item), "payload 1 was not opened");
  ledger_.Open(2);
  EXPECT_DEATH(ledger_.Open(2), "payload 2 was handed over twice");
}

}  // namespace
}  // namespace thaw
