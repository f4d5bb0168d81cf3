// Makes the spans of an invocation: `aws.lambda`, those of its senders, and that of its cold start or
// restore.
//
//   InvocationRecord record{.request_id = id, .platform = {.start = start, .duration = duration}};
//   const std::vector<OwnedSpan> trace = MakeInvocationTrace(record, options, new_id);
//   // As if a tracer had sent them:
//   processor.Process(EncodeTraceRequest(trace), TraceFormat::kV04, headers);
//
// The spans become a tracer's request, so that they take the path of all spans and get function tags,
// filters, obfuscation and stats in one place.

#ifndef THAW_CC_LAMBDA_INVOCATION_INVOCATION_SPAN_H_
#define THAW_CC_LAMBDA_INVOCATION_INVOCATION_SPAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/lambda/invocation/span_pointers.h"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/lambda/invocation/trigger.h"
#include "cc/telemetry/invocation.h"
#include "cc/trace/owned_span.h"

namespace thaw {

// Returns a number evenly distributed over all. Not called before an invocation has ended, so that clones of
// one snapshot don't share numbers.
using RandomId = absl::AnyInvocable<uint64_t()>;

// Returns an id drawn from it: 63 bits, which every tracer can read, and not 0.
uint64_t NewSpanId(RandomId& random);

// The platform's account of how an invocation ended.
struct PlatformEnd {
  absl::Time start;
  std::optional<absl::Duration> duration;  // nullopt: no record tells it
  // The duration is that of the report, which has the time of extensions after the handler, too.
  bool duration_of_report = false;
  bool failed = false;  // for any reason
  bool timed_out = false;
  bool out_of_memory = false;
  std::string error_type;  // "Runtime.ExitError"; empty: unknown
  // The time from INVOKE until SHUTDOWN ended it, at most until its deadline; nullopt if it ended otherwise.
  std::optional<absl::Duration> until_shutdown;
};

// Returns the account that the invocation's events and records give; `now` replaces a start that none tells.
PlatformEnd PlatformEndOf(const Invocation& invocation, absl::Time now);

// A tracer's account of an invocation, from its call at the end.
struct TracerEnd {
  uint64_t trace_id = 0;  // 0: unknown; likewise the other ids
  uint64_t span_id = 0;
  uint64_t parent_id = 0;
  std::optional<int> sampling_priority;
  SpanTags propagation_tags;
  bool is_error = false;
  SpanTags error_tags;           // error.msg, error.type, error.stack
  std::string http_status_code;  // the response's; empty if it has none
  // The time from INVOKE until the tracer's call; nullopt if the call came first.
  std::optional<absl::Duration> after;

  bool operator==(const TracerEnd&) const = default;
};

// The span that a tracer sends in place of `aws.lambda`. Its ids are those that its children refer to; the
// tracer's call at the end repeats them, and the placeholder's ids count only if that call never comes.
struct PlaceholderSpan {
  SpanTags tags;
  SpanMetrics metrics;
  SpanTags meta_struct;
  bool client_computed_stats = false;
  uint64_t trace_id = 0;  // 0: unknown; likewise the other ids
  uint64_t span_id = 0;
  uint64_t parent_id = 0;
  absl::Duration duration;
  bool is_error = false;
};

// The start of an environment, before its first invocation.
struct EnvironmentStart {
  bool is_restore = false;  // restored from a snapshot; otherwise a cold start
  absl::Time start;
  absl::Duration duration;
};

// All known facts of one invocation.
struct InvocationRecord {
  std::string request_id;
  PlatformEnd platform;
  bool cold_start = false;
  bool proactive_initialization = false;  // the environment was ready long before it
  std::optional<TraceContext> upstream;
  Trigger trigger;
  SpanTags payload_tags;
  std::vector<SpanPointer> span_pointers;
  std::optional<TracerEnd> end;
  std::optional<PlaceholderSpan> placeholder;
};

struct InvocationSpanOptions {
  std::string function_name;
  std::string service;  // DD_SERVICE
  std::string runtime;  // "python3.12"; empty: unknown
  bool aws_service_representation = true;
  bool app_sec = false;
};

// Returns whether the platform, the tracer or its placeholder says that the invocation failed.
bool IsError(const InvocationRecord& record);

// Returns the trace id from the upstream context, the tracer's end or its placeholder; 0 if none has one.
uint64_t KnownTraceId(const InvocationRecord& record);

// Returns how long the invocation took: by the platform's records; without them from INVOKE until the
// tracer's end call, or as long as the placeholder, or until SHUTDOWN; zero if nothing tells.
absl::Duration DurationOf(const InvocationRecord& record);

// Returns the senders' spans, outermost first, then `aws.lambda`. Unknown ids are drawn from `random`.
std::vector<OwnedSpan> MakeInvocationTrace(const InvocationRecord& record,
                                           const InvocationSpanOptions& options, RandomId& random);

// Returns the span of the environment's start, a sibling of the given invocation's span.
OwnedSpan MakeEnvironmentStartSpan(const EnvironmentStart& start, const OwnedSpan& invocation,
                                   uint64_t span_id);
// Return the service and resource of spans made of an invocation.
std::string InvocationService(const InvocationSpanOptions& options);
std::string InvocationResource(const InvocationSpanOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_INVOCATION_SPAN_H_
