// The spans that the extension makes of an invocation: `aws.lambda`, those of its senders, and the one of
// its cold start or restore.
//
//   InvocationRecord record{.request_id = id, .platform = {.start = start, .duration = duration}, ...};
//   const std::vector<OwnedSpan> trace = MakeInvocationTrace(record, options, new_id);
//   processor.Process(EncodeTraceRequest(trace), ...);  // as if a tracer had sent them
//
// They become a tracer's request, so that they go the way of all spans and get their function tags, filters,
// obfuscation and stats in the one place that gives them.

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
#include "cc/trace/owned_span.h"

namespace thaw {

// Gives a number evenly spread over all there are. Not called before an invocation has ended, so that clones
// of one snapshot don't share what it gives.
using RandomId = absl::AnyInvocable<uint64_t()>;

// An id from it: 63 bits, as every tracer can read, and not 0.
uint64_t NewSpanId(RandomId& random);

// How the platform says that an invocation went.
struct PlatformEnd {
  absl::Time start;
  std::optional<absl::Duration> duration;  // nothing: no record says it
  bool failed = false;                     // in any way
  bool timed_out = false;
  bool out_of_memory = false;
  std::string error_type;  // "Runtime.ExitError"; empty: not said
  // From INVOKE until SHUTDOWN ended it, at most until its deadline; nothing if it ended otherwise.
  std::optional<absl::Duration> until_shutdown;
};

// What a tracer says of the invocation that it saw end.
struct TracerEnd {
  uint64_t trace_id = 0;  // 0: not said; the same of the others
  uint64_t span_id = 0;
  uint64_t parent_id = 0;
  std::optional<int> sampling_priority;
  SpanTags propagation_tags;
  bool is_error = false;
  SpanTags error_tags;           // error.msg, error.type, error.stack
  std::string http_status_code;  // of the response; empty: it has none
  // From INVOKE until the tracer's call; nothing if the call came first.
  std::optional<absl::Duration> after;

  bool operator==(const TracerEnd&) const = default;
};

// The span that a tracer sends in place of `aws.lambda`, for what it knows of it. Its children have its ids,
// which the tracer's call at the end repeats; they count where that call never comes.
struct PlaceholderSpan {
  SpanTags tags;
  SpanMetrics metrics;
  SpanTags meta_struct;
  bool client_computed_stats = false;
  uint64_t trace_id = 0;  // 0: not said; the same of the others
  uint64_t span_id = 0;
  uint64_t parent_id = 0;
  absl::Duration duration;
  bool is_error = false;
};

// What is before the first invocation of an environment.
struct EnvironmentStart {
  bool is_restore = false;  // of a snapshot; otherwise a cold start
  absl::Time start;
  absl::Duration duration;
};

// All that is known of one invocation.
struct InvocationRecord {
  std::string request_id;
  PlatformEnd platform;
  bool cold_start = false;
  bool proactive_initialization = false;  // the environment had waited for it
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
  std::string runtime;  // "python3.12"; empty: not known
  bool aws_service_representation = true;
  bool app_sec = false;
};

// Whether an invocation failed, by anybody's account.
bool IsError(const InvocationRecord& record);

// The trace id that the upstream context, the tracer's end or its placeholder gave; 0: none did.
uint64_t KnownTraceId(const InvocationRecord& record);

// How long the invocation took: by the platform's records; without them from INVOKE until the tracer's end
// call, or as long as the placeholder, or until SHUTDOWN; zero if nothing tells.
absl::Duration DurationOf(const InvocationRecord& record);

// The senders' spans, outermost first, then `aws.lambda`. Ids that nobody gave are new.
std::vector<OwnedSpan> MakeInvocationTrace(const InvocationRecord& record,
                                           const InvocationSpanOptions& options, RandomId& random);

// The span of what preceded the invocation whose span is given, beside which it stands.
OwnedSpan MakeEnvironmentStartSpan(const EnvironmentStart& start, const OwnedSpan& invocation,
                                   uint64_t span_id);
// The service and resource of spans that are made of an invocation.
std::string InvocationService(const InvocationSpanOptions& options);
std::string InvocationResource(const InvocationSpanOptions& options);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_INVOCATION_SPAN_H_
