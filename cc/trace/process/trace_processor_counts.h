// Counts of what a TraceProcessor has left out, declared once. One thread writes and reads.

#ifndef THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_COUNTS_H_
#define THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_COUNTS_H_

#include <cstdint>

#include "cc/base/declare_counts.h"

namespace thaw {

// X(name, what it counts)
#define THAW_TRACE_PROCESSOR_COUNTS(X)                                                              \
  X(duplicate_spans, "spans that came before, as a tracer resends them after a freeze")             \
  X(noise_spans, "spans of the function's dealings with Lambda and with its extension")             \
  X(filtered_chunks, "traces whose root the tag filters reject")                                    \
  X(unsampled_chunks, "traces whose priority says drop, where their stats are to be computed here") \
  X(error_chunks, "traces whose priority says drop, sent since a span has an error")                \
  X(texts_hidden, "queries and other texts that were replaced as a whole, since they would be too much work")

struct TraceProcessorCounts {
  THAW_DECLARE_COUNTS(THAW_TRACE_PROCESSOR_COUNTS)
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_COUNTS_H_
