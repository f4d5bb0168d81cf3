// One tracer's request, encoded as the intake's protobuf.
//
//   THAW_ASSIGN_OR_RETURN(TracePayload payload, TracePayload::FromMsgpack(body, headers));
//
// FromMsgpack() transcodes without processing, in one pass over the bytes: it checks each string and copies
// it once, to its place in the result. The number of allocations does not depend on the number of spans.
// trace_processor.h changes traces on their way; trace_reader.h says what is accepted and what becomes of bad
// input.

#ifndef THAW_CC_TRACE_TRACE_PAYLOAD_H_
#define THAW_CC_TRACE_TRACE_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cc/base/protobuf_writer.h"
#include "cc/trace/trace_counts.h"
#include "cc/trace/trace_reader.h"
#include "cc/trace/tracer_headers.h"

namespace thaw {

class TracePayload {
 public:
  TracePayload() = default;
  // InvalidArgument names the byte, what was expected there and what was found.
  static absl::StatusOr<TracePayload> FromMsgpack(std::string_view body, TracerHeaders headers = {},
                                                  TraceFormat format = TraceFormat::kV04);

  const TracerHeaders& headers() const { return headers_; }
  const TraceCounts& counts() const { return counts_; }
  // Returns whether no span is left.
  bool empty() const { return counts_.spans == 0; }
  // Says what was wrong with the first item that was left out, and where; empty if nothing was left out.
  const std::string& first_problem() const { return first_problem_; }

  // A TracerPayload's fields except for its chunks: equal ones describe the same process.
  std::string_view process_fields() const { return process_fields_.bytes(); }
  // The chunks, each as a whole field.
  std::string_view chunk_fields() const { return chunk_fields_.bytes(); }
  // The size of the encoded TracerPayload, in bytes.
  size_t size() const { return process_fields_.size() + chunk_fields_.size(); }
  // The bytes of memory held.
  size_t memory() const {
    return sizeof(*this) + headers_.memory() + process_fields_.capacity() + chunk_fields_.capacity() +
           first_problem_.capacity();
  }

 private:
  friend class TraceTranscoder;
  friend class TraceWriter;

  TracerHeaders headers_;
  TraceCounts counts_;
  std::string first_problem_;
  ProtobufWriter process_fields_;
  ProtobufWriter chunk_fields_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_PAYLOAD_H_
