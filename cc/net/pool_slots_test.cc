// Facts about connections that carry three requests at once.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cc/net/pool.h"
#include "cc/net/pool_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PoolSlotsTest : public PoolFixture {
 protected:
  PoolSlotsTest() : PoolFixture(/*slots=*/3) {}

  // Makes three requests share one connection.
  std::vector<TicketPtr> Sharing() {
    std::vector<TicketPtr> tickets = {Ask(), Ask(), Ask()};
    toy_ = Connected();
    for (const TicketPtr& ticket : tickets) EXPECT_FALSE(ticket->waiting());
    return tickets;
  }

  std::shared_ptr<Toy> toy_;
};

// -- Sharing ---------------------------------------------------------------------------------------------

TEST_F(PoolSlotsTest, ThreeWaitersShareOneConnection) {
  Build({});
  const std::vector<TicketPtr> tickets = Sharing();
  for (const TicketPtr& ticket : tickets) EXPECT_EQ(ticket->toy(), toy_.get());
  EXPECT_FALSE(tickets[0]->lease().reused);
  EXPECT_TRUE(tickets[1]->lease().reused) << "another request is on it already";
  EXPECT_THAT(served_, ElementsAre(1, 2, 3));
  EXPECT_THAT(dials_, IsEmpty());
  EXPECT_EQ(counts_.dials, 1);
  EXPECT_EQ(counts_.shared, 2);
  EXPECT_EQ(pool_->open(), 1);
}

TEST_F(PoolSlotsTest, ARequestTakesAFreeSlotAtOnce) {
  Build({});
  const TicketPtr first = Ask();
  const auto toy = Connected();
  const TicketPtr second = Ask();
  ASSERT_FALSE(second->waiting());
  EXPECT_EQ(second->toy(), toy.get());
  EXPECT_EQ(second->lease().idle_for, absl::ZeroDuration());
  EXPECT_EQ(counts_.shared, 1);
  EXPECT_EQ(counts_.reused, 0);
}

TEST_F(PoolSlotsTest, AFourthWaitsForASlot) {
  Build({});
  const std::vector<TicketPtr> tickets = Sharing();
  const TicketPtr fourth = Ask();
  EXPECT_TRUE(fourth->waiting());
  EXPECT_THAT(dials_, IsEmpty());
  Return(tickets[1]);
  ASSERT_FALSE(fourth->waiting());
  EXPECT_EQ(fourth->toy(), toy_.get());
  EXPECT_EQ(counts_.shared, 3);
}

TEST_F(PoolSlotsTest, AFourthDialsWhenItHasWaitedLong) {
  Build({.share_patience = absl::Milliseconds(30)});
  Sharing();
  const TicketPtr fourth = Ask();
  Wait(absl::Milliseconds(30));
  ASSERT_EQ(dials_.size(), 1u);
  const auto second = Connected();
  EXPECT_EQ(fourth->toy(), second.get());
  const TicketPtr fifth = Ask();
  EXPECT_EQ(fifth->toy(), second.get()) << "the first has no free slot";
}

TEST_F(PoolSlotsTest, TheQueueIsSharedByAllSlots) {
  Build({});
  const std::vector<TicketPtr> tickets = {Ask(), Ask(), Ask()};
  Connected(/*took=*/absl::Milliseconds(50));
  clock_.Advance(absl::Milliseconds(30));
  Return(tickets[0]);
  Ask();
  for (int i = 0; i < 5; ++i) Ask();
  EXPECT_THAT(dials_, IsEmpty()) << "5 / 3 x 30 ms is not more than 50 ms";
  Ask();
  EXPECT_GE(dials_.size(), 1u) << "6 / 3 x 30 ms is";
}

TEST_F(PoolSlotsTest, AFreeSlotComesBeforeAnIdleConnection) {
  Build({.max_idle_per_host = 2});
  const TicketPtr first = Ask();
  const auto busy = Connected();
  const TicketPtr fresh = Ask(Want::kFresh);
  Connected();
  Return(fresh);
  ASSERT_EQ(pool_->idle(), 1);
  EXPECT_EQ(Ask()->toy(), busy.get());
  EXPECT_EQ(pool_->idle(), 1);
}

TEST_F(PoolSlotsTest, AFreshConnectionIsNotASlot) {
  Build({});
  const TicketPtr first = Ask();
  const auto toy = Connected();
  const TicketPtr fresh = Ask(Want::kFresh);
  EXPECT_TRUE(fresh->waiting());
  const auto other = Connected();
  EXPECT_EQ(fresh->toy(), other.get());
  EXPECT_FALSE(fresh->lease().reused);
}

TEST_F(PoolSlotsTest, OneWaiterForAFreshConnectionIsServed) {
  Build({});
  const std::vector<TicketPtr> fresh = {Ask(Want::kFresh), Ask(Want::kFresh)};
  const TicketPtr any = Ask();
  const auto toy = Connected();
  EXPECT_EQ(fresh[0]->toy(), toy.get());
  EXPECT_TRUE(fresh[1]->waiting());
  EXPECT_EQ(any->toy(), toy.get());
}

TEST_F(PoolSlotsTest, WithoutSharingEachRequestHasAConnectionOfItsOwn) {
  Build({.share_within_flush = false});
  const TicketPtr first = Ask();
  const auto toy = Connected();
  const TicketPtr second = Ask();
  EXPECT_TRUE(second->waiting());
  EXPECT_NE(Connected().get(), toy.get());
  EXPECT_FALSE(second->waiting());
  EXPECT_EQ(counts_.shared, 0);
}

// -- Return ----------------------------------------------------------------------------------------------

TEST_F(PoolSlotsTest, AConnectionIsIdleWhenItsLastRequestHasEnded) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(15)});
  const std::vector<TicketPtr> tickets = Sharing();
  Return(tickets[2]);
  Return(tickets[0]);
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(pool_->count(ConnectionState::kLeased), 1);
  clock_.Advance(absl::Minutes(1));
  Return(tickets[1]);
  EXPECT_EQ(pool_->idle(), 1);
  clock_.Advance(absl::Seconds(15));
  const TicketPtr next = Ask();
  ASSERT_FALSE(next->waiting()) << "its age counts from the last return";
  EXPECT_EQ(next->lease().idle_for, absl::Seconds(15));
}

TEST_F(PoolSlotsTest, AtMaxIdleZeroTheLastReturnCloses) {
  Build({});
  const std::vector<TicketPtr> tickets = Sharing();
  Return(tickets[0]);
  Return(tickets[1]);
  EXPECT_EQ(toy_->closes, 0);
  Return(tickets[2]);
  EXPECT_EQ(toy_->closes, 1);
  EXPECT_EQ(counts_.closed, 1);
  EXPECT_EQ(pool_->open(), 0);
}

TEST_F(PoolSlotsTest, AConnectionThatMayNotBeReusedDrains) {
  Build({.max_idle_per_host = 1});
  const std::vector<TicketPtr> tickets = Sharing();
  Return(tickets[0], /*reusable=*/false);
  EXPECT_EQ(pool_->count(ConnectionState::kDraining), 1);
  EXPECT_TRUE(Ask()->waiting());
  Return(tickets[1]);
  EXPECT_EQ(toy_->closes, 0);
  Return(tickets[2]);
  EXPECT_EQ(toy_->closes, 1);
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(counts_.dropped_epoch, 0);
}

TEST_F(PoolSlotsTest, ASlotThatWasTakenAwayIsNotGivenToAWaiter) {
  Build({});
  const std::vector<TicketPtr> tickets = Sharing();
  const TicketPtr fourth = Ask();
  toy_->slot_count = 1;
  Return(tickets[0]);
  Return(tickets[1]);
  EXPECT_TRUE(fourth->waiting()) << "one request fills the connection";
  Return(tickets[2]);
  ASSERT_FALSE(fourth->waiting());
  EXPECT_EQ(fourth->toy(), toy_.get());
}

// -- Ends ------------------------------------------------------------------------------------------------

TEST_F(PoolSlotsTest, AConnectionThatTakesNoMoreRequestsDrains) {
  Build({});
  const TicketPtr first = Ask();
  const auto toy = Connected();
  const TicketPtr second = Ask();
  toy->is_open = false;
  const TicketPtr third = Ask();
  EXPECT_TRUE(third->waiting());
  EXPECT_EQ(pool_->count(ConnectionState::kDraining), 1);
  EXPECT_EQ(toy->closes, 0) << "its requests go on";
  Return(first);
  EXPECT_EQ(toy->closes, 0);
  Return(second);
  EXPECT_EQ(toy->closes, 1);
  ASSERT_EQ(dials_.size(), 1u) << "none is open any more";
  Connected();
  EXPECT_FALSE(third->waiting());
}

TEST_F(PoolSlotsTest, AConnectionThatDiesFailsItsRequestsThroughTheirOwners) {
  Build({.max_idle_per_host = 1});
  const std::vector<TicketPtr> tickets = Sharing();
  const TicketPtr waiter = Ask();
  toy_->is_open = false;
  pool_->OnIdleClosed("a", toy_.get());
  EXPECT_EQ(counts_.dropped_peer_closed, 0) << "it is not idle";
  EXPECT_EQ(pool_->open(), 1) << "its owners have it still";
  EXPECT_THAT(served_, ElementsAre(1, 2, 3)) << "the pool answers none of them again";
  for (const TicketPtr& ticket : tickets) {
    EXPECT_EQ(toy_->closes, 0);
    EXPECT_TRUE(waiter->waiting());
    Return(ticket, /*reusable=*/false);
  }
  EXPECT_EQ(toy_->closes, 1);
  EXPECT_EQ(counts_.closed, 1);
  EXPECT_EQ(pool_->open(), 0);
  ASSERT_EQ(dials_.size(), 1u);
  Connected();
  EXPECT_FALSE(waiter->waiting());
}

// -- Resume ----------------------------------------------------------------------------------------------

TEST_F(PoolSlotsTest, AResumeDrainsConnectionsInUse) {
  for (const OnResume policy : {OnResume::kKeep, OnResume::kProbe, OnResume::kDrain}) {
    Build({.max_idle_per_host = 1, .on_resume = policy});
    counts_ = {};
    const TicketPtr first = Ask();
    const auto toy = Connected();
    const TicketPtr second = Ask();
    pool_->Resume();
    EXPECT_EQ(pool_->count(ConnectionState::kDraining), 1);
    const TicketPtr third = Ask();
    EXPECT_TRUE(third->waiting()) << "a free slot of a draining connection is not given away";
    Return(first);
    EXPECT_TRUE(third->waiting());
    EXPECT_EQ(toy->closes, 0) << "the other exchange goes on";
    Return(second);
    EXPECT_EQ(toy->closes, 1);
    EXPECT_EQ(counts_.dropped_epoch, 1);
    ASSERT_EQ(dials_.size(), 1u);
    Connected();
    EXPECT_EQ(third->lease().epoch, 1);
    Return(third);
  }
}

TEST_F(PoolSlotsTest, ADialThatCrossedAResumeServesOneRequest) {
  Build({.max_idle_per_host = 1});
  const TicketPtr first = Ask();
  const TicketPtr second = Ask();
  pool_->Resume();
  const auto toy = Connected();
  EXPECT_EQ(first->toy(), toy.get());
  EXPECT_TRUE(second->waiting());
  Return(first);
  EXPECT_EQ(toy->closes, 1);
  ASSERT_EQ(dials_.size(), 1u);
  Connected();
  EXPECT_EQ(second->lease().epoch, 1);
}

}  // namespace
}  // namespace thaw
