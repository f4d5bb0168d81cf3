// Limits the bytes that are kept undelivered or being worked on, over all pipelines of the process.
//
//   auto budget = std::make_shared<ByteBudget>(config.outbox_bytes);
//   Outbox traces(budget, on_evicted);
//   Outbox stats(budget, on_evicted);
//
// New data of any pipeline evicts data that was tried at least once, of any pipeline, oldest first. Data that
// may not be evicted fills the budget until there is no room; before that, requests that have stopped coming in
// give way.
//
// One thread.

#ifndef THAW_CC_FLUSH_BYTE_BUDGET_H_
#define THAW_CC_FLUSH_BYTE_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "cc/base/byte_account.h"

namespace thaw {

class ByteBudget : public ByteAccount {
 public:
  // A store that keeps bytes.
  class Holder {
   public:
    virtual ~Holder() = default;
    // The number, from NextSequence, of its oldest evictable data; nullopt if nothing may be evicted.
    virtual std::optional<uint64_t> OldestEvictable() const = 0;
    // Evicts that data, and gives its bytes back to the budget.
    virtual void EvictOldest() = 0;
  };

  explicit ByteBudget(size_t limit) : limit_(limit) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // A holder must be removed before it is destroyed.
  void AddHolder(Holder* holder) { holders_.push_back(holder); }
  void RemoveHolder(Holder* holder);

  // Sets a function that frees bytes of data that has stopped coming in, and returns whether there were any. It
  // is called while there is no room otherwise.
  void set_reclaim(absl::AnyInvocable<bool()> reclaim) { reclaim_ = std::move(reclaim); }

  // Makes room for `bytes` more. Returns ResourceExhausted, and evicts nothing, if that is impossible.
  absl::Status MakeRoom(size_t bytes);
  // Evicts as much as possible up to `bytes`, for data that was admitted before in another form.
  void Evict(size_t bytes);

  // Add and Remove count bytes that are kept. Evictable bytes are counted in addition.
  void Add(size_t bytes) { used_ += bytes; }
  void Remove(size_t bytes) { used_ -= bytes; }
  void AddEvictable(size_t bytes) { evictable_ += bytes; }
  void RemoveEvictable(size_t bytes) { evictable_ -= bytes; }

  // Numbers arrivals, so that the oldest of all holders is known.
  uint64_t NextSequence() { return ++sequence_; }

  // ByteAccount: bytes that are being worked on, counted beside those that are kept.
  absl::Status Take(size_t bytes) override;
  void TakeAnyway(size_t bytes) override { Add(bytes); }
  void GiveBack(size_t bytes) override { Remove(bytes); }

  size_t limit() const override { return limit_; }
  size_t used() const { return used_; }

 private:
  const size_t limit_;
  size_t used_ = 0;
  size_t evictable_ = 0;
  uint64_t sequence_ = 0;
  std::vector<Holder*> holders_;
  absl::AnyInvocable<bool()> reclaim_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_BYTE_BUDGET_H_
