#include "cc/net/pool.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/net/pool_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Facts about connections that carry one request at a time.
class PoolTest : public PoolFixture {
 protected:
  PoolTest() : PoolFixture(/*slots=*/1) {}
};

// Facts that hold however many requests a connection carries at once.
class PoolOfAnySlotsTest : public PoolFixture, public testing::WithParamInterface<int> {
 protected:
  PoolOfAnySlotsTest() : PoolFixture(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(Slots, PoolOfAnySlotsTest, testing::Values(1, 3), testing::PrintToStringParamName());

// -- Checkout --------------------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, AFreshConnectionThenTheSameOneReused) {
  Build({.max_idle_per_host = 1});
  const TicketPtr first = Ask();
  const auto toy = Connected();
  EXPECT_EQ(first->toy(), toy.get());
  EXPECT_FALSE(first->lease().reused);
  Return(first);
  EXPECT_EQ(pool_->idle(), 1);
  clock_.Advance(absl::Seconds(3));

  const TicketPtr second = Ask();
  ASSERT_FALSE(second->waiting());
  EXPECT_EQ(second->toy(), toy.get());
  EXPECT_TRUE(second->lease().reused);
  EXPECT_EQ(second->lease().idle_for, absl::Seconds(3));
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_THAT(dials_, IsEmpty());
  EXPECT_EQ(counts_.dials, 1);
  EXPECT_EQ(counts_.reused, 1);
}

TEST_P(PoolOfAnySlotsTest, DestinationsShareNothing) {
  Build({.max_idle_per_host = 1});
  Pooled();
  const TicketPtr other = Ask(Want::kAny, "b");
  EXPECT_TRUE(other->waiting());
  ASSERT_EQ(dials_.size(), 1u);
  EXPECT_EQ(dials_[0].first, "b");
  EXPECT_EQ(pool_->idle(), 1);
}

TEST_F(PoolTest, MostRecentlyUsedFirst) {
  Build({.max_idle_per_host = 3, .max_connections_per_host = 3});
  const auto toys = PooledTogether(3);
  EXPECT_EQ(Ask()->toy(), toys[2].get());
  EXPECT_EQ(Ask()->toy(), toys[1].get());
  EXPECT_EQ(Ask()->toy(), toys[0].get());
}

TEST_P(PoolOfAnySlotsTest, CheckoutDropsClosedAndUnusableConnectionsOnItsWay) {
  Build({.max_idle_per_host = 3, .max_connections_per_host = 3});
  const auto toys = PooledTogether(3);
  toys[2]->is_open = false;
  toys[1]->usable = false;
  const TicketPtr ticket = Ask();
  EXPECT_EQ(ticket->toy(), toys[0].get());
  EXPECT_EQ(pool_->open(), 1);
  EXPECT_EQ(counts_.dropped_peer_closed, 1);
  EXPECT_EQ(counts_.dropped_not_usable, 1);
  EXPECT_EQ(toys[2]->checks, 0) << "known to be closed: no look is needed";
  EXPECT_EQ(toys[1]->closes, 1);
}

TEST_P(PoolOfAnySlotsTest, ReactorOnlyLivenessDoesNotLook) {
  Build({.max_idle_per_host = 1, .liveness = Liveness::kReactorOnly});
  const auto toy = Pooled();
  toy->usable = false;
  EXPECT_EQ(Ask()->toy(), toy.get());
  EXPECT_EQ(toy->checks, 0);
}

TEST_P(PoolOfAnySlotsTest, ARequestForAFreshConnectionGetsNoIdleOne) {
  Build({.max_idle_per_host = 1});
  const auto toy = Pooled();
  const TicketPtr ticket = Ask(Want::kFresh);
  EXPECT_TRUE(ticket->waiting());
  EXPECT_EQ(pool_->idle(), 1);
  EXPECT_NE(Connected().get(), toy.get());
  EXPECT_FALSE(ticket->lease().reused);
}

TEST_P(PoolOfAnySlotsTest, ARequestForAFreshConnectionGetsNoSharedOne) {
  Build({});
  const TicketPtr holder = Ask();
  Connected();
  const TicketPtr fresh = Ask(Want::kFresh);
  const TicketPtr any = Ask();
  Return(holder);
  EXPECT_FALSE(any->waiting()) << "the one behind is served, since the one before can't be";
  EXPECT_TRUE(any->lease().reused);
  EXPECT_TRUE(fresh->waiting());
  Connected();
  EXPECT_FALSE(fresh->lease().reused);
}

// -- Expiry ----------------------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, ExpiredAtCheckout) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(15)});
  const auto toy = Pooled();
  clock_.Advance(absl::Seconds(15) + absl::Nanoseconds(1));
  EXPECT_EQ(pool_->idle(), 1) << "only a checkout looks";
  EXPECT_TRUE(Ask()->waiting());
  EXPECT_EQ(dials_.size(), 1u);
  EXPECT_EQ(toy->closes, 1);
  EXPECT_EQ(counts_.dropped_expired, 1);
}

TEST_P(PoolOfAnySlotsTest, AnAgeOfExactlyTheTimeoutIsNotTooOld) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(15)});
  const auto toy = Pooled();
  clock_.Advance(absl::Seconds(15));
  EXPECT_EQ(Ask()->toy(), toy.get());
}

TEST_P(PoolOfAnySlotsTest, CheckoutClearsAllThatExpired) {
  Build({.max_idle_per_host = 3, .idle_timeout = absl::Seconds(15), .max_connections_per_host = 3});
  PooledTogether(3);
  clock_.Advance(absl::Minutes(1));
  EXPECT_TRUE(Ask()->waiting());
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(counts_.dropped_expired, 3);
}

TEST_P(PoolOfAnySlotsTest, ExpiredConnectionsAreCountedAsClosedWhenTheyWereClosedBefore) {
  Build({.max_idle_per_host = 1});
  Pooled()->is_open = false;
  clock_.Advance(absl::Minutes(1));
  Ask();
  EXPECT_EQ(counts_.dropped_peer_closed, 1);
  EXPECT_EQ(counts_.dropped_expired, 0);
}

TEST_P(PoolOfAnySlotsTest, AgeIsThatOfTheClockThatAdvancedMost) {
  for (const FakeClock::Step freeze :
       {FakeClock::Step{.wall = absl::Seconds(90)}, FakeClock::Step{.monotonic = absl::Seconds(90)},
        FakeClock::Step{.boot = absl::Seconds(90)}}) {
    Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(60)});
    Pooled();
    clock_.Freeze(freeze);
    EXPECT_TRUE(Ask()->waiting()) << freeze.wall << freeze.monotonic << freeze.boot;
    dials_.clear();
  }
  EXPECT_EQ(counts_.dropped_expired, 3);
}

TEST_P(PoolOfAnySlotsTest, AWallClockSetBackMakesNothingYounger) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(60)});
  Pooled();
  clock_.Advance({.wall = -absl::Hours(1), .monotonic = absl::Seconds(61), .boot = absl::Seconds(61)});
  EXPECT_TRUE(Ask()->waiting());
}

TEST_P(PoolOfAnySlotsTest, ByTheMonotonicClockAFreezeCanGoUnseen) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(60), .expiry_clock = ExpiryClock::kMonotonic});
  const auto toy = Pooled();
  clock_.Freeze({.wall = absl::Seconds(90), .boot = absl::Seconds(90)});
  EXPECT_EQ(Ask()->toy(), toy.get());
}

TEST_P(PoolOfAnySlotsTest, AgeBeginsAnewWithEachReturn) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(15)});
  const auto toy = Pooled();
  for (int lap = 0; lap < 3; ++lap) {
    clock_.Advance(absl::Seconds(10));
    const TicketPtr ticket = Ask();
    ASSERT_FALSE(ticket->waiting());
    Return(ticket);
  }
  EXPECT_EQ(Ask()->toy(), toy.get());
}

// -- Return ----------------------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, NoConnectionIsKeptAtMaxIdleZero) {
  Build({.max_idle_per_host = 0});
  const auto toy = Pooled();
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(toy->closes, 1);
  EXPECT_EQ(counts_.closed, 1);
  EXPECT_EQ(counts_.dropped_over_limit, 0);
}

TEST_P(PoolOfAnySlotsTest, AtMaxIdleTheNewcomerIsClosed) {
  Build({.max_idle_per_host = 2, .max_connections_per_host = 3});
  const auto toys = PooledTogether(3);
  EXPECT_EQ(pool_->idle(), 2);
  EXPECT_EQ(toys[2]->closes, 1);
  EXPECT_EQ(counts_.dropped_over_limit, 1);
  EXPECT_EQ(Ask()->toy(), toys[1].get());
}

TEST_P(PoolOfAnySlotsTest, MaxIdleIsPerHost) {
  Build({.max_idle_per_host = 1});
  for (const char* key : {"a", "b", "c"}) {
    const TicketPtr ticket = Ask(Want::kAny, key);
    Connected();
    Return(ticket);
  }
  EXPECT_EQ(pool_->idle(), 3);
}

TEST_P(PoolOfAnySlotsTest, AClosedConnectionIsNeverReinserted) {
  Build({.max_idle_per_host = 1});
  const TicketPtr ticket = Ask();
  const auto toy = Connected();
  toy->is_open = false;
  Return(ticket);
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(pool_->open(), 0);
}

TEST_P(PoolOfAnySlotsTest, AConnectionThatIsNotReusableIsNeverReinserted) {
  Build({.max_idle_per_host = 1});
  const TicketPtr ticket = Ask();
  const auto toy = Connected();
  Return(ticket, /*reusable=*/false);
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(toy->closes, 1);
}

TEST_F(PoolTest, AClosedConnectionIsNotHandedToAWaiter) {
  Build({});
  const TicketPtr holder = Ask();
  const auto toy = Connected();
  const TicketPtr waiter = Ask();
  toy->is_open = false;
  Return(holder);
  EXPECT_TRUE(waiter->waiting());
  EXPECT_EQ(counts_.shared, 0);
  EXPECT_EQ(dials_.size(), 1u) << "none is open or being opened any more, so the waiter dials";
}

TEST_P(PoolOfAnySlotsTest, TheLoopSawAnIdleConnectionEnd) {
  Build({.max_idle_per_host = 2});
  const auto toys = PooledTogether(2);
  pool_->OnIdleClosed("a", toys[1].get());
  EXPECT_EQ(pool_->idle(), 1);
  EXPECT_EQ(pool_->open(), 1);
  EXPECT_EQ(counts_.dropped_peer_closed, 1);
  pool_->OnIdleClosed("a", toys[1].get());  // known already
  EXPECT_EQ(pool_->open(), 1);
  EXPECT_EQ(Ask()->toy(), toys[0].get());
}

// -- Waiting and sharing ---------------------------------------------------------------------------------

TEST_F(PoolTest, WaitersAreServedInOrderBeforeAnythingIsIdle) {
  Build({.max_idle_per_host = 4});
  TicketPtr holder = Ask();
  const auto toy = Connected();
  const std::vector<TicketPtr> waiters = {Ask(), Ask(), Ask()};
  for (const TicketPtr& waiter : waiters) {
    EXPECT_TRUE(waiter->waiting());
    Return(holder);
    ASSERT_FALSE(waiter->waiting());
    EXPECT_EQ(waiter->toy(), toy.get());
    EXPECT_TRUE(waiter->lease().reused);
    EXPECT_EQ(waiter->lease().idle_for, absl::ZeroDuration());
    EXPECT_EQ(pool_->idle(), 0);
    holder = waiter;
  }
  EXPECT_THAT(served_, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(counts_.shared, 3);
  EXPECT_EQ(counts_.reused, 0);
  Return(holder);
  EXPECT_EQ(pool_->idle(), 1);
}

TEST_P(PoolOfAnySlotsTest, SharingHoldsAtMaxIdleZero) {
  Build({.max_idle_per_host = 0, .share_within_flush = true});
  const TicketPtr holder = Ask();
  const auto toy = Connected();
  const TicketPtr waiter = Ask();
  Return(holder);
  EXPECT_EQ(waiter->toy(), toy.get());
  EXPECT_EQ(toy->closes, 0);
  Return(waiter);
  EXPECT_EQ(toy->closes, 1) << "as soon as no request waits for it";
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(counts_.dials, 1);
}

TEST_P(PoolOfAnySlotsTest, WithoutSharingEachRequestHasAConnectionOfItsOwn) {
  Build({.max_idle_per_host = 0, .share_within_flush = false, .max_connections_per_host = 3});
  const std::vector<TicketPtr> tickets = {Ask(), Ask(), Ask()};
  EXPECT_EQ(dials_.size(), 3u);
  const auto first = Connected();
  const TicketPtr late = Ask();
  Return(tickets[0]);
  EXPECT_EQ(first->closes, 1);
  EXPECT_TRUE(late->waiting());
  Connected();
  Connected();
  Connected();
  EXPECT_FALSE(late->lease().reused);
  EXPECT_EQ(counts_.dials, 4);
  EXPECT_EQ(counts_.shared, 0);
}

TEST_F(PoolTest, ACancelledWaiterIsSkipped) {
  Build({});
  const TicketPtr holder = Ask();
  Connected();
  const TicketPtr gone = Ask();
  const TicketPtr next = Ask();
  EXPECT_TRUE(Cancel(gone));
  EXPECT_EQ(pool_->waiting(), 1);
  Return(holder);
  EXPECT_TRUE(gone->waiting());
  EXPECT_FALSE(next->waiting());
  EXPECT_FALSE(Cancel(gone)) << "gone already";
  EXPECT_FALSE(Cancel(next)) << "served already";
}

TEST_P(PoolOfAnySlotsTest, TheDialOfACancelledWaiterIsGivenUp) {
  Build({});
  const TicketPtr ticket = Ask();
  ASSERT_EQ(dials_.size(), 1u);
  const uint64_t dial = dials_[0].second;
  EXPECT_TRUE(Cancel(ticket));
  EXPECT_THAT(cancelled_, ElementsAre(dial));
  EXPECT_THAT(cancel_reasons_, ElementsAre(ToyPool::CancelReason::kCancelled));
  EXPECT_EQ(pool_->dialling(), 0);
  // Its connection opened all the same.
  auto late = std::make_shared<Toy>();
  pool_->OnDialled(dial, {.connection = late});
  EXPECT_EQ(late->closes, 1);
  EXPECT_EQ(pool_->open(), 0);
}

// -- Dialling --------------------------------------------------------------------------------------------

TEST_F(PoolTest, OnlyTheFirstDialsWithoutAnOpenConnection) {
  Build({.max_connections_per_host = 8});
  for (int i = 0; i < 5; ++i) Ask();
  EXPECT_EQ(dials_.size(), 1u);
  Connected();
  EXPECT_THAT(dials_, IsEmpty()) << "one is open: the others wait to share it";
  EXPECT_EQ(pool_->waiting(), 4);
}

TEST_F(PoolTest, AnotherIsDialledWhenTheFirstWaiterHasWaitedForSharePatience) {
  Build({.share_patience = absl::Milliseconds(30)});
  Ask();
  Connected();
  Ask();
  Wait(absl::Milliseconds(29));
  EXPECT_THAT(dials_, IsEmpty());
  Wait(absl::Milliseconds(1));
  EXPECT_EQ(dials_.size(), 1u);
}

TEST_P(PoolOfAnySlotsTest, ASlowDialIsNotDoubledForOneWaiter) {
  Build({.share_patience = absl::Milliseconds(30)});
  Ask();
  Wait(absl::Seconds(10));
  EXPECT_EQ(dials_.size(), 1u);
  Ask();
  Wait(absl::Milliseconds(30));
  EXPECT_EQ(dials_.size(), 2u) << "two wait";
}

TEST_F(PoolTest, PatienceIsAsLongAsTheLastDialTook) {
  Build({});
  Ask();
  Connected(/*took=*/absl::Milliseconds(120));
  Ask();
  Wait(absl::Milliseconds(119));
  EXPECT_THAT(dials_, IsEmpty());
  Wait(absl::Milliseconds(1));
  EXPECT_EQ(dials_.size(), 1u);
}

TEST_F(PoolTest, AFastDialMakesNoWaiterImpatientForAShortTime) {
  Build({});
  Ask();
  Connected(/*took=*/absl::Milliseconds(1));
  Ask();
  Wait(absl::Milliseconds(4));
  EXPECT_THAT(dials_, IsEmpty());
  Wait(absl::Milliseconds(1));
  EXPECT_EQ(dials_.size(), 1u);
}

TEST_P(PoolOfAnySlotsTest, ASlowFirstDialIsDoubledOnceHoweverManyWait) {
  Build({});
  for (int i = 0; i < 20; ++i) Ask();
  Wait(absl::Milliseconds(49));
  EXPECT_EQ(dials_.size(), 1u);
  Wait(absl::Seconds(10));
  EXPECT_EQ(dials_.size(), 2u);
}

// -- The queue's length ----------------------------------------------------------------------------------

TEST_F(PoolTest, OthersAreDialledWhileTheQueueTakesLongerThanADial) {
  Build({});
  Queue(/*dial=*/absl::Milliseconds(50), /*exchange=*/absl::Milliseconds(20), /*left=*/3);
  EXPECT_EQ(dials_.size(), 3u) << "3 x 20 ms is more than 50 ms; no more are dialled than wait";
}

TEST_F(PoolTest, NoConnectionIsDialledForAQueueThatADialDoesNotShorten) {
  Build({});
  Queue(/*dial=*/absl::Milliseconds(60), /*exchange=*/absl::Milliseconds(20), /*left=*/3);
  EXPECT_THAT(dials_, IsEmpty());
  Ask();
  EXPECT_EQ(dials_.size(), 4u) << "4 x 20 ms is more";
}

TEST_F(PoolTest, TheQueueIsSharedByTheOpenConnections) {
  Build({});
  Queue(/*dial=*/absl::Milliseconds(50), /*exchange=*/absl::Milliseconds(20), /*left=*/3);
  Connected(absl::Milliseconds(50));
  Connected(absl::Milliseconds(50));
  EXPECT_EQ(dials_.size(), 1u) << "for the last that waits";
  Connected(absl::Milliseconds(50));
  for (int i = 0; i < 10; ++i) Ask();
  EXPECT_THAT(dials_, IsEmpty()) << "10 / 4 x 20 ms is not more than 50 ms";
  Ask();
  EXPECT_EQ(dials_.size(), 2u) << "11 / 4 x 20 ms is, and two more are allowed";
}

TEST_P(PoolOfAnySlotsTest, ALongQueueGetsSixConnectionsAndNoMore) {
  Build({});
  Queue(/*dial=*/absl::Milliseconds(1), /*exchange=*/absl::Milliseconds(40), /*left=*/58);
  EXPECT_EQ(dials_.size(), 5u);
  for (int i = 0; i < 5; ++i) Connected();
  Wait(absl::Seconds(10));
  EXPECT_THAT(dials_, IsEmpty());
  EXPECT_EQ(pool_->open(), 6);
}

TEST_P(PoolOfAnySlotsTest, KnowledgeOfADestinationHoldsForTheNextFlush) {
  Build({});
  Queue(/*dial=*/absl::Milliseconds(80), /*exchange=*/absl::Milliseconds(40), /*left=*/0);
  ASSERT_EQ(pool_->open(), 1);
  clock_.Advance(absl::Milliseconds(40));
  Return(last_);
  ASSERT_EQ(pool_->open(), 0);
  for (int i = 0; i < 20; ++i) Ask();
  EXPECT_EQ(dials_.size(), 6u) << "at once, side by side";
}

TEST_P(PoolOfAnySlotsTest, AFastIntakeGetsOneConnectionForAFlushOfTwenty) {
  Build({});
  std::vector<TicketPtr> tickets;
  for (int i = 0; i < 20; ++i) tickets.push_back(Ask());
  Connected(/*took=*/absl::Milliseconds(1));
  for (const TicketPtr& ticket : tickets) {
    ASSERT_FALSE(ticket->waiting());
    clock_.Advance(absl::Microseconds(150));
    executor_.RunAll();
    Return(ticket);
  }
  EXPECT_EQ(counts_.dials, 1);
  EXPECT_EQ(counts_.shared, 19);
}

TEST_P(PoolOfAnySlotsTest, AnExchangeThatFailedOrCrossedAFreezeTellsNothingOfTheNext) {
  for (const bool crossed : {false, true}) {
    Build({});
    const TicketPtr holder = Ask();
    Connected(absl::Milliseconds(10));
    if (crossed) pool_->Resume();
    clock_.Advance(absl::Seconds(5));
    Return(holder, /*reusable=*/crossed);
    for (int i = 0; i < 4; ++i) Ask();
    EXPECT_EQ(dials_.size(), 1u);
    dials_.clear();
  }
}

TEST_F(PoolTest, AnAnswerTellsHowLongExchangesTakeThoughItsConnectionCloses) {
  Build({});
  const TicketPtr holder = Ask();
  Connected(absl::Milliseconds(10));
  for (int i = 0; i < 4; ++i) Ask();
  clock_.Advance(absl::Milliseconds(40));
  pool_->Release(std::get<Lease>(*std::move(holder->answer)), /*reusable=*/false, /*answered=*/true);
  EXPECT_EQ(dials_.size(), 4u);
}

TEST_P(PoolOfAnySlotsTest, APatienceThatIsSetReplacesTheMeasuredOne) {
  Build({.share_patience = absl::Milliseconds(30)});
  Queue(/*dial=*/absl::Milliseconds(1), /*exchange=*/absl::Milliseconds(20), /*left=*/10);
  EXPECT_THAT(dials_, IsEmpty());
  Wait(absl::Milliseconds(30));
  EXPECT_EQ(dials_.size(), 1u);
}

TEST_F(PoolTest, PatienceIsCountedForEachFirstWaiterAnew) {
  Build({.share_patience = absl::Milliseconds(30)});
  const TicketPtr holder = Ask();
  Connected();
  const TicketPtr second = Ask();
  Ask();
  Wait(absl::Milliseconds(20));
  Return(holder);  // served to the second; the third is first now
  ASSERT_FALSE(second->waiting());
  Wait(absl::Milliseconds(29));
  EXPECT_THAT(dials_, IsEmpty());
  Wait(absl::Milliseconds(1));
  EXPECT_EQ(dials_.size(), 1u);
}

TEST_P(PoolOfAnySlotsTest, WithoutWaitersNoPatienceIsMeasured) {
  Build({.share_patience = absl::Milliseconds(30)});
  Ask();
  Connected();
  const TicketPtr waiter = Ask();
  Cancel(waiter);
  EXPECT_FALSE(clock_.UntilNextAlarm().has_value());
  Wait(absl::Seconds(1));
  EXPECT_THAT(dials_, IsEmpty());
}

TEST_F(PoolTest, ConnectionsPerHostAreBounded) {
  Build({.share_patience = absl::Milliseconds(30), .max_connections_per_host = 3});
  for (int i = 0; i < 10; ++i) Ask();
  Wait(absl::Seconds(10));
  EXPECT_EQ(dials_.size(), 3u);
  Connected();
  Connected();
  Connected();
  Wait(absl::Seconds(10));
  EXPECT_THAT(dials_, IsEmpty());
  EXPECT_EQ(pool_->open(), 3);
  EXPECT_EQ(pool_->waiting(), 7);
  Ask(Want::kAny, "b");
  EXPECT_EQ(dials_.size(), 1u) << "per host";
}

TEST_P(PoolOfAnySlotsTest, ConnectionsPerHostAreBoundedWithoutSharing) {
  Build({.share_within_flush = false, .max_connections_per_host = 2});
  const std::vector<TicketPtr> tickets = {Ask(), Ask(), Ask()};
  EXPECT_EQ(dials_.size(), 2u);
  Connected();
  Connected();
  EXPECT_THAT(dials_, IsEmpty());
  Return(tickets[0]);
  EXPECT_EQ(dials_.size(), 1u);
  Connected();
  EXPECT_FALSE(tickets[2]->waiting());
}

TEST_F(PoolTest, NoPatienceAtTheCapDoesNotSpin) {
  Build({.share_patience = absl::ZeroDuration(), .max_connections_per_host = 1});
  Ask();
  Connected();
  Ask();
  clock_.Advance(absl::ZeroDuration());
  executor_.RunAll();
  ASSERT_TRUE(clock_.UntilNextAlarm().has_value());
  EXPECT_GE(*clock_.UntilNextAlarm(), absl::Milliseconds(50));
}

TEST_P(PoolOfAnySlotsTest, AFreshOneAtTheCapClosesAnIdleOne) {
  Build({.max_idle_per_host = 1, .max_connections_per_host = 1});
  const auto idle = Pooled();
  const TicketPtr ticket = Ask(Want::kFresh);
  EXPECT_EQ(idle->closes, 1);
  ASSERT_EQ(dials_.size(), 1u);
  Connected();
  EXPECT_FALSE(ticket->waiting());
  EXPECT_EQ(pool_->open(), 1);
}

TEST_F(PoolTest, AReturnedConnectionWinsAndTheDialIsGivenUp) {
  Build({.share_patience = absl::Milliseconds(30)});
  const TicketPtr holder = Ask();
  const auto toy = Connected();
  const TicketPtr waiter = Ask();
  Wait(absl::Milliseconds(30));
  ASSERT_EQ(dials_.size(), 1u);
  Return(holder);
  EXPECT_EQ(waiter->toy(), toy.get());
  EXPECT_EQ(cancelled_.size(), 1u) << "so that none is open when the flush has ended";
  EXPECT_THAT(cancel_reasons_, ElementsAre(ToyPool::CancelReason::kServed));
  EXPECT_EQ(pool_->dialling(), 0);
}

TEST_F(PoolTest, DialledEagerlyAReturnedConnectionWinsAndTheDialGoesOn) {
  // As in hyper, a connection that was dialled needlessly is put into the pool.
  Build({.max_idle_per_host = ClientOptions::kUnlimited,
         .max_connections_per_host = ClientOptions::kUnlimited,
         .dial_eagerly = true});
  const TicketPtr holder = Ask();
  const auto toy = Connected();
  const TicketPtr waiter = Ask();
  ASSERT_EQ(dials_.size(), 1u) << "at once, though one is open";
  Return(holder);
  EXPECT_EQ(waiter->toy(), toy.get());
  EXPECT_THAT(cancelled_, IsEmpty());
  const auto spare = Connected();
  EXPECT_EQ(pool_->idle(), 1);
  const TicketPtr next = Ask();
  EXPECT_EQ(next->toy(), spare.get());
}

TEST_F(PoolTest, DialledEagerlyWhateverComesFirstWins) {
  Build({.max_idle_per_host = ClientOptions::kUnlimited,
         .max_connections_per_host = ClientOptions::kUnlimited,
         .dial_eagerly = true});
  const TicketPtr holder = Ask();
  Connected();
  const TicketPtr waiter = Ask();
  const auto fresh = Connected();
  EXPECT_EQ(waiter->toy(), fresh.get());
  EXPECT_FALSE(waiter->lease().reused);
  EXPECT_EQ(pool_->waiting(), 0);
  Return(holder);
  EXPECT_EQ(pool_->idle(), 1);
}

// -- Failed dials ----------------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, AFailedDialFailsOnlyTheFirstWaiter) {
  Build({});
  const TicketPtr first = Ask();
  const TicketPtr second = Ask();
  const TicketPtr third = Ask();
  DialFails("refused");
  EXPECT_EQ(first->failure(), "refused");
  EXPECT_TRUE(second->waiting());
  EXPECT_TRUE(third->waiting());
  EXPECT_EQ(dials_.size(), 1u) << "the next one tries for itself";
  Connected();
  EXPECT_FALSE(second->waiting());
}

TEST_P(PoolOfAnySlotsTest, TwoFailedDialsInARowFailTheQueue) {
  Build({});
  const std::vector<TicketPtr> tickets = {Ask(), Ask(), Ask(), Ask()};
  DialFails("one");
  DialFails("two");
  EXPECT_EQ(tickets[0]->failure(), "one");
  for (int i = 1; i < 4; ++i) EXPECT_EQ(tickets[i]->failure(), "two") << i;
  EXPECT_THAT(served_, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(pool_->dialling(), 0);
  EXPECT_EQ(pool_->waiting(), 0);
}

TEST_P(PoolOfAnySlotsTest, ASuccessBetweenTwoFailuresSparesTheQueue) {
  Build({.max_connections_per_host = 3});
  Ask();
  const TicketPtr fresh = Ask(Want::kFresh);
  DialFails("one");
  Connected();  // serves `fresh`
  ASSERT_FALSE(fresh->waiting());
  const TicketPtr second = Ask(Want::kFresh);
  const TicketPtr third = Ask(Want::kFresh);
  DialFails("two");
  EXPECT_EQ(second->failure(), "two");
  EXPECT_TRUE(third->waiting());
}

TEST_P(PoolOfAnySlotsTest, AfterTheQueueFailedOneDialSaysItForAll) {
  Build({.share_within_flush = false});
  Ask();
  Ask();
  DialFails("one");
  DialFails("two");
  const std::vector<TicketPtr> tickets = {Ask(), Ask(), Ask(Want::kFresh)};
  Wait(absl::Seconds(10));
  EXPECT_EQ(dials_.size(), 1u) << "one at a time, though each wants one of its own";
  DialFails("three");
  for (const TicketPtr& ticket : tickets) EXPECT_EQ(ticket->failure(), "three");
  EXPECT_EQ(counts_.dials, 3);
}

TEST_F(PoolTest, ADialThatSucceedsEndsTheSeriesOfFailures) {
  Build({});
  const std::vector<TicketPtr> tickets = {Ask(), Ask(), Ask()};
  DialFails("one");
  Connected();
  Return(tickets[1], /*reusable=*/false);
  DialFails("two");
  EXPECT_EQ(tickets[2]->failure(), "two");
  const TicketPtr first = Ask();
  const TicketPtr second = Ask();
  DialFails("three");
  EXPECT_EQ(first->failure(), "three");
  EXPECT_EQ(second->failure(), "three") << "the second in a row";
}

TEST_P(PoolOfAnySlotsTest, DialledEagerlyTheFailuresOfTheQueueAreCountedAnew) {
  Build({.max_connections_per_host = ClientOptions::kUnlimited, .dial_eagerly = true});
  Ask();
  Ask();
  DialFails("one");
  DialFails("two");
  const TicketPtr next = Ask();
  const TicketPtr after = Ask();
  EXPECT_EQ(dials_.size(), 2u);
  DialFails("three");
  EXPECT_EQ(next->failure(), "three");
  EXPECT_TRUE(after->waiting());
}

TEST_P(PoolOfAnySlotsTest, AFailedDialMayAskAgainFromItsCallback) {
  Build({});
  TicketPtr again;
  pool_->Acquire("a", Want::kAny, [&](ToyPool::Acquired) { again = Ask(); });
  DialFails("one");
  ASSERT_NE(again, nullptr);
  ASSERT_EQ(dials_.size(), 1u);
  Connected();
  EXPECT_FALSE(again->waiting());
}

// -- Resume ----------------------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, ResumeKeeps) {
  Build({.max_idle_per_host = 2, .on_resume = OnResume::kKeep});
  const auto toys = PooledTogether(2);
  toys[0]->usable = false;
  pool_->Resume();
  EXPECT_EQ(pool_->idle(), 2);
  EXPECT_EQ(toys[0]->checks, 0);
  const TicketPtr ticket = Ask();
  EXPECT_EQ(ticket->toy(), toys[1].get());
  EXPECT_EQ(ticket->lease().epoch, 1);
  Return(ticket);
  EXPECT_EQ(pool_->idle(), 2) << "it was idle when the freeze came, so it goes on as one of this epoch";
}

TEST_P(PoolOfAnySlotsTest, ResumeProbes) {
  Build({.max_idle_per_host = 3, .max_connections_per_host = 3, .on_resume = OnResume::kProbe});
  const auto toys = PooledTogether(3);
  toys[0]->usable = false;
  toys[2]->is_open = false;
  pool_->Resume();
  EXPECT_EQ(pool_->idle(), 1);
  EXPECT_EQ(pool_->open(), 1);
  EXPECT_EQ(counts_.dropped_not_usable, 2);
  EXPECT_EQ(Ask()->toy(), toys[1].get());
}

TEST_P(PoolOfAnySlotsTest, ResumeDrains) {
  Build({.max_idle_per_host = 2, .on_resume = OnResume::kDrain});
  const auto toys = PooledTogether(2);
  pool_->Resume();
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(toys[0]->closes, 1);
  EXPECT_EQ(toys[1]->closes, 1);
  EXPECT_EQ(counts_.dropped_epoch, 2);
  EXPECT_TRUE(Ask()->waiting());
}

TEST_F(PoolTest, AConnectionInUseAtAResumeIsNeverHandedOnWhateverThePolicy) {
  for (const OnResume policy : {OnResume::kKeep, OnResume::kProbe, OnResume::kDrain}) {
    Build({.max_idle_per_host = 4, .on_resume = policy});
    counts_ = {};
    const TicketPtr holder = Ask();
    const auto toy = Connected();
    const TicketPtr waiter = Ask();
    pool_->Resume();
    EXPECT_EQ(toy->closes, 0) << "its exchange goes on";
    Return(holder);
    EXPECT_EQ(toy->closes, 1);
    EXPECT_TRUE(waiter->waiting());
    EXPECT_EQ(counts_.dropped_epoch, 1);
    EXPECT_EQ(counts_.shared, 0);
    ASSERT_EQ(dials_.size(), 1u);
    Connected();
    EXPECT_EQ(waiter->lease().epoch, 1);
    Return(waiter);
    EXPECT_EQ(pool_->idle(), 1);
  }
}

TEST_P(PoolOfAnySlotsTest, ADialThatCrossedAResumeCarriesTheEpochItBeganIn) {
  Build({.max_idle_per_host = 4});
  const TicketPtr ticket = Ask();
  pool_->Resume();
  const auto toy = Connected();
  ASSERT_FALSE(ticket->waiting());
  EXPECT_EQ(ticket->lease().epoch, 0);
  EXPECT_EQ(pool_->epoch(), 1);
  Return(ticket);
  EXPECT_EQ(toy->closes, 1);
  EXPECT_EQ(pool_->idle(), 0);
}

TEST_F(PoolTest, ADialThatCrossedAResumeIsNotKeptUnused) {
  Build({.max_idle_per_host = 4, .dial_eagerly = true});
  const TicketPtr holder = Ask();
  Connected();
  Ask();
  Return(holder);  // the second is served; its dial goes on
  ASSERT_EQ(dials_.size(), 1u);
  pool_->Resume();
  const auto crossed = Connected();
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(crossed->closes, 1);
  EXPECT_EQ(counts_.dropped_epoch, 1);
}

// -- Hosts -----------------------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, AHostOfWhichNothingIsKnownIsForgottenWhenItIsUnused) {
  Build({});
  const TicketPtr ticket = Ask();
  EXPECT_EQ(pool_->hosts(), 1u);
  Cancel(ticket);
  EXPECT_EQ(pool_->hosts(), 0u);
}

TEST_P(PoolOfAnySlotsTest, HostsThatWereUsedLastAreRemembered) {
  Build({});
  for (int host = 0; host < 100; ++host) {
    const std::string key = absl::StrCat(host);
    const TicketPtr ticket = Ask(Want::kAny, key);
    Connected(/*took=*/absl::Milliseconds(200));
    Return(ticket);
  }
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(pool_->hosts(), ToyPool::kRememberedHosts);
  // The time of the last dial is remembered of host 99 and forgotten of host 0.
  for (const auto& [key, patience] : {std::pair("99", 200), std::pair("0", 50)}) {
    Ask(Want::kAny, key);
    Ask(Want::kAny, key);
    Wait(absl::Milliseconds(patience - 1));
    EXPECT_EQ(dials_.size(), 1u) << key;
    Wait(absl::Milliseconds(1));
    EXPECT_EQ(dials_.size(), 2u) << key;
    pool_->Close();
  }
}

TEST_P(PoolOfAnySlotsTest, HostsInUseAreNotForgotten) {
  Build({.max_idle_per_host = 1});
  const int count = static_cast<int>(ToyPool::kRememberedHosts) + 8;
  std::vector<TicketPtr> tickets;
  for (int host = 0; host < count; ++host) {
    tickets.push_back(Ask(Want::kAny, absl::StrCat(host)));
    Connected();
  }
  EXPECT_EQ(pool_->hosts(), static_cast<size_t>(count));
  for (const TicketPtr& ticket : tickets) Return(ticket);
  EXPECT_EQ(pool_->hosts(), static_cast<size_t>(count)) << "each has an idle connection";
  pool_->Resume();
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(pool_->hosts(), ToyPool::kRememberedHosts);
}

TEST_P(PoolOfAnySlotsTest, AFailedDialIsRememberedThoughItsHostIsUnused) {
  Build({});
  const TicketPtr first = Ask();
  DialFails("one");
  EXPECT_EQ(first->failure(), "one");
  EXPECT_EQ(pool_->hosts(), 1u);
  const TicketPtr second = Ask();
  const TicketPtr third = Ask();
  DialFails("two");
  EXPECT_EQ(third->failure(), "two") << "the second in a row fails the queue";
}

TEST_P(PoolOfAnySlotsTest, CloseForgetsHosts) {
  Build({.max_idle_per_host = 1});
  Pooled();
  Ask(Want::kAny, "b");
  pool_->Close();
  EXPECT_EQ(pool_->hosts(), 0u);
}

// -- Close -----------------------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, CloseClosesIdleConnectionsAndForgetsWaiters) {
  Build({.max_idle_per_host = 1, .share_patience = absl::Milliseconds(30)});
  const auto idle = Pooled();
  const TicketPtr other = Ask(Want::kAny, "b");
  pool_->Close();
  EXPECT_EQ(idle->closes, 1);
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(pool_->waiting(), 0);
  EXPECT_EQ(pool_->dialling(), 0);
  EXPECT_EQ(cancelled_.size(), 1u);
  EXPECT_TRUE(other->waiting());
  EXPECT_FALSE(clock_.UntilNextAlarm().has_value());
}

TEST_P(PoolOfAnySlotsTest, AConnectionLeasedAtCloseIsClosedOnItsReturn) {
  for (const int max_idle : {0, 1}) {
    Build({.max_idle_per_host = max_idle});
    const TicketPtr ticket = Ask();
    const auto toy = Connected();
    pool_->Close();
    EXPECT_EQ(toy->closes, 0);
    EXPECT_EQ(pool_->open(), 1);
    Return(ticket);
    EXPECT_EQ(toy->closes, 1);
    EXPECT_EQ(pool_->open(), 0);
  }
}

// -- Everything adds up ----------------------------------------------------------------------------------

TEST_P(PoolOfAnySlotsTest, EachConnectionThatWasOpenedIsOpenOrClosed) {
  Build({.max_idle_per_host = 2, .share_patience = absl::Milliseconds(5), .max_connections_per_host = 3});
  uint64_t random = 1;
  const auto next = [&random](uint64_t below) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return (random >> 33) % below;
  };
  std::vector<TicketPtr> tickets;
  std::vector<std::shared_ptr<Toy>> toys;
  for (int step = 0; step < 5000; ++step) {
    switch (next(12)) {
      case 0:
      case 1:
        tickets.push_back(Ask(next(4) == 0 ? Want::kFresh : Want::kAny));
        break;
      case 2:
      case 3:
      case 4:
        if (!dials_.empty()) toys.push_back(Connected(absl::Milliseconds(next(100))));
        break;
      case 5:
        if (!dials_.empty()) DialFails("no");
        break;
      case 6:
        if (next(20) == 0) pool_->Resume();
        break;
      case 7:
        Wait(absl::Milliseconds(next(20)));
        break;
      default:
        if (!tickets.empty()) {
          const size_t at = next(tickets.size());
          const TicketPtr ticket = tickets[at];
          if (ticket->waiting()) {
            EXPECT_TRUE(Cancel(ticket));
          } else if (std::holds_alternative<Lease>(*ticket->answer)) {
            if (next(5) == 0) ticket->toy()->is_open = false;
            Return(ticket, next(5) != 0);
          }
          tickets.erase(tickets.begin() + at);
        }
    }
    std::map<const Toy*, int> leased;
    int waiting = 0;
    for (const TicketPtr& ticket : tickets) {
      waiting += ticket->waiting();
      if (!ticket->waiting() && std::holds_alternative<Lease>(*ticket->answer)) ++leased[ticket->toy()];
    }
    for (const auto& [toy, leases] : leased) ASSERT_LE(leases, GetParam());
    ASSERT_EQ(pool_->waiting(), waiting);
    ASSERT_EQ(pool_->open(), static_cast<int>(leased.size()) + pool_->idle());
    ASSERT_EQ(pool_->count(ConnectionState::kLeased) + pool_->count(ConnectionState::kDraining),
              static_cast<int>(leased.size()));
    ASSERT_EQ(pool_->dialling(), static_cast<int>(dials_.size()));
    ASSERT_LE(pool_->open() + pool_->dialling(), 3);
    ASSERT_LE(pool_->idle(), 2);
    ASSERT_EQ(static_cast<int64_t>(toys.size()), pool_->open() + counts_.closed);
    // While requests wait, a dial or an exchange is under way.
    ASSERT_TRUE(waiting == 0 || pool_->dialling() > 0 || !leased.empty());
  }
  EXPECT_GT(counts_.shared, 20);
  EXPECT_GT(counts_.reused, 20);
}

}  // namespace
}  // namespace thaw
