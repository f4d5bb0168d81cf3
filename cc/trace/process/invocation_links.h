// Ties the spans that tracers send to invocations.
//
//   Invocations invocations;   // a class that is derived from InvocationLinks
//   TraceProcessor processor(std::move(options), clock, &invocations);
//
// The processor calls these functions on its own thread for each span of a request, in the spans' order and
// in the order of their declaration, once the whole request is known to be readable.

#ifndef THAW_CC_TRACE_PROCESS_INVOCATION_LINKS_H_
#define THAW_CC_TRACE_PROCESS_INVOCATION_LINKS_H_

#include <cstdint>
#include <string_view>

#include "cc/trace/span_view.h"

namespace thaw {

// The name of the span in which the Python and Node libraries load the function's module.
inline constexpr std::string_view kLoadSpanName = "aws.lambda.load";
// The name of the span of an invocation.
inline constexpr std::string_view kInvocationSpanName = "aws.lambda";
// The resource of a span that a tracer sends in place of the invocation's span, which the extension makes.
inline constexpr std::string_view kPlaceholderResource = "dd-tracer-serverless-span";

class InvocationLinks {
 public:
  virtual ~InvocationLinks() = default;

  // Called for a span named kLoadSpanName, whose trace is that of the cold start. Returns the id of the
  // cold-start span, which becomes the span's parent; 0 if there is none, and the span keeps its parent.
  virtual uint64_t OnLoadSpan(uint64_t trace_id, uint64_t span_id) = 0;

  // Called for a span whose resource is kPlaceholderResource; it is not sent on. `meta_struct`: its entries,
  // encoded as fields of the intake's Span. `client_computed_stats`: whether its tracer computes stats
  // itself.
  virtual void OnPlaceholder(const SpanView& span, std::string_view meta_struct,
                             bool client_computed_stats) = 0;

  // Called for a span named kInvocationSpanName, which a tracer made of an invocation. The default does nothing.
  virtual void OnInvocationSpan(const SpanView& span) { static_cast<void>(span); }

  // Returns the id of the parent for a span of this trace whose tracer named `parent_id`; this may be
  // `parent_id` itself. An invocation that does not know its trace yet may learn it from this call.
  virtual uint64_t ParentOf(uint64_t trace_id, uint64_t parent_id) = 0;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_INVOCATION_LINKS_H_
