// The bound of what is kept undelivered, and of what is being worked on, shared by all of the process.
//
//   auto budget = std::make_shared<ByteBudget>(config.outbox_bytes);
//   PipelineFlusher traces(..., {.bytes = budget});
//   PipelineFlusher stats(..., {.bytes = budget});
//
// Newer data of any pipeline evicts what was tried at least once, of any pipeline, oldest first. What may not
// go fills the budget until there is no room.
//
// One thread.

#ifndef THAW_CC_FLUSH_BYTE_BUDGET_H_
#define THAW_CC_FLUSH_BYTE_BUDGET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "cc/base/byte_account.h"

namespace thaw {

class ByteBudget : public ByteAccount {
 public:
  // One of those who keep bytes.
  class Holder {
   public:
    virtual ~Holder() = default;
    // The number, by NextSequence, of the oldest that may go; nothing: all must stay.
    virtual std::optional<uint64_t> OldestEvictable() const = 0;
    // Gives that up, telling the budget of it.
    virtual void EvictOldest() = 0;
  };

  explicit ByteBudget(size_t limit) : limit_(limit) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // `holder` must be removed before it is destroyed.
  void AddHolder(Holder* holder) { holders_.push_back(holder); }
  void RemoveHolder(Holder* holder);

  // Makes room for `bytes` more, if that is possible. ResourceExhausted: it isn't, and nothing was evicted.
  absl::Status MakeRoom(size_t bytes);
  // Makes what room can be made: for data that was admitted before in another form.
  void Evict(size_t bytes);

  // Bytes that are kept from now on, and no more. Those that may go count as evictable besides.
  void Add(size_t bytes) { used_ += bytes; }
  void Remove(size_t bytes) { used_ -= bytes; }
  void AddEvictable(size_t bytes) { evictable_ += bytes; }
  void RemoveEvictable(size_t bytes) { evictable_ -= bytes; }

  // Counts arrivals, so that the oldest of all holders is known.
  uint64_t NextSequence() { return ++sequence_; }

  // ByteAccount: what is worked on counts beside what is kept.
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
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_BYTE_BUDGET_H_
