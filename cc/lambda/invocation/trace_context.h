// Reads the trace context of an invocation from headers, in every style that tracers write, and writes it to
// the headers that answer a tracer.
//
//   PropagationOptions options{.styles = ParsePropagationStyles("datadog,tracecontext", unknown)};
//   if (std::optional<TraceContext> context = ExtractTraceContext(headers, options)) ...
//
// Ids that are too short, too long, zero or not numeric make no context; a bad priority, origin or tag is
// left out alone.
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
  uint64_t trace_id_high = 0;  // 0: the trace id has 64 bits
  uint64_t parent_id = 0;      // the caller's span; 0: unknown
  std::optional<int> sampling_priority;
  std::string origin;
  // `_dd.p.*`, which every part of the trace propagates; with kTraceIdHighTag if there is a high half. Also
  // `_dd.parent_id` and `_dd.propagation_error`.
  SpanTags tags;
  // Baggage as tags: `ot-baggage-` headers without that prefix, items of W3C baggage as BaggageTags() names
  // them. Filled only if PropagationOptions ask for it.
  SpanTags baggage;

  bool operator==(const TraceContext&) const = default;
};

// kBaggage makes no context by itself: it is read beside one.
enum class PropagationStyle { kDatadog, kTraceContext, kB3, kB3Multi, kBaggage };

struct PropagationOptions {
  // Styles in the order in which they are tried. Empty: nothing is extracted.
  std::vector<PropagationStyle> styles = {PropagationStyle::kDatadog, PropagationStyle::kTraceContext};
  // Only the first style that yields a context counts. Otherwise, if traceparent names the same trace, its
  // parent is used, which is nearer.
  bool extract_first = false;
  // `ot-baggage-*` headers become baggage.
  bool http_baggage = false;
  // Items of W3C baggage that become tags if kBaggage is one of the styles; "*": all.
  std::vector<std::string> baggage_tag_keys = {"user.id", "session.id", "account.id"};
};

// Parses a list of styles, separated by commas or spaces, in any case; `none` stands for no style. Unknown
// names are added to `unknown` and otherwise ignored.
std::vector<PropagationStyle> ParsePropagationStyles(std::string_view text,
                                                     std::vector<std::string>& unknown);

// Extracts the context of a carrier, whose names are compared without case.
std::optional<TraceContext> ExtractTraceContext(const HttpHeaders& carrier,
                                                const PropagationOptions& options);

// Returns whether a header of this name, in any case, may be part of a trace context.
bool IsTraceContextHeader(std::string_view name);

// Reads X-Ray's "Root=1-…;Parent=…;Sampled=…", in any order: the low 64 bits of its root are the trace id.
// Sampled=1 is priority 1, whichever program wrote it. Sampled=0 is priority 0 only if a Datadog tracer wrote
// the header, which the zeros before its id of 64 bits show; elsewhere X-Ray has decided for X-Ray alone. All
// other values leave the priority open.
std::optional<TraceContext> ContextOfXrayHeader(std::string_view header);

// Returns the `_dd.p.*` tags of an x-datadog-tags header, or `_dd.propagation_error` with what is wrong with
// it.
SpanTags ParsePropagationTags(std::string_view header);

// Parses a decimal id as in x-datadog-trace-id; nullopt if it is invalid or 0.
std::optional<uint64_t> ParseDecimalId(std::string_view text);

// Parses a whole number as in x-datadog-sampling-priority; nullopt if it is invalid.
std::optional<int> ParseSamplingPriority(std::string_view text);

// Returns the headers that tell a tracer the context in reply to its start of an invocation.
HttpHeaders TraceContextReplyHeaders(const TraceContext& context);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRACE_CONTEXT_H_
