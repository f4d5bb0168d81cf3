#include "cc/lambda/invocation/lifecycle_endpoints.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "boost/json/value.hpp"
#include "cc/base/protobuf_reader.h"
#include "cc/base/utf8.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/span_pointers.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_request_writer.h"

namespace thaw {
namespace {

namespace json = boost::json;

constexpr std::string_view kRequestIdHeader = "lambda-runtime-aws-request-id";
// Longest accepted request id; Lambda's have 36 characters.
constexpr size_t kMaxRequestId = 128;

std::string_view Header(const HttpHeaders& headers, std::string_view name) {
  return absl::StripAsciiWhitespace(FindHeader(headers, name).value_or(std::string_view()));
}

// Decodes an error's text, which tracers send in base64, or plain by mistake.
std::string ErrorText(std::string_view header) {
  std::string decoded;
  if (absl::Base64Unescape(header, &decoded) && IsValidUtf8(decoded)) return decoded;
  return std::string(header);
}

TracerEnd EndOf(const HttpHeaders& headers, const json::value& response) {
  TracerEnd end{.trace_id = ParseDecimalId(Header(headers, "x-datadog-trace-id")).value_or(0),
                .span_id = ParseDecimalId(Header(headers, "x-datadog-span-id")).value_or(0),
                .parent_id = ParseDecimalId(Header(headers, "x-datadog-parent-id")).value_or(0),
                .propagation_tags = ParsePropagationTags(Header(headers, "x-datadog-tags"))};
  end.sampling_priority = ParseSamplingPriority(Header(headers, "x-datadog-sampling-priority"));
  end.is_error = absl::EqualsIgnoreCase(Header(headers, "x-datadog-invocation-error"), "true");
  constexpr std::pair<std::string_view, std::string_view> kErrorHeaders[] = {
      {"x-datadog-invocation-error-msg", "error.msg"},
      {"x-datadog-invocation-error-type", "error.type"},
      {"x-datadog-invocation-error-stack", "error.stack"}};
  for (const auto& [header, tag] : kErrorHeaders) {
    const std::string_view text = Header(headers, header);
    if (text.empty()) continue;
    end.is_error = true;
    end.error_tags.emplace(tag, ErrorText(text));
  }
  const std::string code = ScalarAt(response, {"statusCode"});
  if (code.size() == 3 && std::all_of(code.begin(), code.end(), absl::ascii_isdigit))
    end.http_status_code = code;
  return end;
}

size_t MemoryOf(const SpanTags& tags) {
  size_t bytes = 0;
  for (const auto& [name, value] : tags) bytes += 96 + name.size() + value.size();
  return bytes;
}

size_t MemoryOf(const TraceContext& context) {
  return context.origin.size() + MemoryOf(context.tags) + MemoryOf(context.baggage);
}

// Returns about the bytes that the record holds outside itself.
size_t MemoryOf(const InvocationRecord& record) {
  size_t bytes = record.platform.error_type.size() + MemoryOf(record.payload_tags) +
                 MemoryOf(record.trigger.tags) + record.trigger.source_arn.size();
  bytes += record.span_pointers.size() * (sizeof(SpanPointer) + 48);
  if (record.upstream) bytes += MemoryOf(*record.upstream);
  for (const InferredSpan& span : record.trigger.spans)
    bytes += sizeof(span) + span.resource.size() + span.service.size() + MemoryOf(span.tags);
  if (record.end) bytes += MemoryOf(record.end->error_tags) + MemoryOf(record.end->propagation_tags);
  if (record.placeholder)
    bytes += MemoryOf(record.placeholder->tags) + MemoryOf(record.placeholder->meta_struct) +
             96 * record.placeholder->metrics.size();
  return bytes;
}

}  // namespace

InvocationLifecycle::InvocationLifecycle(LifecycleOptions options, Clock& clock, RandomId random,
                                         LifecycleSink& sink)
    : options_(std::move(options)),
      clock_(clock),
      random_(std::move(random)),
      sink_(sink),
      charge_(options_.account) {}

LifecycleReply InvocationLifecycle::Handle(const LifecycleRequest& request) {
  const auto is_method = [&request](std::string_view method) { return request.method == method; };
  std::string_view allowed = "POST";
  if (request.path == "/lambda/start-invocation") {
    if (is_method("POST")) return Start(request);
  } else if (request.path == "/lambda/end-invocation") {
    if (is_method("POST")) return End(request);
  } else if (request.path == "/lambda/hello") {
    allowed = "GET";
    if (is_method("GET")) {
      ++counts_.hellos;
      return {.headers = {{"Content-Type", "application/json"}}, .body = "{}"};
    }
  } else {
    ++counts_.refused;
    return {.status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "no such endpoint\n"};
  }
  ++counts_.refused;
  return {.status = 405,
          .headers = {{"Content-Type", "text/plain"}, {"Allow", std::string(allowed)}},
          .body = "method not allowed\n"};
}

LifecycleReply InvocationLifecycle::Start(const LifecycleRequest& request) {
  ++counts_.starts;
  tracer_calls_ = true;
  const json::value event = Body(request);
  Trigger trigger = DetectTrigger(event, options_.trigger);
  std::optional<TraceContext> context =
      ExtractInvocationContext(event, trigger, request.headers, options_.propagation);

  LifecycleReply reply{.headers = {{"Content-Type", "application/json"}}, .body = "{}"};
  if (context) {
    HttpHeaders of_context = TraceContextReplyHeaders(*context);
    std::move(of_context.begin(), of_context.end(), std::back_inserter(reply.headers));
  }

  Entry* entry = EntryOfCall(request, /*is_start=*/true);
  if (entry == nullptr) return reply;
  if (entry->started) {
    ++counts_.repeated;
    return reply;
  }
  entry->started = true;
  counts_.contexts += context.has_value();
  may_lack_trace_id_ |= !context.has_value();
  entry->record.upstream = std::move(context);
  entry->record.span_pointers = SpanPointersOfEvent(event);
  // The carriers were read, and would only take memory.
  trigger.carriers.clear();
  trigger.generated_context.reset();
  entry->record.trigger = std::move(trigger);
  counts_.values_left_out +=
      AddPayloadTags("function.request", event, options_.payload_tags, entry->record.payload_tags);
  if (!TryFinish(*entry, /*wait=*/true)) Updated(*entry);
  return reply;
}

LifecycleReply InvocationLifecycle::End(const LifecycleRequest& request) {
  ++counts_.ends;
  tracer_calls_ = true;
  const json::value response = Body(request);
  const LifecycleReply reply{.headers = {{"Content-Type", "application/json"}}, .body = "{}"};
  Entry* entry = EntryOfCall(request, /*is_start=*/false);
  if (entry == nullptr) return reply;
  if (entry->record.end) {
    ++counts_.repeated;
    return reply;
  }
  entry->record.end = EndOf(request.headers, response);
  if (entry->invoked || entry->started)
    entry->record.end->after = clock_.Now().monotonic - entry->arrived.monotonic;
  counts_.values_left_out +=
      AddPayloadTags("function.response", response, options_.payload_tags, entry->record.payload_tags);
  if (!TryFinish(*entry, /*wait=*/true)) Updated(*entry);
  return reply;
}

json::value InvocationLifecycle::Body(const LifecycleRequest& request) {
  if (request.body_over_limit || request.body.size() > kMaxLifecycleBody) {
    ++counts_.bodies_over_limit;
    return nullptr;
  }
  if (request.body.empty()) return nullptr;
  absl::StatusOr<EventJson> body = ParseEventJson(request.body);
  if (!body.ok()) {
    ++counts_.bodies_not_json;
    return nullptr;
  }
  counts_.values_left_out += body->values_left_out;
  return std::move(body->root);
}

InvocationLifecycle::Entry* InvocationLifecycle::EntryOfCall(const LifecycleRequest& request, bool is_start) {
  DropStale();
  const std::string_view id = Header(request.headers, kRequestIdHeader);
  if (id.size() > kMaxRequestId) {
    ++counts_.unpaired;
    return nullptr;
  }
  if (!id.empty()) {
    if (Entry* entry = Find(id)) return entry;
  } else {
    const auto not_started = [](const Entry& entry) { return entry.invoked && !entry.started; };
    const auto not_ended = [](const Entry& entry) { return entry.started && !entry.record.end; };
    Entry* entry = is_start ? LatestOf(not_started) : LatestOf(not_ended);
    if (entry == nullptr && !is_start) {
      const auto only_invoked = [](const Entry& each) { return each.invoked && !each.record.end; };
      entry = LatestOf(only_invoked);
    }
    if (entry != nullptr) return entry;
    if (options_.concurrent) {
      ++counts_.unpaired;
      return nullptr;
    }
  }
  ++counts_.waited;
  return &Add(id);
}

InvocationLifecycle::Entry* InvocationLifecycle::Find(std::string_view request_id) {
  const auto found = std::find_if(entries_.rbegin(), entries_.rend(),
                                  [&](const Entry& entry) { return entry.record.request_id == request_id; });
  return found == entries_.rend() ? nullptr : &*found;
}

InvocationLifecycle::Entry* InvocationLifecycle::LatestOf(bool (*wanted)(const Entry&)) {
  const auto found = std::find_if(entries_.rbegin(), entries_.rend(), wanted);
  if (found == entries_.rend()) return nullptr;
  if (options_.concurrent && std::find_if(std::next(found), entries_.rend(), wanted) != entries_.rend())
    return nullptr;
  return &*found;
}

InvocationLifecycle::Entry& InvocationLifecycle::Add(std::string_view request_id) {
  Entry& entry = entries_.emplace_back();
  entry.record.request_id = std::string(request_id);
  entry.arrived = clock_.Now();
  return entry;
}

void InvocationLifecycle::OnInvoke(std::string_view request_id, const Invoke& invoke) {
  DropStale();
  Entry* entry = Find(request_id);
  if (entry != nullptr && entry->invoked) {
    // Lambda retries failed invocations under the same id.
    if (!TryFinish(*entry, /*wait=*/false)) {
      ++counts_.given_up;
      Remove(*entry);
    }
    entry = nullptr;
  }
  if (entry == nullptr && !options_.concurrent) {
    const auto nameless = std::find_if(entries_.begin(), entries_.end(),
                                       [](const Entry& each) { return each.record.request_id.empty(); });
    if (nameless != entries_.end()) {
      entry = &*nameless;
      entry->record.request_id = std::string(request_id);
    }
  }
  if (entry == nullptr) entry = &Add(request_id);
  entry->invoked = true;
  entry->record.cold_start = invoke.cold_start;
  entry->record.proactive_initialization = invoke.proactive_initialization;
  Updated(*entry);
}

void InvocationLifecycle::OnEnd(std::string_view request_id, PlatformEnd end) {
  DropStale();
  Entry* entry = Find(request_id);
  if (entry == nullptr || !entry->invoked || entry->platform_ended) return;
  entry->platform_ended = true;
  entry->record.platform = std::move(end);
  if (!TryFinish(*entry, /*wait=*/true)) Updated(*entry);
}

void InvocationLifecycle::OnReport(std::string_view request_id) {
  if (Entry* entry = Find(request_id)) TryFinish(*entry, /*wait=*/false);
}

void InvocationLifecycle::FinishAll() {
  for (Entries::iterator next = entries_.begin(); next != entries_.end();) {
    Entry& entry = *next++;
    TryFinish(entry, /*wait=*/false);
  }
}

void InvocationLifecycle::FinishIdentified() {
  for (Entries::iterator next = entries_.begin(); next != entries_.end();) {
    Entry& entry = *next++;
    if (entry.record.placeholder && KnownTraceId(entry.record) != 0) TryFinish(entry, /*wait=*/false);
  }
}

void InvocationLifecycle::SendReady() {
  for (Entries::iterator next = entries_.begin(); next != entries_.end();) {
    Entry& entry = *next++;
    TryFinish(entry, /*wait=*/true);
  }
  KeepBounds();
  TrySendEnvironmentStart();
}

bool InvocationLifecycle::TryFinish(Entry& entry, bool wait) {
  InvocationRecord& record = entry.record;
  if (!entry.invoked || !entry.platform_ended) return false;
  const bool failed = record.platform.failed || record.platform.timed_out || record.platform.out_of_memory;
  const uint64_t known_id = KnownTraceId(record) != 0 ? KnownTraceId(record) : entry.seen_trace_id;
  if (wait && !failed && tracer_calls_) {
    // A handler's tracer calls usually arrive before the platform's end of it, but may be late, since the two
    // come by different ways.
    if (!entry.started && !options_.concurrent) return false;
    if (entry.started && (!record.end || known_id == 0)) return false;
  }
  ++counts_.finished;
  counts_.errors += IsError(record);
  // If an invocation failed before its tracer could call, only the extension can report it.
  if (entry.started || record.end || record.placeholder || (tracer_calls_ && failed)) {
    ++counts_.traces;
    counts_.trace_ids_made += known_id == 0;
    if (KnownTraceId(record) == 0 && known_id != 0) {
      if (!record.end) record.end.emplace();
      record.end->trace_id = known_id;
    }
    const std::vector<OwnedSpan> trace = MakeInvocationTrace(record, options_.span, random_);
    if (!options_.concurrent && !first_span_ && known_id != 0) {
      const OwnedSpan& span = trace.back();
      first_span_ = OwnedSpan{.service = span.service,
                              .resource = span.resource,
                              .type = span.type,
                              .trace_id = span.trace_id,
                              .parent_id = span.parent_id};
    }
    Send(trace, record.placeholder && record.placeholder->client_computed_stats);
  }
  sink_.InvocationFinished({.request_id = record.request_id,
                            .is_error = IsError(record),
                            .timed_out = record.platform.timed_out,
                            .out_of_memory = record.platform.out_of_memory});
  Remove(entry);
  TrySendEnvironmentStart();
  return true;
}

void InvocationLifecycle::Send(absl::Span<const OwnedSpan> trace, bool client_computed_stats) {
  sending_ = true;
  sink_.TakeTrace(EncodeTraceRequest(trace), client_computed_stats);
  sending_ = false;
}

void InvocationLifecycle::Remove(Entry& entry) {
  SetBytes(entry, 0);
  entries_.remove_if([&entry](const Entry& each) { return &each == &entry; });
}

void InvocationLifecycle::DropStale() {
  const ClockReading now = clock_.Now();
  for (Entries::iterator next = entries_.begin(); next != entries_.end();) {
    Entry& entry = *next++;
    if (entry.invoked || LargestAdvance(entry.arrived, now) <= options_.wait_for_invocation) continue;
    ++counts_.unpaired;
    Remove(entry);
  }
}

void InvocationLifecycle::Updated(Entry& entry) {
  SetBytes(entry, sizeof(Entry) + entry.record.request_id.size() + MemoryOf(entry.record));
  KeepBounds();
}

void InvocationLifecycle::SetBytes(Entry& entry, size_t bytes) {
  bytes_ = bytes_ - entry.bytes + bytes;
  entry.bytes = bytes;
  charge_.Set(bytes_);
}

void InvocationLifecycle::KeepBounds() {
  while (entries_.size() > options_.max_invocations || bytes_ > options_.max_bytes) {
    const auto ended = std::find_if(entries_.begin(), entries_.end(),
                                    [](const Entry& entry) { return entry.invoked && entry.platform_ended; });
    if (ended != entries_.end()) {
      ++counts_.sent_early;
      TryFinish(*ended, /*wait=*/false);
    } else {
      ++counts_.given_up;
      Remove(entries_.front());
    }
  }
}

void InvocationLifecycle::OnEnvironmentStart(bool is_restore, absl::Time start,
                                             std::optional<absl::Duration> duration) {
  if (options_.concurrent || start == sent_start_) return;
  if (environment_start_ && environment_start_->is_restore && !is_restore) return;
  if (start_span_sent_) {
    // A further start precedes an invocation that is still to come.
    first_span_.reset();
    start_span_id_ = 0;
    start_span_sent_ = false;
  }
  environment_start_ = EnvironmentStart{is_restore, start, duration.value_or(absl::ZeroDuration())};
  has_start_duration_ = duration.has_value();
  TrySendEnvironmentStart();
}

void InvocationLifecycle::TrySendEnvironmentStart() {
  if (!environment_start_ || !has_start_duration_ || !first_span_) return;
  if (start_span_id_ == 0) start_span_id_ = NewSpanId(random_);
  const OwnedSpan span = MakeEnvironmentStartSpan(*environment_start_, *first_span_, start_span_id_);
  ++counts_.environment_starts;
  sent_start_ = environment_start_->start;
  start_span_sent_ = true;
  environment_start_.reset();
  Send({&span, 1}, /*client_computed_stats=*/false);
}

uint64_t InvocationLifecycle::OnLoadSpan(uint64_t trace_id, uint64_t) {
  if (!environment_start_ || first_span_ || trace_id == 0) return 0;
  first_span_ = OwnedSpan{.service = InvocationService(options_.span),
                          .resource = InvocationResource(options_.span),
                          .type = "serverless",
                          .trace_id = trace_id};
  start_span_id_ = NewSpanId(random_);
  return start_span_id_;
}

void InvocationLifecycle::OnPlaceholder(const SpanView& span, std::string_view meta_struct,
                                        bool client_computed_stats) {
  PlaceholderSpan placeholder{.client_computed_stats = client_computed_stats,
                              .trace_id = span.trace_id,
                              .span_id = span.span_id,
                              .parent_id = span.parent_id,
                              .duration = absl::Nanoseconds(span.duration),
                              .is_error = span.error != 0};
  // The tracer leaves the span to the extension, even if its call at the start was lost.
  tracer_calls_ = true;
  std::string_view request_id;
  for (const SpanMeta& meta : span.meta) {
    if (meta.key == "request_id") request_id = meta.value;
    placeholder.tags.insert_or_assign(std::string(meta.key), std::string(meta.value));
  }
  const auto lacks_one = [](const Entry& each) { return each.invoked && !each.record.placeholder; };
  Entry* entry = request_id.empty() ? LatestOf(lacks_one) : Find(request_id);
  if (entry == nullptr) {
    ++counts_.placeholders_late;
    return;
  }
  for (const SpanMetric& metric : span.metrics)
    placeholder.metrics.insert_or_assign(std::string(metric.key), metric.value);
  ProtobufReader fields(meta_struct);
  while (fields.Next()) {
    std::string_view key, value;
    ProtobufReader field(fields.bytes());
    while (field.Next()) (field.field() == 1 ? key : value) = field.bytes();
    if (fields.field() == SpanField::kMetaStruct) placeholder.meta_struct.emplace(key, value);
  }
  ++counts_.placeholders;
  entry->record.placeholder = std::move(placeholder);
  // SendReady() keeps the bounds, since evicted entries would be sent and nothing can be processed now.
  SetBytes(*entry, sizeof(Entry) + entry->record.request_id.size() + MemoryOf(entry->record));
}

uint64_t InvocationLifecycle::ParentOf(uint64_t trace_id, uint64_t parent_id) {
  // If several invocations run at once, a span can't be attributed to one.
  if (!may_lack_trace_id_ || sending_ || options_.concurrent) return parent_id;
  const auto lacks = [](const Entry& entry) {
    return entry.started && entry.seen_trace_id == 0 && KnownTraceId(entry.record) == 0;
  };
  may_lack_trace_id_ = std::any_of(entries_.begin(), entries_.end(), lacks);
  if (Entry* entry = may_lack_trace_id_ ? LatestOf(lacks) : nullptr) entry->seen_trace_id = trace_id;
  return parent_id;
}

}  // namespace thaw
