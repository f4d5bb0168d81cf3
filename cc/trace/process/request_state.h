// Holds what the passes over one request share: TraceIndexer notes its spans, TraceLinker settles the facts
// of each trace, TraceWriter writes the spans that are kept.
//
// `work` is what is left of the step, in the units of TraceWork::Step(). Each pass subtracts what it did, and
// stops when nothing is left.
//
// One thread.

#ifndef THAW_CC_TRACE_PROCESS_REQUEST_STATE_H_
#define THAW_CC_TRACE_PROCESS_REQUEST_STATE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/block_vector.h"
#include "cc/base/byte_account.h"
#include "cc/base/scratch_text.h"
#include "cc/clock/clock.h"
#include "cc/trace/process/fixed_tags.h"
#include "cc/trace/process/invocation_links.h"
#include "cc/trace/process/noise_filter.h"
#include "cc/trace/process/span_deduplicator.h"
#include "cc/trace/process/span_processor.h"
#include "cc/trace/process/trace_processor_counts.h"
#include "cc/trace/process/trace_processor_options.h"
#include "cc/trace/process/trace_work.h"
#include "cc/trace/process_fields.h"
#include "cc/trace/span_index.h"
#include "cc/trace/span_note.h"
#include "cc/trace/span_record.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_counts.h"
#include "cc/trace/trace_format.h"
#include "cc/trace/trace_reader.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

// State of a processor across its requests.
struct ProcessorState {
  ProcessorState(TraceProcessorOptions options, const Clock& clock, InvocationLinks* links);
  ProcessorState(const ProcessorState&) = delete;
  ProcessorState& operator=(const ProcessorState&) = delete;

  // Makes what follows from the function's tags anew.
  void EncodeFunctionTags();

  TraceProcessorOptions options;
  const Clock& clock;
  InvocationLinks* const links;  // null without invocations
  const NoiseFilter noise;
  std::optional<SpanProcessor> span_processor;  // always set; remade with each new tag
  std::string payload_tags;                     // tags of each TracerPayload, encoded
  SpanDeduplicator deduplicator;
  TraceProcessorCounts counts;
};

// Facts of one trace of a request.
struct NotedTrace {
  size_t begin = 0;  // index of its first note
  size_t end = 0;
  size_t root = 0;  // index of the root's note
  int32_t priority = 0;
  bool has_origin = false;  // a span of it has an origin
  bool has_noise = false;   // a span of it is left out
  bool has_error = false;   // a span of it has an error
  std::string_view origin;  // the root's origin
  ProcessTags tags;         // the first value of each among its spans
};

// Memory of one request, reused for the next.
struct RequestMemory {
  SpanRecord span;
  ScratchText scratch;
  SpanNotes notes;
  BlockVector<NotedTrace> traces;
  SpanIndex index;
  std::vector<SpanMeta> observed_meta;  // tags of the span shown to the observer

  // Forgets the request, and frees the memory that an unusually large one needed.
  void Clear();
};

struct RequestState {
  RequestState(ProcessorState& processor, RequestMemory& memory, std::string_view body, TraceFormat format,
               TracerHeaders&& headers, const TraceLimits& limits, SpanObserver* observer);
  RequestState(const RequestState&) = delete;
  RequestState& operator=(const RequestState&) = delete;

  // Takes the tags that every span gets; the function may get another tag between two steps.
  void TakeFixedTags();
  // Returns a tag's value such that it lives as long as the request's processing.
  std::string_view Kept(MetaTag tag, std::string_view value) {
    return span.converted.taken() == 0 || tag > MetaTag::kOrigin ? value : reader.Keep(value);
  }
  // Returns the further work if text of the span that is being processed had to be repaired.
  int64_t RepairWork(const SpanNote& note) const {
    constexpr int64_t kRate = 32;
    return span.strings_repaired == 0 ? 0 : kRate * note.work();
  }

  ProcessorState& processor;
  RequestMemory& memory;
  SpanRecord& span;
  ScratchText& scratch;
  SpanNotes& notes;
  InvocationLinks* links;  // null: the spans are not tied to invocations

  const TraceLimits limits;
  ByteCharge charge;
  TracerHeaders headers;  // moved into the last payload
  TraceReader reader;
  const absl::Time now;
  SpanObserver* const observer;  // null: stats are not computed here, or there is no observer
  const FixedTags* fixed = nullptr;
  ProcessFields process;
  TraceCounts counts;
  std::string first_problem;
  size_t size_bound = 64;  // of the result, once the request is read
  int64_t work = 0;        // left in this step
};

// Returns the span as invocations and observers see it.
SpanView ViewOf(const SpanRecord& span);

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_REQUEST_STATE_H_
