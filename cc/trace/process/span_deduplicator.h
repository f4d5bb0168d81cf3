// Recognises spans that came before. A tracer whose connection to this process was frozen may resend a
// request that was accepted already.
//
//   if (!deduplicator.Insert(trace_id, span_id)) { /* it came before */ }
//
// Remembers the latest spans, as many as fit in its bytes, but no more than kMaxSpans; the oldest is
// forgotten first. Each operation takes constant time; all memory is allocated at once, at the first span.

#ifndef THAW_CC_TRACE_PROCESS_SPAN_DEDUPLICATOR_H_
#define THAW_CC_TRACE_PROCESS_SPAN_DEDUPLICATOR_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace thaw {

class SpanDeduplicator {
 public:
  // Enough to recognise a whole trace of 10,000 spans, with others in between.
  static constexpr size_t kMaxSpans = size_t{1} << 15;
  // Room for kMaxSpans.
  static constexpr size_t kDefaultBytes = size_t{768} << 10;

  // `max_bytes`: less than one span needs switches the deduplicator off.
  explicit SpanDeduplicator(size_t max_bytes = kDefaultBytes);
  SpanDeduplicator(const SpanDeduplicator&) = delete;
  SpanDeduplicator& operator=(const SpanDeduplicator&) = delete;

  // Returns false if the span came before and is remembered; else remembers it and returns true.
  bool Insert(uint64_t trace_id, uint64_t span_id);

  // Loads the memory that a coming Insert() of this span will read. The remembered spans exceed a processor's
  // nearest caches, and most of an insertion is the wait for them.
  void Prefetch(uint64_t trace_id, uint64_t span_id) const {
    if (slots_ != nullptr) __builtin_prefetch(&slots_[Home({trace_id, span_id})], /*for writing*/ 1);
  }

  // Returns how many spans were ever inserted.
  uint64_t inserted() const { return inserted_; }
  // Forgets the spans inserted since inserted() was `mark`, because they were refused after all. The spans
  // that they evicted stay forgotten.
  void Rewind(uint64_t mark);

  // Returns how many spans it can remember.
  size_t capacity() const { return capacity_; }
  // Returns the bytes it takes once it has seen a span.
  size_t memory() const { return capacity_ * kBytesPerSpan; }

 private:
  struct Span {
    uint64_t trace_id;
    uint64_t span_id;
    bool operator==(const Span&) const = default;
  };
  // A span's home slot, above kPlaceBits, and its place in the ring, counted from 1; 0 is an empty slot. The
  // home tells most spans apart without a look at the ring, and says where a slot's content may move.
  using Slot = uint32_t;
  static constexpr int kPlaceBits = 16;

  // The hash table has twice as many slots as spans, so that searches are short.
  static constexpr size_t kSlotsPerSpan = 2;
  static constexpr size_t kBytesPerSpan = sizeof(Span) + kSlotsPerSpan * sizeof(Slot);

  static Slot Filled(size_t home, size_t place) {
    return static_cast<Slot>(home << kPlaceBits | (place + 1));
  }
  static size_t HomeOf(Slot slot) { return slot >> kPlaceBits; }
  static size_t PlaceOf(Slot slot) { return (slot & ((1u << kPlaceBits) - 1)) - 1; }

  void Allocate();
  size_t Home(const Span& span) const {
    // Ids are random or count upwards: the multiplications spread both over the high bits.
    uint64_t hash = (span.trace_id ^ std::rotl(span.span_id, 32)) * 0x9E3779B97F4A7C15;
    hash = (hash ^ hash >> 32 ^ span.span_id) * 0xD6E8FEB86659FD93;
    return (hash >> 32) & (kSlotsPerSpan * capacity_ - 1);
  }
  // Returns the slot that holds `span`, or the empty slot where it belongs.
  size_t Search(const Span& span, size_t home) const;
  // Erases the span that was inserted as the `number`th.
  void Erase(uint64_t number);
  size_t Next(size_t slot) const { return (slot + 1) & (kSlotsPerSpan * capacity_ - 1); }
  size_t Place(uint64_t number) const { return number & (capacity_ - 1); }

  const size_t capacity_;  // a power of two, or 0
  uint64_t inserted_ = 0;
  size_t remembered_ = 0;
  std::unique_ptr<unsigned char[]> memory_;
  Span* ring_ = nullptr;  // by number of insertion
  Slot* slots_ = nullptr;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_SPAN_DEDUPLICATOR_H_
