#include "cc/trace/process/span_deduplicator.h"

#include <algorithm>

namespace thaw {

SpanDeduplicator::SpanDeduplicator(size_t max_bytes)
    : capacity_(std::min(std::bit_floor(max_bytes / kBytesPerSpan), kMaxSpans)) {
  static_assert(kMaxSpans < size_t{1} << kPlaceBits && kSlotsPerSpan * kMaxSpans <= size_t{1} << kPlaceBits);
}

void SpanDeduplicator::Allocate() {
  // The ring is not initialised: its pages become resident only as spans fill them.
  memory_ = std::make_unique_for_overwrite<unsigned char[]>(memory());
  ring_ = reinterpret_cast<Span*>(memory_.get());
  slots_ = reinterpret_cast<Slot*>(memory_.get() + capacity_ * sizeof(Span));
  std::fill_n(slots_, kSlotsPerSpan * capacity_, Slot{0});
}

size_t SpanDeduplicator::Search(const Span& span, size_t home) const {
  size_t slot = home;
  while (slots_[slot] != 0 && (HomeOf(slots_[slot]) != home || ring_[PlaceOf(slots_[slot])] != span))
    slot = Next(slot);
  return slot;
}

bool SpanDeduplicator::Insert(uint64_t trace_id, uint64_t span_id) {
  if (capacity_ == 0) return true;
  if (memory_ == nullptr) Allocate();
  const Span span{trace_id, span_id};
  const size_t home = Home(span);
  size_t slot = Search(span, home);
  if (slots_[slot] != 0) return false;
  if (remembered_ == capacity_) {
    Erase(inserted_);
    slot = Search(span, home);
    // The spans to be forgotten next lie side by side in the ring, but their slots are scattered.
    constexpr uint64_t kAhead = 4;
    const Span& soon = ring_[Place(inserted_ + kAhead)];
    Prefetch(soon.trace_id, soon.span_id);
  } else {
    ++remembered_;
  }
  const size_t place = Place(inserted_++);
  ring_[place] = span;
  slots_[slot] = Filled(home, place);
  return true;
}

void SpanDeduplicator::Rewind(uint64_t mark) {
  while (inserted_ > mark && remembered_ > 0) {
    --inserted_;
    --remembered_;
    Erase(inserted_);
  }
}

void SpanDeduplicator::Erase(uint64_t number) {
  const size_t place = Place(number);
  size_t gap = Home(ring_[place]);
  const Slot filled = Filled(gap, place);
  while (slots_[gap] != filled) gap = Next(gap);
  // Slots that follow without a gap move up, unless that would put them before their home.
  const size_t mask = kSlotsPerSpan * capacity_ - 1;
  for (size_t slot = Next(gap); slots_[slot] != 0; slot = Next(slot)) {
    if (((slot - HomeOf(slots_[slot])) & mask) < ((slot - gap) & mask)) continue;
    slots_[gap] = slots_[slot];
    gap = slot;
  }
  slots_[gap] = 0;
}

}  // namespace thaw
