// Writes the extension's own spans as a tracer's request, so that they take the path of all spans.
//
//   OwnedSpan span{.service = "shop", .name = "web.request", .trace_id = 1, .span_id = 2};
//   processor.Process(EncodeTraceRequest({&span, 1}), TraceFormat::kV04, headers);

#ifndef THAW_CC_TRACE_TRACE_REQUEST_WRITER_H_
#define THAW_CC_TRACE_TRACE_REQUEST_WRITER_H_

#include <string>

#include "absl/types/span.h"
#include "cc/trace/owned_span.h"

namespace thaw {

// Encodes the body of a /v0.4/traces request with these spans as its only trace.
std::string EncodeTraceRequest(absl::Span<const OwnedSpan> trace);

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_REQUEST_WRITER_H_
