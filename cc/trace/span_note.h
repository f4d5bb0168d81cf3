// What is remembered of each span of a trace until all of it was seen, and what follows from it: which is the
// root, how the trace is sampled.

#ifndef THAW_CC_TRACE_SPAN_NOTE_H_
#define THAW_CC_TRACE_SPAN_NOTE_H_

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
  size_t position = 0;  // of the span in the request
  std::string_view service;
  int32_t priority = 0;
  bool has_priority = false;
  bool has_tracer_top_level = false;  // its tracer says whether it is top-level
  bool top_level = false;
  bool has_ids = false;
  bool is_snapshot = false;  // of a span that will come again, with what it was until then
  bool is_noise = false;
  bool is_placeholder = false;
  bool is_load = false;
  bool is_large = false;

  SpanNote() = default;
  // What `span`, which was read at `position`, says. Its sampling priority is given apart.
  SpanNote(const SpanRecord& span, size_t position)
      : trace_id(span.trace_id),
        span_id(span.span_id),
        parent_id(span.parent_id),
        position(position),
        service(span.service) {}

  // From the metric's value: what is beyond 32 bits is as far as they go.
  void SetPriority(double value) {
    constexpr double kLow = std::numeric_limits<int32_t>::min();
    constexpr double kHigh = std::numeric_limits<int32_t>::max();
    priority = static_cast<int32_t>(value < kLow ? kLow : value > kHigh ? kHigh : value);
    has_priority = true;
  }
};

// Answers questions about one trace's spans, each in O(log n) or less, n log n before the first. Its memory
// serves trace after trace.
class SpanIndex {
 public:
  // `spans`: of one trace, not empty; must not move as long as questions are asked. Ids may change before the
  // first question only.
  void Begin(absl::Span<const SpanNote> spans) {
    spans_ = spans;
    sorted_.clear();
  }

  // Makes room for a trace of so many spans before it is begun.
  absl::Status ReserveFor(size_t spans, ByteCharge* charge) {
    return spans < kFew ? absl::OkStatus() : Reserve(sorted_, spans, charge);
  }

  // The last span without a parent; else the last whose parent is not here; else the last.
  size_t Root();
  // The root's priority, else that of the first span that has one, else kNoPriority.
  int32_t Priority(size_t root) const;
  // The last span with this id; null if there is none.
  const SpanNote* Find(uint64_t span_id);

  // Gives back memory that an unusual trace needed.
  void Trim();

 private:
  // Below this, to look at all is faster than to sort.
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
