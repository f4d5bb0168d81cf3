// Processes traces on their way from a tracer to the intake.
//
//   TraceProcessor processor(std::move(options), clock, &invocations);
//   absl::StatusOr<TracePayload> payload = processor.Process(body, TraceFormat::kV04, headers, &observer);
//
// Processing makes two passes over the bytes. The first reads every span and notes a few facts of each, so
// that a request that is cut off, or would become too large, is refused before it had any effect. The second
// reads each kept span again, changes it and writes it. The number of allocations does not depend on the
// number of spans, obfuscation and replacement apart; memory that one large request needed is freed after it.
//
// The result of a request may be thousands of times its size: a few bytes name a long string of its table,
// and each span gets the function's tags. A large request is processed in steps, and its result comes in
// parts:
//
//   std::unique_ptr<TraceWork> work = processor.Begin(body, format, headers, limits, &concentrator);
//   absl::StatusOr<TraceWork::State> state = work->Step(2 << 20);   // until kDone or an error
//   if (state.ok() && *state == TraceWork::State::kPart) Use(work->TakePart());
//
// The order of the steps: leave out spans that came before; tie spans to invocations (invocation_links.h);
// find each trace's root, sampling priority and top-level spans; apply the tag filters to the root; leave out
// noise; then normalise each span, add the function's tags, obfuscate it, and apply the replacement rules to
// its tags. A trace of which nothing is left makes no chunk. trace_reader.h says what is accepted and what
// becomes of bad input.
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

// Bounds of one request.
struct TraceLimits {
  // The account that memory is charged to before it is allocated; null: none.
  ByteAccount* account = nullptr;
  // The charge of the body.
  size_t body_bytes = 0;
  // Largest result of the request, and largest payload of it, unless a single span is larger.
  size_t max_result_bytes = std::numeric_limits<size_t>::max();
  size_t max_part_bytes = std::numeric_limits<size_t>::max();
};

// A request that is processed in steps. Its body and its processor, which may process other requests
// meanwhile, must outlive it.
class TraceWork {
 public:
  enum class State {
    kMore,  // steps follow
    kPart,  // TakePart() returns a payload, and more may follow
    kDone,  // TakePart() returns the last payload, which may be empty
  };
  virtual ~TraceWork() = default;

  // Continues for about as much work as copying `bytes` takes. An error ends the work. InvalidArgument: the
  // request can't be read. OutOfRange: its result would be larger than allowed, or than the account could
  // ever hold. ResourceExhausted: there is no room at present.
  virtual absl::StatusOr<State> Step(int64_t bytes) = 0;
  virtual TracePayload TakePart() = 0;
  // Counts all its payloads.
  virtual const TraceCounts& counts() const = 0;
  virtual const std::string& first_problem() const = 0;
  // Releases its charge; no step may follow.
  virtual void EndCharge() = 0;
  // Makes the deduplicator forget its spans, as ForgetLast() does.
  virtual void Forget() = 0;
};

class TraceProcessor {
 public:
  // `links`: null without invocations. `clock` and `links` must outlive the processor.
  TraceProcessor(TraceProcessorOptions options, const Clock& clock, InvocationLinks* links = nullptr);
  TraceProcessor(const TraceProcessor&) = delete;
  TraceProcessor& operator=(const TraceProcessor&) = delete;

  // `observer` sees each span whose stats are computed here, even of traces that are then dropped; it may be
  // null. InvalidArgument names the byte, what was expected there and what was found; the request then had no
  // effect.
  absl::StatusOr<TracePayload> Process(std::string_view body, TraceFormat format, TracerHeaders headers,
                                       SpanObserver* observer = nullptr);

  // Processes the request within `limits` if it is little work. Returns nullopt, without any effect, if it is
  // too much to be done at once; Begin() then does it.
  absl::StatusOr<std::optional<TracePayload>> ProcessAtOnce(std::string_view body, TraceFormat format,
                                                            TracerHeaders headers, const TraceLimits& limits,
                                                            SpanObserver* observer = nullptr);
  std::unique_ptr<TraceWork> Begin(std::string_view body, TraceFormat format, TracerHeaders headers,
                                   const TraceLimits& limits, SpanObserver* observer = nullptr);

  // Sets a function tag that became known after the start. Spans have it from the next request on.
  void SetFunctionTag(std::string_view name, std::string value);

  // Counts all requests.
  const TraceProcessorCounts& counts() const { return counts_; }

  // Makes the deduplicator forget the spans of the last request, which was refused after all. The observer
  // and the invocations have seen them nevertheless, so it is better to refuse a request earlier.
  void ForgetLast() { deduplicator_.Rewind(before_last_); }

 private:
  // One trace of the request.
  struct Trace {
    size_t begin = 0;  // index of its first note
    size_t end = 0;
    size_t root = 0;  // index of the root's note
    int32_t priority = 0;
    bool has_origin = false;  // a span of it has an origin
    bool has_noise = false;   // a span of it is left out
    std::string_view origin;  // the root's origin
    ProcessTags tags;         // the first value of each among its spans
  };
  // Memory of one request, reused for the next.
  struct Memory {
    SpanRecord span;
    ScratchText scratch;
    std::vector<SpanNote> notes;
    std::vector<Trace> traces;
    SpanIndex index;
    std::vector<SpanMeta> observed_meta;  // tags of the span shown to the observer

    // Frees what an unusually large request needed.
    void Trim();
  };
  // The processing of one request.
  class Run;
  class LongRun;

  void EncodeFunctionTags();
  absl::StatusOr<TracePayload> Finish(Run& run);

  TraceProcessorOptions options_;
  const Clock& clock_;
  InvocationLinks* const links_;
  const NoiseFilter noise_;
  std::optional<SpanProcessor> span_processor_;  // always set; remade with each new tag
  std::string payload_tags_;                     // tags of each TracerPayload, encoded
  SpanDeduplicator deduplicator_;
  uint64_t before_last_ = 0;
  TraceProcessorCounts counts_;

  Memory memory_;  // serves requests that are done at once
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_H_
