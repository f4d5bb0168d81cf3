// Which trace an invocation belongs to: read from headers, in every style that tracers write, and said in
// the headers that answer a tracer.
//
//   PropagationOptions options{.styles = ParsePropagationStyles("datadog,tracecontext", unknown)};
//   if (std::optional<TraceContext> context = ExtractTraceContext(headers, options)) ...
//
// Ids that are short, too long, zero or no numbers make no context; a bad priority, origin or tag is left
// out and the rest holds.
//
// Sources: the W3C's Trace Context (level 1), the Datadog tracers' propagation headers (x-datadog-*, and the
// `dd` member of tracestate), Zipkin's B3 headers, the AWS X-Ray developer guide (tracing header).

#ifndef THAW_CC_LAMBDA_INVOCATION_TRACE_CONTEXT_H_
#define THAW_CC_LAMBDA_INVOCATION_TRACE_CONTEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cc/net/http_message.h"
#include "cc/trace/owned_span.h"

namespace thaw {

// The tag that holds the high half of a trace id, in 16 hexadecimal digits.
inline constexpr std::string_view kTraceIdHighTag = "_dd.p.tid";

struct TraceContext {
  uint64_t trace_id = 0;       // the low half; never 0
  uint64_t trace_id_high = 0;  // 0: a trace id of 64 bits
  uint64_t parent_id = 0;      // the caller's span; 0: not known
  std::optional<int> sampling_priority;
  std::string origin;
  // `_dd.p.*`, which every part of the trace carries on; with kTraceIdHighTag if there is a high half.
  // Also `_dd.parent_id` and `_dd.propagation_error`.
  SpanTags tags;
  // As tags: `ot-baggage-` headers without that prefix, items of W3C baggage as BaggageTags() names them.
  // Only if PropagationOptions ask for them.
  SpanTags baggage;

  bool operator==(const TraceContext&) const = default;
};

// kBaggage is no context of its own: it is read beside one.
enum class PropagationStyle { kDatadog, kTraceContext, kB3, kB3Multi, kBaggage };

struct PropagationOptions {
  // Tried in this order. None: nothing is extracted.
  std::vector<PropagationStyle> styles = {PropagationStyle::kDatadog, PropagationStyle::kTraceContext};
  // Only the first style that yields a context counts. Otherwise, where traceparent is of the same trace,
  // its parent is taken, which is nearer.
  bool extract_first = false;
  // `ot-baggage-*` headers become baggage.
  bool http_baggage = false;
  // Items of W3C baggage that become tags where kBaggage is one of the styles; "*": all.
  std::vector<std::string> baggage_tag_keys = {"user.id", "session.id", "account.id"};
};

// The styles that a list with commas or spaces names, in any case; `none` is none of them. Names that mean
// nothing are added to `unknown` and change nothing.
std::vector<PropagationStyle> ParsePropagationStyles(std::string_view text,
                                                     std::vector<std::string>& unknown);

// Of a carrier, whose names compare without case.
std::optional<TraceContext> ExtractTraceContext(const HttpHeaders& carrier,
                                                const PropagationOptions& options);

// Whether a header of this name, in any case, may be part of a trace context.
bool IsTraceContextHeader(std::string_view name);

// Of X-Ray's "Root=1-…;Parent=…;Sampled=…", in any order: the low 64 bits of its root are the trace id.
// Sampled=1 is priority 1, whoever wrote it. Sampled=0 is priority 0 only where a Datadog tracer wrote the
// header, which is to be seen by the zeros before its id of 64 bits: elsewhere X-Ray has decided for X-Ray
// alone. All else says nothing of the priority.
std::optional<TraceContext> ContextOfXrayHeader(std::string_view header);

// The `_dd.p.*` tags of an x-datadog-tags header, or `_dd.propagation_error` and what is wrong with it.
SpanTags ParsePropagationTags(std::string_view header);

// A decimal id as in x-datadog-trace-id; nothing if it is none, or 0.
std::optional<uint64_t> ParseDecimalId(std::string_view text);

// A whole number, as in x-datadog-sampling-priority; nothing if it is none.
std::optional<int> ParseSamplingPriority(std::string_view text);

// What the reply to a tracer's start of an invocation says of its context.
HttpHeaders TraceContextReplyHeaders(const TraceContext& context);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRACE_CONTEXT_H_
