// How spans that tracers send are tied to invocations: asked of each span of a request, in its order, once
// the whole request is known to be readable.
//
//   class Invocations : public InvocationLinks { ... };
//   TraceProcessor processor(options, clock, &invocations);
//
// The processor calls these on its thread, for each span in the order they are listed here.

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
// The resource of a span that a tracer sends in place of an invocation's, which is made here.
inline constexpr std::string_view kPlaceholderResource = "dd-tracer-serverless-span";

class InvocationLinks {
 public:
  virtual ~InvocationLinks() = default;

  // A span named kLoadSpanName. Its trace is that of the cold start, whose span becomes its parent: returns
  // that span's id, or 0 if there is none, and it keeps the parent it has.
  virtual uint64_t OnLoadSpan(uint64_t trace_id, uint64_t span_id) = 0;

  // A span whose resource is kPlaceholderResource; it is not sent on. `meta_struct`: its entries as fields of
  // the intake's Span. `client_computed_stats`: what its tracer says of all its spans.
  virtual void OnPlaceholder(const SpanView& span, std::string_view meta_struct,
                             bool client_computed_stats) = 0;

  // The id of the parent that the span of this trace shall have whose parent is `parent_id`, which may be it.
  // An invocation that doesn't know its trace yet may take it from here.
  virtual uint64_t ParentOf(uint64_t trace_id, uint64_t parent_id) = 0;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_INVOCATION_LINKS_H_
