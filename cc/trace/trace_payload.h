// One request of a tracer, made into the intake's protobuf while it is read.
//
//   THAW_ASSIGN_OR_RETURN(TracePayload payload, TracePayload::FromMsgpack(body, headers));
//
// One pass over the bytes: each string is checked and copied once, into its place in the result. The number
// of allocations does not depend on how many spans there are.
//
// A span that is no map, or has a field of the wrong type, is left out and counted; its neighbours stay.
// So is a trace that is no array. What is no array at all, is cut off or nested too deep, is refused whole.
//
// Source of the input: the tracers' /v0.4/traces format, an array of traces, each an array of span maps with
// the keys service, name, resource, trace_id, span_id, parent_id, start, duration, error, meta, metrics,
// type, meta_struct, span_links, span_events; all optional, nil is the zero value, other keys are ignored.

#ifndef THAW_CC_TRACE_TRACE_PAYLOAD_H_
#define THAW_CC_TRACE_TRACE_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cc/trace/protobuf_writer.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

// X(name, what it counts)
#define THAW_TRACE_COUNTS(X)                                                   \
  X(spans, "spans in the result")                                              \
  X(chunks, "traces in the result")                                            \
  X(spans_left_out, "spans that were no map or had a field of the wrong type") \
  X(chunks_left_out, "traces that were no array")                              \
  X(empty_chunks, "traces without a span, left out")                           \
  X(metrics_not_finite, "metrics that were NaN or infinite, left out")         \
  X(strings_repaired, "strings that were not UTF-8, with U+FFFD for bad parts")

struct TraceCounts {
#define THAW_DECLARE(name, text) int64_t name = 0;
  THAW_TRACE_COUNTS(THAW_DECLARE)
#undef THAW_DECLARE

  // Calls visit(name, value, text) for each, in the order of the list.
  template <typename Visitor>
  void Visit(Visitor&& visit) const {
#define THAW_VISIT(name, text) visit(#name, name, text);
    THAW_TRACE_COUNTS(THAW_VISIT)
#undef THAW_VISIT
  }
};

class TracePayload {
 public:
  // InvalidArgument names the byte, what was expected there and what was found.
  static absl::StatusOr<TracePayload> FromMsgpack(std::string_view body, TracerHeaders headers = {});

  const TracerHeaders& headers() const { return headers_; }
  const TraceCounts& counts() const { return counts_; }
  // No span is left.
  bool empty() const { return counts_.spans == 0; }
  // What was wrong with the first thing that was left out, and where; empty: nothing was.
  const std::string& first_problem() const { return first_problem_; }

  // A TracerPayload message's fields but for its chunks: equal ones describe the same process.
  std::string_view process_fields() const { return process_fields_.bytes(); }
  // Its chunks, each as a whole field.
  std::string_view chunk_fields() const { return chunk_fields_.bytes(); }
  // Bytes of the encoded TracerPayload.
  size_t size() const { return process_fields_.size() + chunk_fields_.size(); }
  // Bytes of memory held.
  size_t memory() const {
    return sizeof(*this) + process_fields_.capacity() + chunk_fields_.capacity() + first_problem_.capacity();
  }

 private:
  friend class TraceTranscoder;
  TracePayload() = default;

  TracerHeaders headers_;
  TraceCounts counts_;
  std::string first_problem_;
  ProtobufWriter process_fields_;
  ProtobufWriter chunk_fields_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_PAYLOAD_H_
