#include "cc/trace/process/trace_linker.h"

#include <string>
#include <string_view>

#include "cc/base/protobuf_reader.h"
#include "cc/base/status_macros.h"
#include "cc/base/utf8.h"
#include "cc/trace/process/normalize_span.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/trace_fields.h"

namespace thaw {
namespace {

// Work of each span in each loop, and of each trace.
constexpr int64_t kSpanWork = 128;
constexpr int64_t kTraceWork = 128;

// Returns the entries of meta_struct from a span's structures.
std::string MetaStructOf(const SpanRecord& span) {
  std::string fields;
  ProtobufReader reader(span.structures.bytes());
  while (reader.Next())
    if (reader.field() == SpanField::kMetaStruct) fields.append(reader.whole());
  return fields;
}

std::string_view NormalService(RequestState& request, std::string_view service) {
  if (!IsValidUtf8(service)) service = request.scratch.Take() = RepairUtf8(service);
  return NormalizeService(service, request.scratch.Take());
}

bool SameService(RequestState& request, std::string_view one, std::string_view other) {
  if (one == other) return true;
  const bool same = NormalService(request, one) == NormalService(request, other);
  request.scratch.Reset();
  return same;
}

bool IsTopLevel(RequestState& request, const SpanNote& note) {
  if (request.headers.client_computed_top_level) return note.has_tracer_top_level;
  if (note.parent_id == 0) return true;
  const SpanNote* const parent = request.memory.index.Find(note.parent_id);
  return parent == nullptr || !SameService(request, parent->service, note.service);
}

}  // namespace

absl::StatusOr<bool> TraceLinker::Link(NotedTrace& trace) {
  SpanIndex& index = request_.memory.index;
  if (phase_ == Phase::kBegin) BeginTrace(trace);
  if (phase_ == Phase::kSpans) {
    if (!KeepNewSpans(trace)) return false;
    trace.end = kept_;
    if (trace.begin == trace.end) {
      phase_ = Phase::kBegin;
      return true;
    }
    THAW_RETURN_IF_ERROR(index.Begin(request_.notes, trace.begin, trace.end, &request_.charge));
    phase_ = Phase::kIndex;
  }
  if (phase_ == Phase::kIndex) {
    // Without the index no span can be found, and none is looked for.
    const bool needed = !root_.has_value() || (any_parent_ && !request_.headers.client_computed_top_level);
    if (needed && !index.Build(request_.work)) return false;
    next_ = trace.end;
    phase_ = Phase::kRoot;
  }
  if (phase_ == Phase::kRoot) {
    if (!FindRoot(trace)) return false;
    trace.root = *root_;
    const SpanNote& root = request_.notes[trace.root];
    trace.priority = root.has_priority ? root.priority : first_priority_.value_or(kNoPriority);
    trace.has_error = any_error_;
    next_ = trace.begin;
    phase_ = Phase::kTopLevel;
  }
  if (!MarkTopLevel(trace)) return false;
  if (trace.has_origin || request_.process.Lacks(trace.tags)) TakeRootTags(trace);
  phase_ = Phase::kBegin;
  return true;
}

void TraceLinker::BeginTrace(const NotedTrace& trace) {
  // A trace without spans was counted where it was read.
  if (trace.begin == trace.end) request_.work -= kTraceWork;
  next_ = kept_ = trace.begin;
  root_.reset();
  first_priority_.reset();
  any_parent_ = false;
  any_error_ = false;
  phase_ = Phase::kSpans;
}

bool TraceLinker::KeepNewSpans(const NotedTrace& trace) {
  ProcessorState& processor = request_.processor;
  SpanNotes& notes = request_.notes;
  const bool any = trace.begin < trace.end;
  for (; next_ < trace.end && request_.work > 0; ++next_) {
    request_.work -= kSpanWork;
    SpanNote& note = notes[next_];
    // A later snapshot or the finished span repeats a snapshot's content. A placeholder has the ids of the
    // span that it stands for.
    if (note.has_ids && !note.is_snapshot && !note.is_placeholder &&
        !processor.deduplicator.Insert(note.trace_id, note.span_id)) {
      ++processor.counts.duplicate_spans;
      continue;
    }
    if (request_.links != nullptr) LinkToInvocation(note);
    note.parent_id = NormalizeParentId(note.trace_id, note.span_id, note.parent_id);
    if (note.parent_id == 0) {
      root_ = kept_;
    } else {
      any_parent_ = true;
    }
    any_error_ = any_error_ || note.has_error;
    if (note.has_priority && !first_priority_.has_value()) first_priority_ = note.priority;
    if (kept_ != next_) notes[kept_] = note;
    ++kept_;
  }
  if (next_ < trace.end) return false;
  if (any && kept_ == trace.begin) ++request_.counts.empty_chunks;
  return true;
}

void TraceLinker::LinkToInvocation(SpanNote& note) {
  InvocationLinks& links = *request_.links;
  if (note.is_load)
    if (const uint64_t parent = links.OnLoadSpan(note.trace_id, note.span_id); parent != 0)
      note.parent_id = parent;
  if (note.is_placeholder) {
    request_.work -= note.work();
    request_.reader.ReadAgain(note.position, request_.span);
    request_.span.RepairText(request_.scratch);
    request_.work -= request_.RepairWork(note);
    links.OnPlaceholder(ViewOf(request_.span), MetaStructOf(request_.span),
                        request_.headers.client_computed_stats);
    request_.scratch.Reset();
  }
  note.parent_id = links.ParentOf(note.trace_id, note.parent_id);
}

// The root is the last span without a parent, else the last whose parent is absent, else the last.
bool TraceLinker::FindRoot(const NotedTrace& trace) {
  const SpanIndex& index = request_.memory.index;
  for (; !root_.has_value() && next_ > trace.begin && request_.work > 0; --next_) {
    request_.work -= kSpanWork + index.find_work();
    if (index.Find(request_.notes[next_ - 1].parent_id) == nullptr) root_ = next_ - 1;
  }
  if (!root_.has_value() && next_ == trace.begin) root_ = trace.end - 1;
  return root_.has_value();
}

bool TraceLinker::MarkTopLevel(const NotedTrace& trace) {
  const int64_t work_of_span = kSpanWork + request_.memory.index.find_work();
  for (; next_ < trace.end && request_.work > 0; ++next_) {
    request_.work -= work_of_span;
    SpanNote& note = request_.notes[next_];
    note.top_level = IsTopLevel(request_, note);
  }
  return next_ == trace.end;
}

void TraceLinker::TakeRootTags(NotedTrace& trace) {
  const SpanNote& root = request_.notes[trace.root];
  request_.work -= root.work();
  request_.reader.ReadAgain(root.position, request_.span);
  ProcessTags root_tags;
  for (const SpanMeta& entry : request_.span.meta) {
    const MetaTag tag = MetaTagOf(entry.key);
    if (tag == MetaTag::kOther) continue;
    if (tag == MetaTag::kOrigin) trace.origin = request_.Kept(tag, entry.value);
    TakeProcessTag(tag, request_.Kept(tag, entry.value), root_tags);
  }
  request_.process.Add(root_tags, trace.tags);
}

}  // namespace thaw
