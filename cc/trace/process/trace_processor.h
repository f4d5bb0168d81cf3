// What the extension does to traces on their way from a tracer to the intake.
//
//   TraceProcessor processor(options, clock, &invocations);
//   THAW_ASSIGN_OR_RETURN(TracePayload payload, processor.Process(body, TraceFormat::kV04, headers,
//   &concentrator));
//
// Two passes over the bytes. The first reads every span and notes a few facts of each, so that a request that
// is cut off, or would become too much, is refused before anything came of it. The second reads each span
// that is kept, changes it and writes it. The number of allocations does not depend on how many spans there
// are, obfuscation and replacement apart; memory that one large request needed is given back after it.
//
// What a request becomes may be thousands of times its size: a few bytes name a long string of its table, and
// each span gets the function's tags. A large one is worked on in steps, and its result comes in parts:
//
//   std::unique_ptr<TraceWork> work = processor.Begin(body, format, headers, limits, &concentrator);
//   absl::StatusOr<TraceWork::State> state = work->Step(2 << 20);   // until kDone, or no status OK
//   if (state.ok() && *state == TraceWork::State::kPart) Take(work->TakePart());
//
// In this order: spans that came before are left out, spans are tied to invocations (invocation_links.h);
// each trace's root, sampling priority and top-level spans are found; the tag filters look at the root; noise
// is left out; then each span is normalised, given the function's tags, obfuscated, and its tags are replaced
// by the rules. A trace of which nothing is left makes no chunk. What is taken, and what becomes of bad
// input, says trace_reader.h.
//
// One thread only.

#ifndef THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_H_
#define THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/base/byte_account.h"
#include "cc/base/scratch_text.h"
#include "cc/clock/clock.h"
#include "cc/trace/process/invocation_links.h"
#include "cc/trace/process/noise_filter.h"
#include "cc/trace/process/span_deduplicator.h"
#include "cc/trace/process/span_processor.h"
#include "cc/trace/process/trace_processor_counts.h"
#include "cc/trace/process/trace_processor_options.h"
#include "cc/trace/process_fields.h"
#include "cc/trace/span_note.h"
#include "cc/trace/span_record.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_payload.h"
#include "cc/trace/trace_reader.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

// What one request may take.
struct TraceLimits {
  // What memory is charged to before it is asked for; null: nothing.
  ByteAccount* account = nullptr;
  // What the body is charged with.
  size_t body_bytes = 0;
  // What the request may become. A payload of it, unless one span alone is larger.
  size_t max_result_bytes = std::numeric_limits<size_t>::max();
  size_t max_part_bytes = std::numeric_limits<size_t>::max();
};

// A request that is worked on in steps. The body it is of must stay until it is gone; so must its processor,
// which may work on others meanwhile.
class TraceWork {
 public:
  enum class State {
    kMore,  // of the steps
    kPart,  // TakePart() has a payload, and there may be more
    kDone,  // TakePart() has the last payload, which may be empty
  };
  virtual ~TraceWork() = default;

  // Goes on for about as much work as it is to copy `bytes`. InvalidArgument: the request can't be read.
  // OutOfRange: what it would become is more than it may, or than its account could ever hold.
  // ResourceExhausted: there is no room for it now. It is over then.
  virtual absl::StatusOr<State> Step(int64_t bytes) = 0;
  virtual TracePayload TakePart() = 0;
  // Of all its payloads.
  virtual const TraceCounts& counts() const = 0;
  virtual const std::string& first_problem() const = 0;
  // What it took may be taken by others from now on; no step may follow.
  virtual void EndCharge() = 0;
  // Its spans don't count as having come before, as ForgetLast() says.
  virtual void Forget() = 0;
};

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

  // The same within `limits`, for a request that is little work: nothing if it is more than should be done at
  // once. Then nothing came of it, and Begin() is for it.
  absl::StatusOr<std::optional<TracePayload>> ProcessAtOnce(std::string_view body, TraceFormat format,
                                                            TracerHeaders headers, const TraceLimits& limits,
                                                            SpanObserver* observer = nullptr);
  std::unique_ptr<TraceWork> Begin(std::string_view body, TraceFormat format, TracerHeaders headers,
                                   const TraceLimits& limits, SpanObserver* observer = nullptr);

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
  // Memory of one request, which serves the next.
  struct Memory {
    SpanRecord span;
    ScratchText scratch;
    std::vector<SpanNote> notes;
    std::vector<Trace> traces;
    SpanIndex index;
    std::vector<SpanMeta> observed_meta;  // of the span that is shown to the observer

    // Gives back what an unusual request needed.
    void Trim();
  };
  // One request.
  class Run;
  class LongRun;

  void EncodeFunctionTags();
  absl::StatusOr<TracePayload> Finish(Run& run);

  TraceProcessorOptions options_;
  const Clock& clock_;
  InvocationLinks* const links_;
  const NoiseFilter noise_;
  std::optional<SpanProcessor> span_processor_;  // there from the beginning; made anew with each new tag
  std::string payload_tags_;                     // of each TracerPayload, encoded
  SpanDeduplicator deduplicator_;
  uint64_t before_last_ = 0;
  TraceProcessorCounts counts_;

  Memory memory_;  // of requests that are done at once
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_H_
