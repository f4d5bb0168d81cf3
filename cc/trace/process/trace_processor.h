// Processes traces on their way from a tracer to the intake.
//
//   TraceProcessor processor(std::move(options), clock, &invocations);
//   absl::StatusOr<TracePayload> payload = processor.Process(body, TraceFormat::kV04, headers, &observer);
//
// Processing makes two passes over the bytes. The first reads every span and notes a few facts of each
// (trace_indexer.h), so that a request that is cut off, or would become too large, is refused before it had
// any effect. Then the facts of each trace are settled (trace_linker.h). The second pass reads each kept span
// again, changes it and writes it (trace_writer.h). The number of allocations does not depend on the number
// of spans, obfuscation and replacement apart; memory that one large request needed is freed after it.
//
// The result of a request may be thousands of times its size: a few bytes name a long string of its table,
// and each span gets the function's tags. A large request is processed in steps, and its result comes in
// parts (trace_work.h).
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

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cc/clock/clock.h"
#include "cc/trace/process/invocation_links.h"
#include "cc/trace/process/request_state.h"
#include "cc/trace/process/trace_processor_counts.h"
#include "cc/trace/process/trace_processor_options.h"
#include "cc/trace/process/trace_work.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_format.h"
#include "cc/trace/trace_payload.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

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

  // Processes a v0.4 request with spans that the extension made of invocations: they are not tied to any.
  absl::StatusOr<TracePayload> ProcessOwn(std::string_view body, TracerHeaders headers,
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
  const TraceProcessorCounts& counts() const { return state_.counts; }

  // Makes the deduplicator forget the spans of the last request, which was refused after all. The observer
  // and the invocations have seen them nevertheless, so it is better to refuse a request earlier.
  void ForgetLast() { state_.deduplicator.Rewind(before_last_); }

 private:
  // The processing of one request.
  class Run;
  class LongRun;

  absl::StatusOr<TracePayload> ProcessToTheEnd(Run& run);

  ProcessorState state_;
  uint64_t before_last_ = 0;
  RequestMemory memory_;  // serves requests that are done at once
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_TRACE_PROCESSOR_H_
