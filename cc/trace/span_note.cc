#include "cc/trace/span_note.h"

#include <algorithm>

#include "cc/trace/trace_fields.h"

namespace thaw {

size_t SpanIndex::Root() {
  for (size_t i = spans_.size(); i-- > 0;)
    if (spans_[i].parent_id == 0) return i;
  for (size_t i = spans_.size(); i-- > 0;)
    if (Find(spans_[i].parent_id) == nullptr) return i;
  return spans_.size() - 1;
}

int32_t SpanIndex::Priority(size_t root) const {
  if (spans_[root].has_priority) return spans_[root].priority;
  for (const SpanNote& span : spans_)
    if (span.has_priority) return span.priority;
  return kNoPriority;
}

const SpanNote* SpanIndex::Find(uint64_t span_id) {
  if (spans_.size() < kFew) {
    for (size_t i = spans_.size(); i-- > 0;)
      if (spans_[i].span_id == span_id) return &spans_[i];
    return nullptr;
  }
  if (sorted_.empty()) {
    sorted_.reserve(spans_.size());
    for (size_t i = 0; i < spans_.size(); ++i) sorted_.push_back({spans_[i].span_id, i});
    std::sort(sorted_.begin(), sorted_.end());
  }
  const auto after = std::upper_bound(sorted_.begin(), sorted_.end(), Entry{span_id, SIZE_MAX});
  if (after == sorted_.begin() || (after - 1)->span_id != span_id) return nullptr;
  return &spans_[(after - 1)->index];
}

void SpanIndex::Trim() {
  spans_ = {};
  sorted_.clear();
  if (sorted_.capacity() > kKept) sorted_.shrink_to_fit();
}

}  // namespace thaw
