// The bounded store of encoded, compressed, undelivered requests.
//
// Everything a pipeline keeps is in here or lent out by it: never tried, being sent, tried and failed. All
// of it counts against one byte budget.
//
//   Outbox outbox(32 << 20);
//   absl::Status status = outbox.Add(std::move(item), [](const Outbox::Item& evicted) { ... });
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
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "cc/clock/clock.h"
#include "cc/flush/encoded_request.h"

namespace thaw {

class Outbox {
 public:
  struct Item {
    std::shared_ptr<const EncodedRequest> request;
    size_t endpoint = 0;    // index; 0 is the primary one
    ClockReading added;     // when it came in; its age is LargestAdvance from here
    int tries = 0;          // flushes that tried it
    uint64_t sequence = 0;  // of arrival; set by Add
    bool possible_duplicate = false;
    // The payloads of the request wait for this item. Not so for additional endpoints, nor for what was
    // accepted already and is sent again all the same (a defect of peers' clients).
    bool counted = true;

    size_t bytes() const;
    int64_t parts() const { return counted ? static_cast<int64_t>(request->payloads.size()) : 0; }
  };

  explicit Outbox(size_t budget_bytes) : budget_(budget_bytes) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Makes room for `bytes` more, if that is possible. ResourceExhausted: it isn't, and nothing was evicted.
  absl::Status MakeRoom(size_t bytes, absl::FunctionRef<void(const Item&)> evicted);

  // Takes in a new item, for which there must be room; `evicted` is called for each that goes.
  absl::Status Add(Item item, absl::FunctionRef<void(const Item&)> evicted);
  // Takes it in whatever the budget says: for data that was admitted before in another form.
  void AddAdmitted(Item item, absl::FunctionRef<void(const Item&)> evicted);

  // Lends out everything that waits: the tried, oldest first, then the never tried, in order.
  std::vector<Item> Take();
  // Lends out the first of them; nothing waits: empty.
  std::vector<Item> TakeFirst();
  // Lends out what is held.
  std::vector<Item> TakeHeld();

  // A part of what was lent, made by splitting a lent item: lent from the start.
  void AddLent(const Item& item) { lent_.Add(item); }
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
  int64_t waiting_items() const { return tried_.count + fresh_.count; }
  int64_t lent_items() const { return lent_.count; }
  size_t budget() const { return budget_; }

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

  void TakeInto(List& list, std::vector<Item>& out);
  void Evict(size_t bytes, absl::FunctionRef<void(const Item&)> evicted);

  const size_t budget_;
  uint64_t next_sequence_ = 1;
  List tried_;  // by age
  List fresh_;
  List held_;
  Tally lent_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_OUTBOX_H_
