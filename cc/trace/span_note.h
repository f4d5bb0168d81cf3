// Notes a few facts about each span of a trace until all were seen, and derives the trace's root and sampling
// priority from them.

#ifndef THAW_CC_TRACE_SPAN_NOTE_H_
#define THAW_CC_TRACE_SPAN_NOTE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/base/byte_account.h"
#include "cc/base/reserve.h"
#include "cc/trace/span_record.h"

namespace thaw {

struct SpanNote {
  uint64_t trace_id = 0;
  uint64_t span_id = 0;
  uint64_t parent_id = 0;
  size_t position = 0;       // position of the span in the request
  std::string_view service;  // the part of it that counts
  int32_t priority = 0;
  bool has_priority = false;
  bool has_tracer_top_level = false;  // the tracer says whether the span is top-level
  bool top_level = false;
  bool has_ids = false;
  bool is_snapshot = false;  // unfinished: the span will come again
  bool is_noise = false;
  bool is_placeholder = false;
  bool is_load = false;
  bool is_large = false;
  uint16_t kilobytes = 0;  // of the span when it is written, rounded down; at most 64 MB

  // The bytes of a service that decide whether two are the same: normalizing cuts it at 100 bytes, and no byte
  // of it depends on further ones. Longer texts would be compared again and again.
  static constexpr size_t kServiceBytes = 128;

  SpanNote() = default;
  // Notes the facts of `span`, which was read at `position`, except for its sampling priority.
  SpanNote(const SpanRecord& span, size_t position)
      : trace_id(span.trace_id),
        span_id(span.span_id),
        parent_id(span.parent_id),
        position(position),
        service(span.service.substr(0, kServiceBytes)) {}

  void SetSize(size_t bytes) {
    kilobytes = static_cast<uint16_t>(std::min<size_t>(bytes >> 10, std::numeric_limits<uint16_t>::max()));
  }

  // Takes the priority from the metric's value, clamped to 32 bits.
  void SetPriority(double value) {
    constexpr double kLow = std::numeric_limits<int32_t>::min();
    constexpr double kHigh = std::numeric_limits<int32_t>::max();
    priority = static_cast<int32_t>(value < kLow ? kLow : value > kHigh ? kHigh : value);
    has_priority = true;
  }
};

// Answers questions about one trace's spans, each in O(log n) or less after O(n log n) for the first. Its
// memory is reused for the next trace.
class SpanIndex {
 public:
  // `spans`: the notes of one trace, not empty; they must not move while questions are asked. Ids may change
  // only before the first question.
  void Begin(absl::Span<const SpanNote> spans) {
    spans_ = spans;
    sorted_.clear();
  }

  // Makes room for a trace of `spans` spans before it is begun.
  absl::Status ReserveFor(size_t spans, ByteCharge* charge) {
    return spans < kFew ? absl::OkStatus() : Reserve(sorted_, spans, charge);
  }

  // Returns the last span without a parent; else the last whose parent is absent; else the last.
  size_t Root();
  // Returns the root's priority, else that of the first span that has one, else kNoPriority.
  int32_t Priority(size_t root) const;
  // Returns the last span with this id; null if there is none.
  const SpanNote* Find(uint64_t span_id);

  // Frees memory that an unusually large trace needed.
  void Trim();

 private:
  // Below this number of spans a linear search is faster than sorting.
  static constexpr size_t kFew = 24;
  static constexpr size_t kKept = 4096;

  struct Entry {
    uint64_t span_id;
    size_t index;
    auto operator<=>(const Entry&) const = default;
  };

  absl::Span<const SpanNote> spans_;
  std::vector<Entry> sorted_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_SPAN_NOTE_H_
