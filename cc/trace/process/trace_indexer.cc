#include "cc/trace/process/trace_indexer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/trace/span_tags.h"

namespace thaw {
namespace {

// Bytes added to a span beside its tags and the fixed tags: metrics, tags, default names.
constexpr size_t kAddedBytes = 96;
constexpr size_t kMaxPlaceholderBytes = 256 << 10;

// Notes what the metrics of the span that was read say of it.
void NoteMetrics(const RequestState& request, SpanNote& note) {
  for (const SpanMetric& metric : request.span.metrics) {
    switch (MetricTagOf(metric.key)) {
      case MetricTag::kSamplingPriority:
        note.SetPriority(metric.value);
        break;
      case MetricTag::kTracerTopLevel:
        note.has_tracer_top_level = true;
        break;
      case MetricTag::kSnapshot:
        note.is_snapshot = true;
        break;
      default:
        break;
    }
  }
}

// Notes what the tags of the span that was read say of it and of its trace.
void NoteTags(RequestState& request, SpanNote& note, NotedTrace& trace) {
  KnownMeta known;
  for (const SpanMeta& entry : request.span.meta) {
    const MetaTag tag = MetaTagOf(entry.key);
    if (tag == MetaTag::kOther) continue;
    known[static_cast<int>(tag)] = entry.value;
    trace.has_origin |= tag == MetaTag::kOrigin;
    TakeProcessTag(tag, request.Kept(tag, entry.value), trace.tags);
  }
  note.is_noise = request.processor.noise.IsNoise(request.span, known);
  trace.has_noise |= note.is_noise;
}

}  // namespace

absl::StatusOr<bool> TraceIndexer::Index() {
  return request_.reader.ReadOn(request_.span, request_.counts, request_.first_problem, *this, request_.work);
}

absl::Status TraceIndexer::BeginRequest(size_t traces) {
  return traces == 0 ? absl::OkStatus() : request_.memory.traces.MakeRoom(traces, &request_.charge);
}

absl::Status TraceIndexer::BeginTrace(size_t spans) {
  BlockVector<NotedTrace>& traces = request_.memory.traces;
  // A trace of which nothing was kept makes room for the next.
  if (traces.empty() || traces.back().begin < traces.back().end) {
    if (!traces.has_room()) THAW_RETURN_IF_ERROR(traces.MakeRoom(1, &request_.charge));
    traces.push_back({});
  }
  traces.back() = {};
  traces.back().begin = traces.back().end = request_.notes.size();
  // The first growth is large, so that many small traces need few growths.
  constexpr size_t kFewest = 16;
  return request_.notes.MakeRoom(std::max(spans, kFewest), &request_.charge);
}

absl::Status TraceIndexer::OnSpan(size_t position) {
  const SpanRecord& span = request_.span;
  ProcessorState& processor = request_.processor;
  SpanNote note(span, position);
  if (span.converted.taken() > 0) note.service = request_.reader.Keep(note.service);
  const size_t bound = span.size_bound();
  note.is_large = bound >= kLargeAllocation;
  note.SetSize(bound);
  // A placeholder's content is kept with its invocation.
  note.is_placeholder = span.resource == kPlaceholderResource && bound <= kMaxPlaceholderBytes;
  note.has_ids = span.trace_id != 0 && span.span_id != 0;
  if (!note.has_ids && !note.is_placeholder) {
    ++request_.counts.spans_without_ids;
    return absl::OkStatus();
  }
  processor.deduplicator.Prefetch(note.trace_id, note.span_id);
  note.is_load = span.name == kLoadSpanName;
  if (request_.links != nullptr && span.name == kInvocationSpanName)
    request_.links->OnInvocationSpan(ViewOf(span));
  NotedTrace& trace = request_.memory.traces.back();
  NoteMetrics(request_, note);
  NoteTags(request_, note, trace);
  if (!note.is_noise) request_.size_bound += bound + request_.fixed->encoded().size() + kAddedBytes;
  if (request_.size_bound > request_.limits.max_result_bytes)
    return absl::OutOfRangeError(absl::StrCat("at byte ", position, ": the request becomes more than ",
                                              request_.limits.max_result_bytes, " bytes"));
  if (!request_.notes.has_room()) [[unlikely]]
    THAW_RETURN_IF_ERROR(request_.notes.MakeRoom(1, &request_.charge));
  request_.notes.push_back(note);
  return absl::OkStatus();
}

absl::Status TraceIndexer::EndTrace() {
  NotedTrace& trace = request_.memory.traces.back();
  trace.end = request_.notes.size();
  if (trace.begin == trace.end) ++request_.counts.empty_chunks;
  return absl::OkStatus();
}

}  // namespace thaw
