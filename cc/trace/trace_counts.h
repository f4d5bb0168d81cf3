// Counts of the spans and traces of one tracer's request, declared once.

#ifndef THAW_CC_TRACE_TRACE_COUNTS_H_
#define THAW_CC_TRACE_TRACE_COUNTS_H_

#include <cstdint>

#include "cc/base/declare_counts.h"

namespace thaw {

// X(name, what it counts)
#define THAW_TRACE_COUNTS(X)                                                                       \
  X(spans, "spans in the result")                                                                  \
  X(chunks, "traces in the result")                                                                \
  X(spans_left_out, "spans that could not be read: of another form, or a field of the wrong type") \
  X(spans_without_ids, "spans with no trace id or no span id, left out")                           \
  X(chunks_left_out, "traces that were no array")                                                  \
  X(empty_chunks, "traces without a span, left out")                                               \
  X(metrics_not_finite, "metrics that were NaN or infinite, left out")                             \
  X(values_left_out, "tags, metrics, links, events and their parts that meant nothing as such")    \
  X(strings_repaired, "strings that were not UTF-8, with U+FFFD for bad parts")

struct TraceCounts {
  THAW_DECLARE_COUNTS(THAW_TRACE_COUNTS)
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_COUNTS_H_
