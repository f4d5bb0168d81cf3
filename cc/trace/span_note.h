// Notes a few facts about each span of a request until all were read.
//
//   SpanNote note(span, position);
//   note.SetPriority(2);
//
// A plain value.

#ifndef THAW_CC_TRACE_SPAN_NOTE_H_
#define THAW_CC_TRACE_SPAN_NOTE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "cc/base/block_vector.h"
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
  bool has_error = false;
  bool is_snapshot = false;  // unfinished: the span will come again
  bool is_noise = false;
  bool is_placeholder = false;
  bool is_load = false;
  bool is_large = false;
  uint16_t kilobytes = 0;  // of the span when it is written, rounded down; at most 64 MB

  // The bytes of a service that decide whether two are the same: normalizing cuts it at 100 bytes, and no
  // byte of it depends on further ones. Longer texts would be compared again and again.
  static constexpr size_t kServiceBytes = 128;

  SpanNote() = default;
  // Notes the facts of `span`, which was read at `position`, except for its sampling priority.
  SpanNote(const SpanRecord& span, size_t position)
      : trace_id(span.trace_id),
        span_id(span.span_id),
        parent_id(span.parent_id),
        position(position),
        service(span.service.substr(0, kServiceBytes)),
        has_error(span.error != 0) {}

  void SetSize(size_t bytes) {
    kilobytes = static_cast<uint16_t>(std::min<size_t>(bytes >> 10, std::numeric_limits<uint16_t>::max()));
  }

  // Returns the work of the span's bytes, without obfuscation and replacement, in the units of
  // TraceWork::Step().
  int64_t work() const { return int64_t{kilobytes} << 10; }

  // Takes the priority from the metric's value, clamped to 32 bits.
  void SetPriority(double value) {
    constexpr double kLow = std::numeric_limits<int32_t>::min();
    constexpr double kHigh = std::numeric_limits<int32_t>::max();
    priority = static_cast<int32_t>(value < kLow ? kLow : value > kHigh ? kHigh : value);
    has_priority = true;
  }
};

// The notes of a request, which may be millions.
using SpanNotes = BlockVector<SpanNote>;

}  // namespace thaw

#endif  // THAW_CC_TRACE_SPAN_NOTE_H_
