// Stores encoded, compressed, undelivered requests within a limit.
//
// Everything that a pipeline keeps is stored here or lent out by it: never tried, being sent, tried and
// failed. All of it counts against one byte budget, which pipelines may share.
//
//   Outbox outbox(std::make_shared<ByteBudget>(32 << 20), [](const Outbox::Item& evicted) { ... });
//   absl::Status status = outbox.Add(std::move(item));
//   for (Outbox::Item& item : outbox.Take()) delivered ? outbox.End(item) : outbox.Return(std::move(item));
//
// New data evicts items that were tried at least once, oldest first. Untried items are never evicted: when
// they alone fill the budget, Add returns ResourceExhausted.
//
// One thread.

#ifndef THAW_CC_FLUSH_OUTBOX_H_
#define THAW_CC_FLUSH_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "cc/clock/clock.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/encoded_request.h"

namespace thaw {

class Outbox : private ByteBudget::Holder {
 public:
  struct Item {
    std::shared_ptr<const EncodedRequest> request;
    size_t endpoint = 0;    // index; 0 is the primary one
    ClockReading added;     // when it was added; its age is LargestAdvance from here
    int tries = 0;          // number of flushes that tried it
    uint64_t sequence = 0;  // number of arrival, over all pipelines; set by Add
    bool possible_duplicate = false;
    int ambiguous = 0;  // tries after which the intake may or may not have it
    // Whether the request's payloads wait for this item. False for additional endpoints, and for a request
    // that was accepted and is sent again all the same (a defect of peers' clients).
    bool counted = true;

    size_t bytes() const;
    int64_t parts() const { return counted ? static_cast<int64_t>(request->payloads.size()) : 0; }
  };

  // Returns the bytes that an item of `request` is counted with: body, headers and target, which are copied
  // once more while it is sent, and bookkeeping.
  static size_t BytesOf(const EncodedRequest& request);

  // `evicted` is called for each item that is evicted to make room, here or for another pipeline.
  Outbox(std::shared_ptr<ByteBudget> budget, absl::AnyInvocable<void(const Item&)> evicted)
      : budget_(std::move(budget)), evicted_(std::move(evicted)) {
    budget_->AddHolder(this);
  }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() override;

  // Adds an item. Returns ResourceExhausted, and evicts nothing, if no room can be made.
  absl::Status Add(Item item);
  // Adds an item whatever the budget says, for data that was admitted before in another form.
  void AddAdmitted(Item item);

  // Lends out everything that waits: tried items, oldest first, then untried ones, in order.
  std::vector<Item> Take();
  // Lends out the held items.
  std::vector<Item> TakeHeld();

  // Adds a part of a lent item that was split; it is lent from the start.
  void AddLent(const Item& item);
  // Takes back a lent item, tried (Item::tries > 0) or not.
  void Return(Item item);
  // Takes back a lent item; only TakeHeld lends it again, not Take.
  void Hold(Item item);
  // Removes a lent item, which was delivered or dropped.
  void End(const Item& item);

  // Bytes and items of everything, lent ones included.
  size_t bytes() const { return tried_.bytes + fresh_.bytes + held_.bytes + lent_.bytes; }
  int64_t items() const { return tried_.count + fresh_.count + held_.count + lent_.count; }
  // Parts of payloads, lent ones included.
  int64_t parts() const { return tried_.parts + fresh_.parts + held_.parts + lent_.parts; }
  int64_t untried_items() const { return fresh_.count; }
  int64_t lent_items() const { return lent_.count; }
  int64_t held_items() const { return held_.count; }

  // Counts everything anew and compares. Returns Internal, naming what differs.
  absl::Status CheckByWalking() const;

 private:
  struct Tally {
    size_t bytes = 0;
    int64_t count = 0;
    int64_t parts = 0;
    void Add(const Item& item);
    void Remove(const Item& item);
  };
  struct List : Tally {
    std::deque<Item> items;
    void Insert(Item item);  // by sequence
    Item PopFront();
  };

  std::optional<uint64_t> OldestEvictable() const override;
  void EvictOldest() override;

  void TakeInto(List& list, bool evictable, std::vector<Item>& out);
  Item Lend(List& list, bool evictable);

  const std::shared_ptr<ByteBudget> budget_;
  absl::AnyInvocable<void(const Item&)> evicted_;
  List tried_;  // by age
  List fresh_;
  List held_;
  Tally lent_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_OUTBOX_H_
