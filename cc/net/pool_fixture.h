// A pool of toy connections, and a language for facts about it.
//
//   Build({.max_idle_per_host = 1});
//   const TicketPtr ticket = Ask();         // a request
//   const auto toy = Connected();           // its dial succeeds
//   Return(ticket);                         // its exchange ends
//   EXPECT_EQ(pool_->idle(), 1);

#ifndef THAW_CC_NET_POOL_FIXTURE_H_
#define THAW_CC_NET_POOL_FIXTURE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/pool.h"
#include "gtest/gtest.h"

namespace thaw {

// The simplest type that fulfils the pool's requirements of a connection.
struct Toy {
  bool open() const { return is_open; }
  int slots() const { return slot_count; }
  bool CheckUsable() {
    ++checks;
    return usable;
  }
  void Close() {
    is_open = false;
    ++closes;
  }
  int slot_count = 1;
  bool is_open = true;
  bool usable = true;
  int checks = 0;
  int closes = 0;
};

class PoolFixture : public testing::Test {
 protected:
  explicit PoolFixture(int slots) : slots_(slots) {}

  using ToyPool = Pool<std::string, Toy, std::string>;
  using Lease = ToyPool::Lease;

  // The result of one Acquire().
  struct Ticket {
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
        [this](uint64_t dial, ToyPool::CancelReason why) {
          std::erase_if(dials_, [dial](const auto& running) { return running.second == dial; });
          cancelled_.push_back(dial);
          cancel_reasons_.push_back(why);
        });
  }

  TicketPtr Ask(Want want = Want::kAny, const std::string& key = "a") {
    auto ticket = std::make_shared<Ticket>();
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
    toy->slot_count = slots_;
    pool_->OnDialled(TakeDial(), {.connection = toy, .took = took});
    return toy;
  }
  void DialFails(const std::string& text) {
    pool_->OnDialled(TakeDial(), {.connection = nullptr, .failure = text});
  }
  void Return(const TicketPtr& ticket, bool reusable = true) {
    pool_->Release(std::get<Lease>(*std::move(ticket->answer)), reusable);
  }
  bool Cancel(const TicketPtr& ticket) { return pool_->CancelWaiter(ticket->id); }
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

  int slots_;  // of each connection
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  ClientOptions options_;
  ConnectionCounts counts_;
  std::vector<std::pair<std::string, uint64_t>> dials_;  // running, oldest first
  std::vector<uint64_t> cancelled_;
  std::vector<ToyPool::CancelReason> cancel_reasons_;  // the reason, for each cancelled dial
  std::vector<int> served_;  // the numbers of the Ask() calls, in the order of the answers
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

}  // namespace thaw

#endif  // THAW_CC_NET_POOL_FIXTURE_H_
