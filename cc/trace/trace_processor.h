// What the extension does to traces on their way from a tracer to the intake.
//
//   TraceProcessor processor(options, clock, &invocations);
//   THAW_ASSIGN_OR_RETURN(TracePayload payload, processor.Process(body, TraceFormat::kV04, headers,
//   &concentrator));
//
// Two passes over the bytes. The first reads every span and notes a few facts of each, so that a request that
// is cut off is refused before anything came of it. The second reads each span that is kept, changes it and
// writes it. The number of allocations does not depend on how many spans there are, obfuscation and
// replacement apart; memory that one large request needed is given back after it.
//
// In this order: spans that came before are left out, spans are tied to invocations (invocation_links.h);
// each trace's root, sampling priority and top-level spans are found; the tag filters look at the root; noise
// is left out; then each span is normalised, given the function's tags, obfuscated, and its tags are replaced
// by the rules. A trace of which nothing is left makes no chunk. What is taken, and what becomes of bad
// input, says trace_reader.h.
//
// One thread only.

#ifndef THAW_CC_TRACE_TRACE_PROCESSOR_H_
#define THAW_CC_TRACE_TRACE_PROCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/base/scratch_text.h"
#include "cc/clock/clock.h"
#include "cc/trace/invocation_links.h"
#include "cc/trace/noise_filter.h"
#include "cc/trace/process_fields.h"
#include "cc/trace/span_deduplicator.h"
#include "cc/trace/span_note.h"
#include "cc/trace/span_processor.h"
#include "cc/trace/span_record.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_payload.h"
#include "cc/trace/trace_processor_counts.h"
#include "cc/trace/trace_processor_options.h"
#include "cc/trace/trace_reader.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

class TraceProcessor {
 public:
  // `links`: null if there are no invocations here. Both outlive the processor.
  TraceProcessor(TraceProcessorOptions options, const Clock& clock, InvocationLinks* links = nullptr);
  TraceProcessor(const TraceProcessor&) = delete;
  TraceProcessor& operator=(const TraceProcessor&) = delete;

  // `observer` sees each span whose stats are computed here, those of traces that are then dropped too; may
  // be null. InvalidArgument names the byte, what was expected there and what was found; nothing came of the
  // request then.
  absl::StatusOr<TracePayload> Process(std::string_view body, TraceFormat format, TracerHeaders headers,
                                       SpanObserver* observer = nullptr);

  // A tag of the function that became known after the start. Spans have it from the next request on.
  void SetFunctionTag(std::string_view name, std::string value);

  // Of all requests.
  const TraceProcessorCounts& counts() const { return counts_; }

  // The spans of the last request don't count as having come before: it was not taken in after all. Their
  // observer and their invocations know them nevertheless, so that to refuse a request before is better.
  void ForgetLast() { deduplicator_.Rewind(before_last_); }

 private:
  // A trace of the request.
  struct Trace {
    size_t begin = 0;  // its spans' notes
    size_t end = 0;
    size_t root = 0;  // index of its note
    int32_t priority = 0;
    bool has_origin = false;  // one of its spans has
    bool has_noise = false;   // one of its spans is left out
    std::string_view origin;  // its root's
    ProcessTags tags;         // the first of each that its spans have
  };
  // One call of Process().
  class Run;

  void EncodeFunctionTags();
  // Gives back what an unusual request needed.
  void Trim();

  TraceProcessorOptions options_;
  const Clock& clock_;
  InvocationLinks* const links_;
  const NoiseFilter noise_;
  std::optional<SpanProcessor> span_processor_;  // there from the beginning; made anew with each new tag
  std::string payload_tags_;                     // of each TracerPayload, encoded
  SpanDeduplicator deduplicator_;
  uint64_t before_last_ = 0;
  TraceProcessorCounts counts_;

  // Of one request; their memory serves the next.
  SpanRecord span_;
  ScratchText scratch_;
  std::vector<SpanNote> notes_;
  std::vector<Trace> traces_;
  SpanIndex index_;
  std::vector<SpanMeta> observed_meta_;  // of the span that is shown to the observer
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_PROCESSOR_H_
