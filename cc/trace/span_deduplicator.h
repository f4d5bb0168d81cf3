// Recognises spans that came before. A tracer whose connection to this process was frozen may send a request
// again that was taken in already.
//
//   if (!deduplicator.Insert(trace_id, span_id)) { /* it came before */ }
//
// Remembers the latest spans, as many as fit in its bytes; the oldest is forgotten first. Each operation
// takes constant time; all memory is allocated at once, at the first span.

#ifndef THAW_CC_TRACE_SPAN_DEDUPLICATOR_H_
#define THAW_CC_TRACE_SPAN_DEDUPLICATOR_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace thaw {

class SpanDeduplicator {
 public:
  // Room for 32,768 spans: a trace of 10,000 is recognised whole, with others between.
  static constexpr size_t kDefaultBytes = size_t{768} << 10;

  // `max_bytes`: too few for one span switch it off.
  explicit SpanDeduplicator(size_t max_bytes = kDefaultBytes);
  SpanDeduplicator(const SpanDeduplicator&) = delete;
  SpanDeduplicator& operator=(const SpanDeduplicator&) = delete;

  // False: this span came before and is remembered. True: it is remembered from now on.
  bool Insert(uint64_t trace_id, uint64_t span_id);

  // How many spans were ever inserted.
  uint64_t inserted() const { return inserted_; }
  // Forgets the spans inserted since inserted() was `mark`: they were not taken in after all. What they
  // pushed out stays forgotten.
  void Rewind(uint64_t mark);

  // How many spans it can remember.
  size_t capacity() const { return capacity_; }
  // Bytes it takes once there was a span.
  size_t memory() const { return capacity_ * kBytesPerSpan; }

 private:
  struct Span {
    uint64_t trace_id;
    uint64_t span_id;
    bool operator==(const Span&) const = default;
  };
  using Slot = uint32_t;  // a place in the ring, from 1; 0 is an empty slot

  // The hash table has twice as many slots as there are spans, so that searches are short.
  static constexpr size_t kSlotsPerSpan = 2;
  static constexpr size_t kBytesPerSpan = sizeof(Span) + kSlotsPerSpan * sizeof(Slot);

  void Allocate();
  size_t Home(const Span& span) const;
  // The slot that holds `span`, or the empty one where it belongs.
  size_t Search(const Span& span) const;
  void Erase(const Span& span);
  size_t Next(size_t slot) const { return (slot + 1) & (kSlotsPerSpan * capacity_ - 1); }
  Span& InRing(uint64_t number) { return ring_[number & (capacity_ - 1)]; }

  const size_t capacity_;  // a power of two, or 0
  uint64_t inserted_ = 0;
  size_t remembered_ = 0;
  std::unique_ptr<unsigned char[]> memory_;
  Span* ring_ = nullptr;  // by number of insertion
  Slot* slots_ = nullptr;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_SPAN_DEDUPLICATOR_H_
