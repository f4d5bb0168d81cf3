#include "cc/trace/span_index.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "cc/base/reserve.h"

namespace thaw {
namespace {

// The work of each comparison of Find() in a large trace, whose entries are in no near cache.
constexpr int64_t kCompareWork = 8;
// The work of each entry that is taken from a note, of each that is sorted within a small range, and of each that
// is put on its side of a range.
constexpr int64_t kTakeWork = 64;
constexpr int64_t kSortWork = 64;
constexpr int64_t kSplitWork = 16;

}  // namespace

absl::Status SpanIndex::Begin(const SpanNotes& notes, size_t begin, size_t end, ByteCharge* charge) {
  notes_ = &notes;
  begin_ = begin;
  end_ = end;
  find_work_ = spans() <= kSortedAtOnce ? 0 : kCompareWork * std::bit_width(spans());
  entries_.clear();
  ranges_.clear();
  differing_bits_ = 0;
  return spans() < kFew ? absl::OkStatus() : Reserve(entries_, spans(), charge);
}

bool SpanIndex::Build(int64_t& work) {
  if (spans() < kFew) return true;
  if (entries_.size() < spans()) {
    if (!TakeEntries(work)) return false;
    if (spans() <= kSortedAtOnce) {
      std::sort(entries_.begin(), entries_.end());
      work -= kSortWork * static_cast<int64_t>(spans());
      return true;
    }
    ranges_.push_back({0, spans(), std::bit_width(differing_bits_) - 1});
    left_ = 0;
    right_ = spans();
  }
  // Each range is split by one bit of the ids, the highest first, until it is small enough to be sorted at once.
  // So no range is split more than 64 times, whatever the ids are, and no further memory is needed.
  while (!ranges_.empty()) {
    const Range range = ranges_.back();
    if (range.end - range.begin <= kSortedAtOnce) {
      std::sort(entries_.begin() + static_cast<ptrdiff_t>(range.begin),
                entries_.begin() + static_cast<ptrdiff_t>(range.end));
      work -= kSortWork * static_cast<int64_t>(range.end - range.begin);
      ranges_.pop_back();
    } else {
      if (!Split(range, work)) return false;
      ranges_.pop_back();
      // Where no bit is left, all ids are the same.
      if (range.bit >= 0) {
        if (left_ < range.end) ranges_.push_back({left_, range.end, range.bit - 1});
        if (range.begin < left_) ranges_.push_back({range.begin, left_, range.bit - 1});
      }
    }
    if (ranges_.empty()) break;
    left_ = ranges_.back().begin;
    right_ = ranges_.back().end;
    if (work <= 0) return false;
  }
  return true;
}

bool SpanIndex::TakeEntries(int64_t& work) {
  const uint64_t first_id = (*notes_)[begin_].span_id;
  for (size_t i = begin_ + entries_.size(); i < end_ && work > 0; ++i, work -= kTakeWork) {
    const uint64_t id = (*notes_)[i].span_id;
    differing_bits_ |= id ^ first_id;
    entries_.push_back({id, i});
  }
  return entries_.size() == spans();
}

bool SpanIndex::Split(const Range& range, int64_t& work) {
  if (work <= 0) return false;
  const size_t visits = std::min(right_ - left_, static_cast<size_t>(work / kSplitWork) + 1);
  work -= kSplitWork * static_cast<int64_t>(visits);
  size_t left = left_;
  size_t right = right_;
  if (range.bit < 0) {
    // Among entries of one id, Find() looks at the last, which must be that of the last span.
    Entry& last = entries_[range.end - 1];
    for (const size_t end = left + visits; left < end; ++left)
      if (entries_[left].index > last.index) std::swap(entries_[left], last);
  } else {
    Entry* const entries = entries_.data();
    for (size_t i = 0; i < visits; ++i) {
      if ((entries[left].span_id >> range.bit & 1) == 0) {
        ++left;
      } else {
        std::swap(entries[left], entries[--right]);
      }
    }
  }
  left_ = left;
  right_ = right;
  return left_ == right_;
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
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), span_id,
                                      [](uint64_t id, const Entry& entry) { return id < entry.span_id; });
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
