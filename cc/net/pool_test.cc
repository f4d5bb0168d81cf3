#include "cc/net/pool.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The simplest type that fulfils the pool's requirements of a connection.
struct Toy {
  bool open() const { return is_open; }
  bool CheckUsable() {
    ++checks;
    return usable;
  }
  void Close() {
    is_open = false;
    ++closes;
  }
  bool is_open = true;
  bool usable = true;
  int checks = 0;
  int closes = 0;
};

class PoolTest : public testing::Test {
 protected:
  using ToyPool = Pool<std::string, Toy, std::string>;
  using Lease = ToyPool::Lease;

  // The result of one Acquire().
  struct Ticket {
    std::string key;
    ToyPool::WaiterId id = 0;
    std::optional<ToyPool::Acquired> answer;

    bool waiting() const { return !answer.has_value(); }
    const Lease& lease() const { return std::get<Lease>(*answer); }
    Toy* toy() const { return lease().connection.get(); }
    std::string failure() const {
      const auto* text = answer.has_value() ? std::get_if<std::string>(&*answer) : nullptr;
      return text == nullptr ? "" : *text;
    }
  };
  using TicketPtr = std::shared_ptr<Ticket>;

  void Build(ClientOptions options) {
    options_ = std::move(options);
    pool_.emplace(
        clock_, options_, counts_,
        [this](const std::string& key, uint64_t dial) { dials_.emplace_back(key, dial); },
        [this](uint64_t dial, ToyPool::GivenUp why) {
          std::erase_if(dials_, [dial](const auto& running) { return running.second == dial; });
          cancelled_.push_back(dial);
          given_up_.push_back(why);
        });
  }

  TicketPtr Ask(Want want = Want::kAny, const std::string& key = "a") {
    auto ticket = std::make_shared<Ticket>();
    ticket->key = key;
    ticket->id = pool_->Acquire(key, want, [this, ticket, number = ++asked_](ToyPool::Acquired answer) {
      EXPECT_TRUE(ticket->waiting()) << "answered twice";
      served_.push_back(number);
      ticket->answer = std::move(answer);
    });
    return ticket;
  }
  // Makes the oldest dial succeed.
  std::shared_ptr<Toy> Connected(absl::Duration took = absl::Milliseconds(10)) {
    auto toy = std::make_shared<Toy>();
    pool_->OnDialled(TakeDial(), {.connection = toy, .took = took});
    return toy;
  }
  void DialFails(const std::string& text) {
    pool_->OnDialled(TakeDial(), {.connection = nullptr, .failure = text});
  }
  void Return(const TicketPtr& ticket, bool reusable = true) {
    pool_->Release(std::get<Lease>(*std::move(ticket->answer)), reusable);
  }
  bool Cancel(const TicketPtr& ticket) { return pool_->CancelWaiter(ticket->key, ticket->id); }
  // Opens, uses and returns a connection to a destination that has no other.
  std::shared_ptr<Toy> Pooled() {
    const TicketPtr ticket = Ask(Want::kFresh);
    std::shared_ptr<Toy> toy = Connected();
    Return(ticket);
    return toy;
  }
  // Opens `count` connections at once and returns them in the order they were opened, a second apart.
  std::vector<std::shared_ptr<Toy>> PooledTogether(int count) {
    std::vector<TicketPtr> tickets;
    std::vector<std::shared_ptr<Toy>> toys;
    for (int i = 0; i < count; ++i) {
      tickets.push_back(Ask(Want::kFresh));
      toys.push_back(Connected());
    }
    for (const TicketPtr& ticket : tickets) {
      Return(ticket);
      clock_.Advance(absl::Seconds(1));
    }
    return toys;
  }
  // Sets up a connection that took `dial`, has answered one request in `exchange` and has another, behind
  // which `left` more wait.
  void Queue(absl::Duration dial, absl::Duration exchange, int left) {
    const TicketPtr holder = Ask();
    Connected(dial);
    last_ = Ask();
    for (int i = 0; i < left; ++i) Ask();
    clock_.Advance(exchange);
    Return(holder);
    ASSERT_FALSE(last_->waiting());
  }
  // Advances the clock and runs the alarms that become due, including those set meanwhile.
  void Wait(absl::Duration duration) {
    for (absl::Duration step; duration > absl::ZeroDuration(); duration -= step) {
      step = std::min(duration, absl::Milliseconds(1));
      clock_.Advance(step);
      executor_.RunAll();
    }
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  ClientOptions options_;
  ConnectionCounts counts_;
  std::vector<std::pair<std::string, uint64_t>> dials_;  // running, oldest first
  std::vector<uint64_t> cancelled_;
  std::vector<ToyPool::GivenUp> given_up_;  // the reason, for each dial that was given up
  std::vector<int> served_;                 // the numbers of the Ask() calls, in the order of the answers
  int asked_ = 0;
  TicketPtr last_;  // the request of Queue() that has the connection
  std::optional<ToyPool> pool_;

 private:
  uint64_t TakeDial() {
    if (dials_.empty()) {
      ADD_FAILURE() << "nothing is being dialled";
      return 0;
    }
    const uint64_t dial = dials_.front().second;
    dials_.erase(dials_.begin());
    return dial;
  }
};

// -- Checkout --------------------------------------------------------------------------------------------

TEST_F(PoolTest, AFreshConnectionThenTheSameOneReused) {
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

TEST_F(PoolTest, DestinationsShareNothing) {
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

TEST_F(PoolTest, CheckoutDropsWhatIsClosedAndWhatIsUnusableOnItsWay) {
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

TEST_F(PoolTest, ReactorOnlyLivenessDoesNotLook) {
  Build({.max_idle_per_host = 1, .liveness = Liveness::kReactorOnly});
  const auto toy = Pooled();
  toy->usable = false;
  EXPECT_EQ(Ask()->toy(), toy.get());
  EXPECT_EQ(toy->checks, 0);
}

TEST_F(PoolTest, WhoWantsAFreshOneGetsNoIdleOne) {
  Build({.max_idle_per_host = 1});
  const auto toy = Pooled();
  const TicketPtr ticket = Ask(Want::kFresh);
  EXPECT_TRUE(ticket->waiting());
  EXPECT_EQ(pool_->idle(), 1);
  EXPECT_NE(Connected().get(), toy.get());
  EXPECT_FALSE(ticket->lease().reused);
}

TEST_F(PoolTest, WhoWantsAFreshOneGetsNoSharedOne) {
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

TEST_F(PoolTest, ExpiredAtCheckout) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(15)});
  const auto toy = Pooled();
  clock_.Advance(absl::Seconds(15) + absl::Nanoseconds(1));
  EXPECT_EQ(pool_->idle(), 1) << "only a checkout looks";
  EXPECT_TRUE(Ask()->waiting());
  EXPECT_EQ(dials_.size(), 1u);
  EXPECT_EQ(toy->closes, 1);
  EXPECT_EQ(counts_.dropped_expired, 1);
}

TEST_F(PoolTest, OfExactlyTheTimeoutIsNotTooOld) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(15)});
  const auto toy = Pooled();
  clock_.Advance(absl::Seconds(15));
  EXPECT_EQ(Ask()->toy(), toy.get());
}

TEST_F(PoolTest, CheckoutClearsAllThatExpired) {
  Build({.max_idle_per_host = 3, .idle_timeout = absl::Seconds(15), .max_connections_per_host = 3});
  PooledTogether(3);
  clock_.Advance(absl::Minutes(1));
  EXPECT_TRUE(Ask()->waiting());
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(counts_.dropped_expired, 3);
}

TEST_F(PoolTest, ThoseThatExpiredAreCountedAsClosedWhenTheyWereClosedBefore) {
  Build({.max_idle_per_host = 1});
  Pooled()->is_open = false;
  clock_.Advance(absl::Minutes(1));
  Ask();
  EXPECT_EQ(counts_.dropped_peer_closed, 1);
  EXPECT_EQ(counts_.dropped_expired, 0);
}

TEST_F(PoolTest, AgeIsThatOfTheClockThatAdvancedMost) {
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

TEST_F(PoolTest, AWallClockSetBackMakesNothingYounger) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(60)});
  Pooled();
  clock_.Advance({.wall = -absl::Hours(1), .monotonic = absl::Seconds(61), .boot = absl::Seconds(61)});
  EXPECT_TRUE(Ask()->waiting());
}

TEST_F(PoolTest, ByTheMonotonicClockAFreezeCanGoUnseen) {
  Build({.max_idle_per_host = 1, .idle_timeout = absl::Seconds(60), .expiry_clock = ExpiryClock::kMonotonic});
  const auto toy = Pooled();
  clock_.Freeze({.wall = absl::Seconds(90), .boot = absl::Seconds(90)});
  EXPECT_EQ(Ask()->toy(), toy.get());
}

TEST_F(PoolTest, AgeBeginsAnewWithEachReturn) {
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

TEST_F(PoolTest, NoneIsKeptAtMaxIdleZero) {
  Build({.max_idle_per_host = 0});
  const auto toy = Pooled();
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(toy->closes, 1);
  EXPECT_EQ(counts_.closed, 1);
  EXPECT_EQ(counts_.dropped_over_limit, 0);
}

TEST_F(PoolTest, AtMaxIdleTheNewcomerIsClosed) {
  Build({.max_idle_per_host = 2, .max_connections_per_host = 3});
  const auto toys = PooledTogether(3);
  EXPECT_EQ(pool_->idle(), 2);
  EXPECT_EQ(toys[2]->closes, 1);
  EXPECT_EQ(counts_.dropped_over_limit, 1);
  EXPECT_EQ(Ask()->toy(), toys[1].get());
}

TEST_F(PoolTest, MaxIdleIsPerHost) {
  Build({.max_idle_per_host = 1});
  for (const char* key : {"a", "b", "c"}) {
    const TicketPtr ticket = Ask(Want::kAny, key);
    Connected();
    Return(ticket);
  }
  EXPECT_EQ(pool_->idle(), 3);
}

TEST_F(PoolTest, WhatIsClosedIsNeverReinserted) {
  Build({.max_idle_per_host = 1});
  const TicketPtr ticket = Ask();
  const auto toy = Connected();
  toy->is_open = false;
  Return(ticket);
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(pool_->open(), 0);
}

TEST_F(PoolTest, WhatIsNotReusableIsNeverReinserted) {
  Build({.max_idle_per_host = 1});
  const TicketPtr ticket = Ask();
  const auto toy = Connected();
  Return(ticket, /*reusable=*/false);
  EXPECT_EQ(pool_->idle(), 0);
  EXPECT_EQ(toy->closes, 1);
}

TEST_F(PoolTest, WhatIsClosedIsNotHandedToAWaiter) {
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

TEST_F(PoolTest, TheLoopSawAnIdleConnectionEnd) {
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

TEST_F(PoolTest, SharingHoldsAtMaxIdleZero) {
  Build({.max_idle_per_host = 0, .share_within_flush = true});
  const TicketPtr holder = Ask();
  const auto toy = Connected();
  const TicketPtr waiter = Ask();
  Return(holder);
  EXPECT_EQ(waiter->toy(), toy.get());
  EXPECT_EQ(toy->closes, 0);
  Return(waiter);
  EXPECT_EQ(toy->closes, 1) << "the moment nobody waits for it";
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(counts_.dials, 1);
}

TEST_F(PoolTest, WithoutSharingEachRequestHasAConnectionOfItsOwn) {
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

TEST_F(PoolTest, TheDialOfACancelledWaiterIsGivenUp) {
  Build({});
  const TicketPtr ticket = Ask();
  ASSERT_EQ(dials_.size(), 1u);
  const uint64_t dial = dials_[0].second;
  EXPECT_TRUE(Cancel(ticket));
  EXPECT_THAT(cancelled_, ElementsAre(dial));
  EXPECT_THAT(given_up_, ElementsAre(ToyPool::GivenUp::kCancelled));
  EXPECT_EQ(pool_->dialling(), 0);
  // Its connection opened all the same.
  auto late = std::make_shared<Toy>();
  pool_->OnDialled(dial, {.connection = late});
  EXPECT_EQ(late->closes, 1);
  EXPECT_EQ(pool_->open(), 0);
}

// -- Dialling --------------------------------------------------------------------------------------------

TEST_F(PoolTest, OnlyTheFirstDialsWhenNoneIsOpen) {
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

TEST_F(PoolTest, ASlowDialIsNotDoubledForOneWaiter) {
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

TEST_F(PoolTest, AFastDialMakesNoneImpatientForAShortTime) {
  Build({});
  Ask();
  Connected(/*took=*/absl::Milliseconds(1));
  Ask();
  Wait(absl::Milliseconds(4));
  EXPECT_THAT(dials_, IsEmpty());
  Wait(absl::Milliseconds(1));
  EXPECT_EQ(dials_.size(), 1u);
}

TEST_F(PoolTest, ASlowFirstDialIsDoubledOnceHoweverManyWait) {
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

TEST_F(PoolTest, NoneIsDialledForAQueueThatADialDoesNotShorten) {
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

TEST_F(PoolTest, OfALongQueueSixConnectionsComeAndNoMore) {
  Build({});
  Queue(/*dial=*/absl::Milliseconds(1), /*exchange=*/absl::Milliseconds(40), /*left=*/58);
  EXPECT_EQ(dials_.size(), 5u);
  for (int i = 0; i < 5; ++i) Connected();
  Wait(absl::Seconds(10));
  EXPECT_THAT(dials_, IsEmpty());
  EXPECT_EQ(pool_->open(), 6);
}

TEST_F(PoolTest, WhatIsKnownOfADestinationHoldsForTheNextFlush) {
  Build({});
  Queue(/*dial=*/absl::Milliseconds(80), /*exchange=*/absl::Milliseconds(40), /*left=*/0);
  ASSERT_EQ(pool_->open(), 1);
  clock_.Advance(absl::Milliseconds(40));
  Return(last_);
  ASSERT_EQ(pool_->open(), 0);
  for (int i = 0; i < 20; ++i) Ask();
  EXPECT_EQ(dials_.size(), 6u) << "at once, side by side";
}

TEST_F(PoolTest, AFastIntakeGetsOneConnectionForAFlushOfTwenty) {
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

TEST_F(PoolTest, AnExchangeThatFailedOrCrossedAFreezeTellsNothingOfTheNext) {
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

TEST_F(PoolTest, APatienceThatIsSetIsWhatCounts) {
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

TEST_F(PoolTest, NobodyWaitsAnyMoreSoNobodyIsImpatient) {
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

TEST_F(PoolTest, ConnectionsPerHostAreBoundedWithoutSharing) {
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

TEST_F(PoolTest, AFreshOneAtTheCapClosesAnIdleOne) {
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
  EXPECT_THAT(given_up_, ElementsAre(ToyPool::GivenUp::kServed));
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

TEST_F(PoolTest, AFailedDialFailsOnlyTheFirstWaiter) {
  Build({});
  const TicketPtr first = Ask();
  const TicketPtr second = Ask();
  const TicketPtr third = Ask();
  DialFails("refused");
  EXPECT_EQ(first->failure(), "refused");
  EXPECT_TRUE(second->waiting());
  EXPECT_TRUE(third->waiting());
  EXPECT_EQ(dials_.size(), 1u) << "the next one tries for himself";
  Connected();
  EXPECT_FALSE(second->waiting());
}

TEST_F(PoolTest, TwoFailedDialsInARowFailTheQueue) {
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

TEST_F(PoolTest, ASuccessBetweenTwoFailuresSparesTheQueue) {
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

TEST_F(PoolTest, AfterTheQueueFailedOneDialSaysItForAll) {
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

TEST_F(PoolTest, DialledEagerlyTheFailuresOfTheQueueAreCountedAnew) {
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

TEST_F(PoolTest, AFailedDialMayAskAgainFromItsCallback) {
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

TEST_F(PoolTest, ResumeKeeps) {
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

TEST_F(PoolTest, ResumeProbes) {
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

TEST_F(PoolTest, ResumeDrains) {
  Build({.max_idle_per_host = 2, .on_resume = OnResume::kDrain});
  const auto toys = PooledTogether(2);
  pool_->Resume();
  EXPECT_EQ(pool_->open(), 0);
  EXPECT_EQ(toys[0]->closes, 1);
  EXPECT_EQ(toys[1]->closes, 1);
  EXPECT_EQ(counts_.dropped_epoch, 2);
  EXPECT_TRUE(Ask()->waiting());
}

TEST_F(PoolTest, WhatWasInUseAtAResumeIsNeverHandedOnWhateverThePolicy) {
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

TEST_F(PoolTest, ADialThatCrossedAResumeCarriesTheEpochItBeganIn) {
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

// -- Close -----------------------------------------------------------------------------------------------

TEST_F(PoolTest, CloseClosesWhatIsIdleAndForgetsWhoWaits) {
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

TEST_F(PoolTest, WhatIsLeasedAtCloseIsClosedOnItsReturn) {
  Build({.max_idle_per_host = 0});
  const TicketPtr ticket = Ask();
  const auto toy = Connected();
  pool_->Close();
  EXPECT_EQ(toy->closes, 0);
  EXPECT_EQ(pool_->open(), 1);
  Return(ticket);
  EXPECT_EQ(pool_->open(), 0);
}

// -- Everything adds up ----------------------------------------------------------------------------------

TEST_F(PoolTest, WhatWasOpenedIsOpenOrClosed) {
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
    int leased = 0;
    int waiting = 0;
    for (const TicketPtr& ticket : tickets) {
      waiting += ticket->waiting();
      leased += !ticket->waiting() && std::holds_alternative<Lease>(*ticket->answer);
    }
    ASSERT_EQ(pool_->waiting(), waiting);
    ASSERT_EQ(pool_->open(), leased + pool_->idle());
    ASSERT_EQ(pool_->dialling(), static_cast<int>(dials_.size()));
    ASSERT_LE(pool_->open() + pool_->dialling(), 3);
    ASSERT_LE(pool_->idle(), 2);
    ASSERT_EQ(static_cast<int64_t>(toys.size()), pool_->open() + counts_.closed);
    // While requests wait, a dial or an exchange is under way.
    ASSERT_TRUE(waiting == 0 || pool_->dialling() > 0 || leased > 0);
  }
  EXPECT_GT(counts_.shared, 20);
  EXPECT_GT(counts_.reused, 20);
}

}  // namespace
}  // namespace thaw
