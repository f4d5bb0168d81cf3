#include "cc/trace/span_deduplicator.h"

#include <algorithm>

namespace thaw {

// Places in the ring are 32 bits wide.
SpanDeduplicator::SpanDeduplicator(size_t max_bytes)
    : capacity_(std::min(std::bit_floor(max_bytes / kBytesPerSpan), size_t{1} << 30)) {}

void SpanDeduplicator::Allocate() {
  // The ring is left as it comes: its pages become resident only as spans do.
  memory_ = std::make_unique_for_overwrite<unsigned char[]>(memory());
  ring_ = reinterpret_cast<Span*>(memory_.get());
  slots_ = reinterpret_cast<Slot*>(memory_.get() + capacity_ * sizeof(Span));
  std::fill_n(slots_, kSlotsPerSpan * capacity_, Slot{0});
}

size_t SpanDeduplicator::Home(const Span& span) const {
  // Ids are random, or count upwards: multiplications spread either over the high bits.
  uint64_t hash = (span.trace_id ^ std::rotl(span.span_id, 32)) * 0x9E3779B97F4A7C15;
  hash = (hash ^ hash >> 32 ^ span.span_id) * 0xD6E8FEB86659FD93;
  return (hash >> 32) & (kSlotsPerSpan * capacity_ - 1);
}

size_t SpanDeduplicator::Search(const Span& span) const {
  size_t slot = Home(span);
  while (slots_[slot] != 0 && ring_[slots_[slot] - 1] != span) slot = Next(slot);
  return slot;
}

bool SpanDeduplicator::Insert(uint64_t trace_id, uint64_t span_id) {
  if (capacity_ == 0) return true;
  if (memory_ == nullptr) Allocate();
  const Span span{trace_id, span_id};
  size_t slot = Search(span);
  if (slots_[slot] != 0) return false;
  if (remembered_ == capacity_) {
    Erase(InRing(inserted_));
    slot = Search(span);
  } else {
    ++remembered_;
  }
  const size_t place = inserted_++ & (capacity_ - 1);
  ring_[place] = span;
  slots_[slot] = static_cast<Slot>(place + 1);
  return true;
}

void SpanDeduplicator::Rewind(uint64_t mark) {
  while (inserted_ > mark && remembered_ > 0) {
    Erase(InRing(inserted_ - 1));
    --inserted_;
    --remembered_;
  }
}

void SpanDeduplicator::Erase(const Span& span) {
  // What follows without a gap moves up, unless that would put it before its home.
  size_t gap = Search(span);
  const size_t mask = kSlotsPerSpan * capacity_ - 1;
  for (size_t slot = Next(gap); slots_[slot] != 0; slot = Next(slot)) {
    const size_t home = Home(ring_[slots_[slot] - 1]);
    if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
    slots_[gap] = slots_[slot];
    gap = slot;
  }
  slots_[gap] = 0;
}

}  // namespace thaw
