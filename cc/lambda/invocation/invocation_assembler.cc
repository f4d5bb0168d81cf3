#include "cc/lambda/invocation/invocation_assembler.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "cc/base/protobuf_reader.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_request_writer.h"

namespace thaw {
namespace {

using Change = InvocationStore::Change;

// Longest accepted request id; Lambda's have 36 characters.
constexpr size_t kMaxRequestId = 128;

bool Failed(const PlatformEnd& end) { return end.failed || end.timed_out || end.out_of_memory; }

PlaceholderSpan PlaceholderOf(const SpanView& span, std::string_view meta_struct,
                              bool client_computed_stats) {
  PlaceholderSpan placeholder{.client_computed_stats = client_computed_stats,
                              .trace_id = span.trace_id,
                              .span_id = span.span_id,
                              .parent_id = span.parent_id,
                              .duration = absl::Nanoseconds(span.duration),
                              .is_error = span.error != 0};
  for (const SpanMeta& meta : span.meta)
    placeholder.tags.insert_or_assign(std::string(meta.key), std::string(meta.value));
  for (const SpanMetric& metric : span.metrics)
    placeholder.metrics.insert_or_assign(std::string(metric.key), metric.value);
  ProtobufReader fields(meta_struct);
  while (fields.Next()) {
    std::string_view key, value;
    ProtobufReader field(fields.bytes());
    while (field.Next()) (field.field() == 1 ? key : value) = field.bytes();
    if (fields.field() == SpanField::kMetaStruct) placeholder.meta_struct.emplace(key, value);
  }
  return placeholder;
}

}  // namespace

InvocationAssembler::InvocationAssembler(AssemblerOptions options, InvocationStore& store, Clock& clock,
                                         RandomId random)
    : options_(std::move(options)),
      store_(store),
      clock_(clock),
      random_(std::move(random)),
      own_traces_charge_(store.options().account) {
  store_.AddView(*this);
}

// -- A tracer's calls ------------------------------------------------------------------------------------

void InvocationAssembler::OnStartCall(std::string_view request_id,
                                      absl::FunctionRef<void(InvocationRecord&)> fill) {
  const Change change(store_);
  tracer_calls_ = true;
  Entry* const entry = EntryOfCall(request_id, /*is_start=*/true);
  if (entry == nullptr) return;
  TracerSide& side = *entry->tracer;
  if (std::exchange(side.started, true)) {
    ++counts_.repeated;
    return;
  }
  fill(side.record);
  const bool has_context = side.record.upstream.has_value();
  counts_.contexts += has_context;
  may_lack_trace_id_ |= !has_context;
  TryFinishOrUpdate(*entry);
}

void InvocationAssembler::OnEndCall(std::string_view request_id,
                                    absl::FunctionRef<void(InvocationRecord&)> fill) {
  const Change change(store_);
  tracer_calls_ = true;
  Entry* const entry = EntryOfCall(request_id, /*is_start=*/false);
  if (entry == nullptr) return;
  TracerSide& side = *entry->tracer;
  if (side.record.end) {
    ++counts_.repeated;
    return;
  }
  fill(side.record);
  if (side.invoked || side.started) side.record.end->after = clock_.Now().monotonic - side.arrived.monotonic;
  TryFinishOrUpdate(*entry);
}

InvocationAssembler::Entry* InvocationAssembler::EntryOfCall(std::string_view request_id, bool is_start) {
  DropStale();
  if (request_id.size() > kMaxRequestId) {
    ++counts_.unpaired;
    return nullptr;
  }
  if (!request_id.empty()) {
    if (Entry* const entry = Find(request_id)) return entry;
  } else {
    const auto not_started = [](const TracerSide& side) { return side.invoked && !side.started; };
    const auto not_ended = [](const TracerSide& side) { return side.started && !side.record.end; };
    Entry* entry = is_start ? LatestOf(not_started) : LatestOf(not_ended);
    if (entry == nullptr && !is_start)
      entry = LatestOf([](const TracerSide& side) { return side.invoked && !side.record.end; });
    if (entry != nullptr) return entry;
    if (options_.concurrent) {
      ++counts_.unpaired;
      return nullptr;
    }
  }
  ++counts_.waited;
  return &Begin(request_id);
}

InvocationAssembler::Entry* InvocationAssembler::Find(std::string_view request_id) {
  return store_.Latest(request_id, [](const Entry& entry) { return entry.tracer != nullptr; });
}

InvocationAssembler::Entry* InvocationAssembler::LatestOf(absl::FunctionRef<bool(const TracerSide&)> wanted) {
  Entry* latest = nullptr;
  InvocationStore::Entries& entries = store_.entries();
  for (auto position = entries.rbegin(); position != entries.rend(); ++position) {
    Entry& entry = position->second;
    if (entry.tracer == nullptr || !wanted(*entry.tracer)) continue;
    if (latest != nullptr) return nullptr;
    latest = &entry;
    if (!options_.concurrent) break;
  }
  return latest;
}

InvocationAssembler::Entry& InvocationAssembler::Begin(std::string_view request_id) {
  Entry* entry = store_.Oldest(request_id,
                               [](const Entry& each) { return each.tracer == nullptr && !each.tracer_done; });
  if (entry == nullptr) entry = &store_.Add(request_id);
  entry->tracer = std::make_unique<TracerSide>();
  entry->tracer->arrived = clock_.Now();
  return *entry;
}

// -- The platform ----------------------------------------------------------------------------------------

void InvocationAssembler::OnInvoke(std::string_view request_id, const Invoke& invoke) {
  const Change change(store_);
  DropStale();
  Entry* entry = Find(request_id);
  if (entry != nullptr && entry->tracer->invoked) {
    // Lambda retries failed invocations under the same id.
    if (!TryFinish(*entry, /*wait=*/false)) GiveUp(*entry);
    entry = nullptr;
  }
  if (entry == nullptr) {
    InvocationStore::Entries& entries = store_.entries();
    const auto nameless = std::find_if(entries.begin(), entries.end(), [](const auto& position) {
      const Entry& each = position.second;
      return each.request_id().empty() && each.tracer != nullptr && !each.tracer->invoked;
    });
    entry = &Begin(request_id);
    if (nameless != entries.end() && !options_.concurrent) {
      entry->tracer = std::move(nameless->second.tracer);
      store_.Update(nameless->second);
    }
  }
  TracerSide& side = *entry->tracer;
  side.invoked = true;
  side.record.cold_start = invoke.cold_start;
  side.record.proactive_initialization = invoke.proactive_initialization;
  store_.Update(*entry);
}

void InvocationAssembler::OnEnd(std::string_view request_id, PlatformEnd end) {
  const Change change(store_);
  DropStale();
  Entry* const entry = Find(request_id);
  if (entry == nullptr || !entry->tracer->invoked || entry->tracer->platform_ended) return;
  entry->tracer->platform_ended = true;
  entry->tracer->record.platform = std::move(end);
  TryFinishOrUpdate(*entry);
}

void InvocationAssembler::OnReport(std::string_view request_id) {
  const Change change(store_);
  if (Entry* const entry = Find(request_id)) TryFinish(*entry, /*wait=*/false);
}

void InvocationAssembler::OnEnvironmentStart(bool is_restore, absl::Time start,
                                             std::optional<absl::Duration> duration) {
  if (options_.concurrent) return;
  environment_start_.OnStart(is_restore, start, duration);
  TryMakeEnvironmentStart();
}

// -- The end ---------------------------------------------------------------------------------------------

void InvocationAssembler::TryFinishEach(bool wait) {
  const Change change(store_);
  for (auto next = store_.entries().begin(); next != store_.entries().end();)
    if (Entry& entry = (next++)->second; entry.tracer != nullptr) TryFinish(entry, wait);
}

void InvocationAssembler::FinishIdentified() {
  const Change change(store_);
  for (auto next = store_.entries().begin(); next != store_.entries().end();) {
    Entry& entry = (next++)->second;
    if (entry.tracer == nullptr) continue;
    const InvocationRecord& record = entry.tracer->record;
    if (record.placeholder && KnownTraceId(record) != 0) TryFinish(entry, /*wait=*/false);
  }
}

void InvocationAssembler::TryFinishOrUpdate(Entry& entry) {
  if (!TryFinish(entry, /*wait=*/true)) store_.Update(entry);
}

bool InvocationAssembler::TryFinish(Entry& entry, bool wait) {
  TracerSide& side = *entry.tracer;
  if (!side.invoked || !side.platform_ended) return false;
  const uint64_t known_id = KnownTraceId(side.record) != 0 ? KnownTraceId(side.record) : side.seen_trace_id;
  if (wait && !Failed(side.record.platform) && tracer_calls_) {
    // A handler's tracer calls usually arrive before the platform's end of it, but may be late, since the two
    // come by different ways.
    if (!side.started && !options_.concurrent) return false;
    if (side.started && (!side.record.end || known_id == 0)) return false;
  }
  side.record.request_id = entry.request_id();
  Finish(side);
  EndSide(entry);
  TryMakeEnvironmentStart();
  return true;
}

void InvocationAssembler::Finish(TracerSide& side) {
  InvocationRecord& record = side.record;
  ++counts_.finished;
  counts_.errors += IsError(record);
  // If an invocation failed before its tracer could call, only the extension can report it.
  if (!side.started && !record.end && !record.placeholder && !(tracer_calls_ && Failed(record.platform)))
    return;
  if (KnownTraceId(record) == 0 && side.seen_trace_id != 0) {
    if (!record.end) record.end.emplace();
    record.end->trace_id = side.seen_trace_id;
  }
  ++counts_.traces;
  const bool has_id = KnownTraceId(record) != 0;
  counts_.trace_ids_made += !has_id;
  const std::vector<OwnedSpan> trace = MakeInvocationTrace(record, options_.span, random_);
  if (!options_.concurrent && has_id) environment_start_.OnInvocationSpan(trace.back());
  Queue(trace, record.placeholder && record.placeholder->client_computed_stats);
}

void InvocationAssembler::GiveUp(Entry& entry) {
  ++counts_.given_up;
  EndSide(entry);
}

void InvocationAssembler::EndSide(Entry& entry) {
  entry.tracer.reset();
  entry.tracer_done = true;
  store_.Update(entry);
}

void InvocationAssembler::BeforeEviction(Entry& entry) {
  if (entry.tracer == nullptr) return;
  if (!entry.tracer->invoked || !entry.tracer->platform_ended) return GiveUp(entry);
  ++counts_.sent_early;
  TryFinish(entry, /*wait=*/false);
}

void InvocationAssembler::DropStale() {
  const ClockReading now = clock_.Now();
  for (auto next = store_.entries().begin(); next != store_.entries().end();) {
    Entry& entry = (next++)->second;
    if (entry.tracer == nullptr || entry.tracer->invoked) continue;
    if (LargestAdvance(entry.tracer->arrived, now) <= store_.options().wait_for_invocation) continue;
    ++counts_.unpaired;
    // The invocation may still come: the entry stays open to its tracer.
    entry.tracer.reset();
    store_.Update(entry);
  }
}

void InvocationAssembler::TryMakeEnvironmentStart() {
  const std::optional<OwnedSpan> span = environment_start_.Take(random_);
  if (!span) return;
  ++counts_.environment_starts;
  Queue({&*span, 1}, /*client_computed_stats=*/false);
}

void InvocationAssembler::Queue(absl::Span<const OwnedSpan> trace, bool client_computed_stats) {
  own_traces_.push_back({EncodeTraceRequest(trace), client_computed_stats});
  own_traces_charge_.Set(own_traces_charge_.bytes() + own_traces_.back().body.size());
}

std::vector<OwnTrace> InvocationAssembler::TakeOwnTraces() {
  if (std::exchange(trace_id_seen_, false)) TryFinishEach(/*wait=*/true);
  own_traces_charge_.Release();
  return std::exchange(own_traces_, {});
}

// -- A tracer's spans ------------------------------------------------------------------------------------

uint64_t InvocationAssembler::OnLoadSpan(uint64_t trace_id, uint64_t) {
  const uint64_t id = environment_start_.OnLoadSpan(trace_id, options_.span, random_);
  TryMakeEnvironmentStart();
  return id;
}

void InvocationAssembler::OnPlaceholder(const SpanView& span, std::string_view meta_struct,
                                        bool client_computed_stats) {
  const Change change(store_);
  // The tracer leaves the span to the extension, even if its call at the start was lost.
  tracer_calls_ = true;
  if (on_invocation_span_) on_invocation_span_(span);
  std::string_view request_id;
  for (const SpanMeta& meta : span.meta)
    if (meta.key == "request_id") request_id = meta.value;
  const auto lacks_one = [](const TracerSide& side) { return side.invoked && !side.record.placeholder; };
  Entry* const entry = request_id.empty() ? LatestOf(lacks_one) : Find(request_id);
  if (entry == nullptr) {
    ++counts_.placeholders_late;
    return;
  }
  ++counts_.placeholders;
  entry->tracer->record.placeholder = PlaceholderOf(span, meta_struct, client_computed_stats);
  TryFinishOrUpdate(*entry);
}

uint64_t InvocationAssembler::ParentOf(uint64_t trace_id, uint64_t parent_id) {
  // If several invocations run at once, a span can't be attributed to one.
  if (!may_lack_trace_id_ || options_.concurrent) return parent_id;
  const auto lacks = [](const TracerSide& side) {
    return side.started && side.seen_trace_id == 0 && KnownTraceId(side.record) == 0;
  };
  Entry* const entry = LatestOf(lacks);
  may_lack_trace_id_ = entry != nullptr;
  if (entry == nullptr) return parent_id;
  // The invocation's placeholder may be a later span of the same request.
  entry->tracer->seen_trace_id = trace_id;
  trace_id_seen_ = true;
  return parent_id;
}

size_t InvocationAssembler::unfinished() const {
  const InvocationStore::Entries& entries = store_.entries();
  return std::count_if(entries.begin(), entries.end(),
                       [](const auto& position) { return position.second.tracer != nullptr; });
}

}  // namespace thaw
