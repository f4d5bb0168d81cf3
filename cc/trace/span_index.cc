#include "cc/trace/span_index.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "cc/base/reserve.h"

namespace thaw {
namespace {

// The work of one comparison of two entries in a large trace, which are in no near cache.
constexpr int64_t kCompareWork = 8;
// The work of each entry of a trace that is sorted at once.
constexpr int64_t kEntryWork = 64;

}  // namespace

absl::Status SpanIndex::Begin(const SpanNotes& notes, size_t begin, size_t end, ByteCharge* charge) {
  notes_ = &notes;
  begin_ = begin;
  end_ = end;
  heap_ = spans();
  find_work_ = spans() <= kSortedAtOnce ? 0 : kCompareWork * std::bit_width(spans());
  entries_.clear();
  return spans() < kFew ? absl::OkStatus() : Reserve(entries_, spans(), charge);
}

bool SpanIndex::Build(int64_t& work) {
  if (spans() < kFew) return true;
  if (spans() <= kSortedAtOnce) {
    for (size_t i = begin_; i < end_; ++i) entries_.push_back({(*notes_)[i].span_id, i});
    std::sort(entries_.begin(), entries_.end());
    work -= kEntryWork * static_cast<int64_t>(spans());
    return true;
  }
  // A heap sort can stop after each entry. The heap grows as entries come, and then gives them back in order.
  for (; entries_.size() < spans() && work > 0; work -= kEntryWork) {
    const size_t i = begin_ + entries_.size();
    entries_.push_back({(*notes_)[i].span_id, i});
    std::push_heap(entries_.begin(), entries_.end());
  }
  if (entries_.size() < spans()) return false;
  for (; heap_ > 1 && work > 0; work -= find_work_)
    std::pop_heap(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(heap_--));
  return heap_ <= 1;
}

const SpanNote* SpanIndex::Find(uint64_t span_id) const {
  if (spans() < kFew) {
    // Few spans mostly lie side by side.
    if (begin_ < end_ && begin_ / SpanNotes::kBlock == (end_ - 1) / SpanNotes::kBlock) {
      const SpanNote* const first = &(*notes_)[begin_];
      for (size_t i = spans(); i-- > 0;)
        if (first[i].span_id == span_id) return first + i;
      return nullptr;
    }
    for (size_t i = end_; i-- > begin_;)
      if ((*notes_)[i].span_id == span_id) return &(*notes_)[i];
    return nullptr;
  }
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), Entry{span_id, SIZE_MAX});
  if (after == entries_.begin() || (after - 1)->span_id != span_id) return nullptr;
  return &(*notes_)[(after - 1)->index];
}

void SpanIndex::Trim() {
  notes_ = nullptr;
  begin_ = end_ = 0;
  entries_.clear();
  if (entries_.capacity() > kKept) entries_.shrink_to_fit();
}

}  // namespace thaw
