// The bounded store of encoded, compressed, undelivered requests.
//
// Everything a pipeline keeps is in here or lent out by it: never tried, being sent, tried and failed. All
// of it counts against one byte budget, which pipelines may share.
//
//   Outbox outbox(std::make_shared<ByteBudget>(32 << 20), [](const Outbox::Item& evicted) { ... });
//   absl::Status status = outbox.Add(std::move(item));
//   for (Outbox::Item& item : outbox.Take()) { ... outbox.End(item) or outbox.Return(std::move(item)) }
//
// Newer data evicts what was tried at least once, oldest first. What was never tried is never evicted: when
// that alone fills the budget, Add refuses.
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
    ClockReading added;     // when it came in; its age is LargestAdvance from here
    int tries = 0;          // flushes that tried it
    uint64_t sequence = 0;  // of arrival, over all pipelines; set by Add
    bool possible_duplicate = false;
    int ambiguous = 0;  // tries after which nobody knows whether the intake has it
    // The payloads of the request wait for this item. Not so for additional endpoints, nor for what was
    // accepted already and is sent again all the same (a defect of peers' clients).
    bool counted = true;

    size_t bytes() const;
    int64_t parts() const { return counted ? static_cast<int64_t>(request->payloads.size()) : 0; }
  };

  // What an item of `request` is counted with: its body, its headers and target, which are copied once more
  // while it is sent, and bookkeeping.
  static size_t BytesOf(const EncodedRequest& request);

  // `evicted` is called for each item that goes to make room, here or in another pipeline.
  Outbox(std::shared_ptr<ByteBudget> budget, absl::AnyInvocable<void(const Item&)> evicted)
      : budget_(std::move(budget)), evicted_(std::move(evicted)) {
    budget_->AddHolder(this);
  }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() override;

  // Takes in a new item. ResourceExhausted: there is no room and none can be made; nothing was evicted.
  absl::Status Add(Item item);
  // Takes it in whatever the budget says: for data that was admitted before in another form.
  void AddAdmitted(Item item);

  // Lends out everything that waits: the tried, oldest first, then the never tried, in order.
  std::vector<Item> Take();
  // Lends out what is held.
  std::vector<Item> TakeHeld();

  // A part of what was lent, made by splitting a lent item: lent from the start.
  void AddLent(const Item& item);
  // A lent item comes back, tried (Item::tries > 0) or not.
  void Return(Item item);
  // A lent item comes back and is not lent again by Take: only by TakeHeld.
  void Hold(Item item);
  // A lent item is gone: delivered or dropped.
  void End(const Item& item);

  // Bytes and items of everything, lent ones included.
  size_t bytes() const { return tried_.bytes + fresh_.bytes + held_.bytes + lent_.bytes; }
  int64_t items() const { return tried_.count + fresh_.count + held_.count + lent_.count; }
  // Parts of payloads, likewise.
  int64_t parts() const { return tried_.parts + fresh_.parts + held_.parts + lent_.parts; }
  int64_t untried_items() const { return fresh_.count; }
  int64_t lent_items() const { return lent_.count; }
  int64_t held_items() const { return held_.count; }

  // Counts everything again and compares. Internal names what differs.
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
