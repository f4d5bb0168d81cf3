#include "cc/lambda/invocation/invocation_span.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "cc/trace/process/invocation_links.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/trace_fields.h"

namespace thaw {
namespace {

constexpr std::string_view kOutOfMemoryType = "Runtime.OutOfMemory";

void Set(SpanTags& tags, std::string_view name, std::string_view value) {
  if (!value.empty()) tags.insert_or_assign(std::string(name), std::string(value));
}

void SetErrorTags(const InvocationRecord& record, SpanTags& tags) {
  if (record.end) tags.insert(record.end->error_tags.begin(), record.end->error_tags.end());
  if (record.platform.timed_out) {
    Set(tags, "error.type", "Timeout");
    Set(tags, "error.msg", "Datadog detected a Timeout");
  } else if (record.platform.out_of_memory) {
    Set(tags, "error.type", kOutOfMemoryType);
    Set(tags, "error.msg", "The function ran out of memory");
  } else if (record.platform.failed && !record.platform.error_type.empty()) {
    tags.emplace("error.type", record.platform.error_type);
  }
}

// Makes the invocation's span without its ids and its place in the trace.
OwnedSpan InvocationSpan(const InvocationRecord& record, const InvocationSpanOptions& options) {
  OwnedSpan span{.service = InvocationService(options),
                 .name = std::string(kInvocationSpanName),
                 .resource = InvocationResource(options),
                 .type = "serverless",
                 .start = record.platform.start,
                 .duration = std::max(DurationOf(record), absl::ZeroDuration()),
                 .is_error = IsError(record)};
  SpanTags& tags = span.tags;
  Set(tags, "span.kind", "server");
  Set(tags, "request_id", record.request_id);
  Set(tags, "cold_start", record.cold_start ? "true" : "false");
  if (record.proactive_initialization) Set(tags, "proactive_initialization", "true");
  Set(tags, "runtime", options.runtime);
  Set(tags, "function_trigger.event_source", record.trigger.source);
  Set(tags, "function_trigger.event_source_arn", record.trigger.source_arn);
  if (record.end) Set(tags, "http.status_code", record.end->http_status_code);
  SetErrorTags(record, tags);
  if (options.app_sec) span.metrics.emplace("_dd.appsec.enabled", 1);
  // Tags from the event and the tracer don't override those set here.
  tags.insert(record.trigger.tags.begin(), record.trigger.tags.end());
  tags.insert(record.payload_tags.begin(), record.payload_tags.end());
  if (record.upstream) tags.insert(record.upstream->baggage.begin(), record.upstream->baggage.end());
  if (record.placeholder) {
    tags.insert(record.placeholder->tags.begin(), record.placeholder->tags.end());
    span.metrics.insert(record.placeholder->metrics.begin(), record.placeholder->metrics.end());
    span.meta_struct = record.placeholder->meta_struct;
  }
  return span;
}

// Returns the tracer's end, completed from its placeholder: tracers drop the call at the end if a header
// can't carry an error's text.
TracerEnd EndOf(const InvocationRecord& record) {
  TracerEnd end = record.end.value_or(TracerEnd{});
  if (!record.placeholder) return end;
  const PlaceholderSpan& placeholder = *record.placeholder;
  if (end.span_id == 0) end.span_id = placeholder.span_id;
  if (end.trace_id == 0) end.trace_id = placeholder.trace_id;
  if (end.parent_id == 0) end.parent_id = placeholder.parent_id;
  if (const auto priority = placeholder.metrics.find(kSamplingPriorityMetric);
      !end.sampling_priority && priority != placeholder.metrics.end())
    end.sampling_priority = static_cast<int>(std::clamp(priority->second, -1e6, 1e6));
  for (const auto& [name, value] : placeholder.tags)
    if (absl::StartsWith(name, kPropagationTagPrefix)) end.propagation_tags.emplace(name, value);
  return end;
}

// Makes a sender's span up to `next`, the start of the span after it.
OwnedSpan SenderSpan(const InferredSpan& inferred, absl::Time next, absl::Time end) {
  OwnedSpan span{.service = inferred.service,
                 .name = inferred.name,
                 .resource = inferred.resource,
                 .type = inferred.type,
                 .start = inferred.start == absl::InfinitePast() ? next : inferred.start,
                 .tags = inferred.tags};
  span.duration = std::max((inferred.is_async ? next : end) - span.start, absl::ZeroDuration());
  Set(span.tags, "_inferred_span.tag_source", "self");
  Set(span.tags, "_inferred_span.synchronicity", inferred.is_async ? "async" : "sync");
  Set(span.tags, "span.kind", "server");
  return span;
}

// Returns whether the duration has extensions' time: that of a report without the span "responseLatency".
bool HasDurationOfReport(const Invocation& invocation) {
  if (invocation.runtime_done.has_value() || !invocation.report.has_value()) return false;
  const std::vector<TelemetrySpan>& spans = invocation.report->record.spans;
  return std::none_of(spans.begin(), spans.end(),
                      [](const TelemetrySpan& span) { return span.name == "responseLatency"; });
}

}  // namespace

uint64_t NewSpanId(RandomId& random) {
  const uint64_t id = random() & INT64_MAX;
  return id == 0 ? 1 : id;
}

PlatformEnd PlatformEndOf(const Invocation& invocation, absl::Time now) {
  const InvocationOutcome outcome = invocation.outcome();
  return {.start = invocation.start_time().value_or(now),
          .duration = invocation.duration(),
          .duration_of_report = HasDurationOfReport(invocation),
          .failed = outcome != InvocationOutcome::kSuccess && outcome != InvocationOutcome::kUnknown,
          .timed_out = outcome == InvocationOutcome::kTimeout,
          .out_of_memory = outcome == InvocationOutcome::kOutOfMemory,
          .error_type = std::string(invocation.error_type()),
          .until_shutdown = invocation.until_shutdown()};
}

bool IsError(const InvocationRecord& record) {
  return record.platform.failed || record.platform.timed_out || record.platform.out_of_memory ||
         (record.end && (record.end->is_error || absl::StartsWith(record.end->http_status_code, "5"))) ||
         (record.placeholder && record.placeholder->is_error);
}

uint64_t KnownTraceId(const InvocationRecord& record) {
  if (record.upstream) return record.upstream->trace_id;
  if (record.end && record.end->trace_id != 0) return record.end->trace_id;
  return record.placeholder ? record.placeholder->trace_id : 0;
}

absl::Duration DurationOf(const InvocationRecord& record) {
  const std::optional<absl::Duration> told = record.platform.duration;
  if (told && !record.platform.duration_of_report) return *told;
  // The report of a lost end tells how long the extension waited for it, too. The tracer's call came before.
  if (record.end && record.end->after) return std::min(*record.end->after, told.value_or(*record.end->after));
  if (told) return *told;
  if (record.placeholder && record.placeholder->duration > absl::ZeroDuration())
    return record.placeholder->duration;
  return record.platform.until_shutdown.value_or(absl::ZeroDuration());
}

std::vector<OwnedSpan> MakeInvocationTrace(const InvocationRecord& record,
                                           const InvocationSpanOptions& options, RandomId& random) {
  const TracerEnd end = EndOf(record);
  OwnedSpan invocation = InvocationSpan(record, options);
  invocation.trace_id = KnownTraceId(record);
  if (invocation.trace_id == 0) invocation.trace_id = NewSpanId(random);
  invocation.span_id = end.span_id != 0 ? end.span_id : NewSpanId(random);

  std::vector<OwnedSpan> trace;
  const std::vector<InferredSpan>& senders = record.trigger.spans;
  uint64_t parent = record.upstream ? record.upstream->parent_id : end.parent_id;
  for (size_t i = 0; i < senders.size(); ++i) {
    const bool is_last = i + 1 == senders.size();
    const absl::Time next =
        is_last || senders[i + 1].start == absl::InfinitePast() ? invocation.start : senders[i + 1].start;
    OwnedSpan span = SenderSpan(senders[i], next, invocation.start + invocation.duration);
    span.trace_id = invocation.trace_id;
    span.span_id = NewSpanId(random);
    span.parent_id = std::exchange(parent, span.span_id);
    Set(span.tags, "peer.service", is_last ? invocation.service : senders[i + 1].service);
    span.is_error = is_last && invocation.is_error;
    if (is_last && record.end) Set(span.tags, "http.status_code", record.end->http_status_code);
    trace.push_back(std::move(span));
  }
  invocation.parent_id = parent;
  // The tracer's decision at the end counts: the handler may have changed it.
  const std::optional<int> priority =
      end.sampling_priority || !record.upstream ? end.sampling_priority : record.upstream->sampling_priority;
  if (priority) invocation.metrics.insert_or_assign(kSamplingPriorityMetric, *priority);
  trace.push_back(std::move(invocation));

  // The first span carries the facts of the whole trace.
  OwnedSpan& root = trace.front();
  if (priority) root.metrics.insert_or_assign(kSamplingPriorityMetric, *priority);
  for (const auto& [name, value] : record.upstream ? record.upstream->tags : end.propagation_tags)
    Set(root.tags, name, value);
  if (record.upstream) Set(root.tags, kOriginTag, record.upstream->origin);
  if (!record.span_pointers.empty()) {
    std::string& links = root.tags["_dd.span_links"];
    links = SpanLinksWithPointers(links, record.span_pointers);
  }
  return trace;
}

OwnedSpan MakeEnvironmentStartSpan(const EnvironmentStart& start, const OwnedSpan& invocation,
                                   uint64_t span_id) {
  return {.service = invocation.service,
          .name = start.is_restore ? "aws.lambda.snapstart_restore" : "aws.lambda.cold_start",
          .resource = invocation.resource,
          .type = invocation.type,
          .trace_id = invocation.trace_id,
          .span_id = span_id,
          .parent_id = invocation.parent_id,
          .start = start.start,
          .duration = std::max(start.duration, absl::ZeroDuration())};
}

std::string InvocationService(const InvocationSpanOptions& options) {
  if (!options.service.empty()) return absl::AsciiStrToLower(options.service);
  if (options.aws_service_representation && !options.function_name.empty())
    return absl::AsciiStrToLower(options.function_name);
  return std::string(kInvocationSpanName);
}

std::string InvocationResource(const InvocationSpanOptions& options) {
  return options.function_name.empty() ? std::string(kInvocationSpanName) : options.function_name;
}

}  // namespace thaw
