// One span between being read and being written: views of the request or of scratch memory.

#ifndef THAW_CC_TRACE_SPAN_RECORD_H_
#define THAW_CC_TRACE_SPAN_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cc/base/protobuf_writer.h"
#include "cc/base/scratch_text.h"
#include "cc/trace/span_view.h"

namespace thaw {

struct SpanFields {
  std::string_view service;
  std::string_view name;
  std::string_view resource;
  std::string_view type;
  uint64_t trace_id = 0;
  uint64_t span_id = 0;
  uint64_t parent_id = 0;
  int64_t start = 0;     // ns since 1970
  int64_t duration = 0;  // ns; not negative
  int32_t error = 0;
  // Counts from reading: metrics left out because they are NaN or infinite, tags and other parts left out
  // because they mean nothing as such, strings repaired to be UTF-8.
  int32_t metrics_not_finite = 0;
  int32_t values_left_out = 0;
  int32_t strings_repaired = 0;
};

// A span with its collections; its memory is reused for the next span.
struct SpanRecord : SpanFields {
  std::vector<SpanMeta> meta;
  std::vector<SpanMetric> metrics;
  // meta_struct, span links and span events as fields of the intake's Span.
  ProtobufWriter structures;
  // Text converted from values of other types while the span was read. Like `structures`, it is valid until
  // Clear().
  ScratchText converted;

  void Clear() {
    static_cast<SpanFields&>(*this) = {};
    meta.clear();
    metrics.clear();
    structures.Truncate(0);
    if (converted.taken() > 0) converted.Reset();
  }
  // Repairs all text that is not UTF-8, in `scratch`. Text in `structures` was repaired when it was read.
  void RepairText(ScratchText& scratch);
  // Returns an upper bound of the bytes that WriteSpan() writes.
  size_t size_bound() const;
};

// Writes `span` as a whole field of a TraceChunk. `more_meta`: further entries of `meta`, encoded already.
void WriteSpan(const SpanRecord& span, std::string_view more_meta, ProtobufWriter& out);

}  // namespace thaw

#endif  // THAW_CC_TRACE_SPAN_RECORD_H_
