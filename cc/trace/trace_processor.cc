#include "cc/trace/trace_processor.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "cc/base/status_macros.h"
#include "cc/base/utf8.h"
#include "cc/trace/fixed_tags.h"
#include "cc/trace/normalize_span.h"
#include "cc/trace/protobuf_reader.h"
#include "cc/trace/protobuf_writer.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/tag_filter.h"
#include "cc/trace/trace_fields.h"

namespace thaw {
namespace {

// As much of each kind of memory is kept from one request for the next.
constexpr size_t kKeptBytes = 64 << 10;

// A tracer's payload says once what function its spans are of.
std::string PayloadTags(const std::map<std::string, std::string>& function_tags) {
  if (function_tags.empty()) return "";
  ProtobufWriter out;
  out.StringEntry(TracerPayloadField::kTags, kFunctionTagsTag,
                  RepairUtf8(absl::StrJoin(function_tags, ",", absl::PairFormatter(":"))));
  return std::string(out.bytes());
}

SpanView ViewOf(const SpanRecord& span) {
  SpanView view;
  view.service = span.service;
  view.name = span.name;
  view.resource = span.resource;
  view.type = span.type;
  view.trace_id = span.trace_id;
  view.span_id = span.span_id;
  view.parent_id = span.parent_id;
  view.start = span.start;
  view.duration = span.duration;
  view.error = span.error;
  view.meta = span.meta;
  view.metrics = span.metrics;
  for (const SpanMetric& metric : span.metrics) {
    const MetricTag tag = MetricTagOf(metric.key);
    if (metric.value != 1) continue;
    view.top_level |= tag == MetricTag::kTopLevel || tag == MetricTag::kTracerTopLevel;
    view.measured |= tag == MetricTag::kMeasured;
  }
  return view;
}

// The entries of meta_struct among what a span has of structures.
std::string MetaStructOf(const SpanRecord& span) {
  std::string fields;
  ProtobufReader reader(span.structures.bytes());
  while (reader.Next())
    if (reader.field() == SpanField::kMetaStruct) fields.append(reader.whole());
  return fields;
}

}  // namespace

class TraceProcessor::Run {
 public:
  Run(TraceProcessor& processor, std::string_view body, TraceFormat format, TracerHeaders headers,
      SpanObserver* observer)
      : processor_(processor),
        span_(processor.span_),
        scratch_(processor.scratch_),
        notes_(processor.notes_),
        traces_(processor.traces_),
        index_(processor.index_),
        reader_(body, format),
        now_(processor.clock_.Now().wall),
        observer_(headers.client_computed_stats || !processor.options_.compute_stats_on_extension ? nullptr
                                                                                                  : observer),
        fixed_(processor.span_processor_->fixed_tags(
            /*backend_computes_stats=*/!headers.client_computed_stats &&
            !processor.options_.compute_stats_on_extension)) {
    payload_.headers_ = std::move(headers);
    notes_.clear();
    traces_.clear();
  }

  absl::StatusOr<TracePayload> Process() {
    THAW_RETURN_IF_ERROR(reader_.ForEachSpan(span_, payload_.counts_, payload_.first_problem_, *this));
    for (Trace& trace : traces_) {
      if (trace.begin == trace.end) continue;
      Link(trace);
      if (trace.begin < trace.end) Understand(trace);
    }
    payload_.chunk_fields_ = ProtobufWriter(size_bound_);
    for (const Trace& trace : traces_)
      if (trace.begin < trace.end) Finish(trace);
    ProtobufWriter& fields = payload_.process_fields_;
    counts().strings_repaired += process_.Write(payload_.headers_, processor_.options_.env, fields);
    fields.Raw(processor_.payload_tags_);
    payload_.chunk_fields_.Shrink();
    return std::move(payload_);
  }

  // The first pass: calls of the reader.

  void BeginRequest(size_t traces) { traces_.reserve(traces); }

  void BeginTrace(size_t spans) {
    // One of which nothing was kept makes room for the next.
    if (traces_.empty() || traces_.back().begin < traces_.back().end) traces_.emplace_back();
    traces_.back() = {};
    traces_.back().begin = notes_.size();
    spans += notes_.size();
    if (spans > notes_.capacity()) notes_.reserve(std::max(spans, 2 * notes_.capacity()));
  }

  void OnSpan(size_t position) {
    SpanNote note(span_, position);
    note.is_placeholder = span_.resource == kPlaceholderResource;
    note.has_ids = span_.trace_id != 0 && span_.span_id != 0;
    if (!note.has_ids && !note.is_placeholder) {
      ++processor_.counts_.spans_without_ids;
      return;
    }
    processor_.deduplicator_.Prefetch(note.trace_id, note.span_id);
    note.is_load = span_.name == kLoadSpanName;
    note.is_invocation = span_.name == kInvocationSpanName && !note.is_placeholder;
    for (const SpanMetric& metric : span_.metrics) {
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
    Trace& trace = traces_.back();
    KnownMeta known;
    for (const SpanMeta& entry : span_.meta) {
      const MetaTag tag = MetaTagOf(entry.key);
      if (tag == MetaTag::kOther) continue;
      known[static_cast<int>(tag)] = entry.value;
      trace.has_origin |= tag == MetaTag::kOrigin;
      TakeProcessTag(tag, entry.value, trace.tags);
    }
    note.is_noise = processor_.noise_.IsNoise(span_, known);
    trace.has_noise |= note.is_noise;
    if (!note.is_noise) size_bound_ += span_.size_bound() + fixed_.encoded().size() + kAddedBytes;
    notes_.push_back(note);
  }

  void EndTrace() {
    traces_.back().end = notes_.size();
    if (traces_.back().begin == notes_.size()) ++counts().empty_chunks;
  }

 private:
  TraceCounts& counts() { return payload_.counts_; }
  ProtobufWriter& out() { return payload_.chunk_fields_; }
  absl::Span<SpanNote> NotesOf(const Trace& trace) {
    return absl::MakeSpan(notes_).subspan(trace.begin, trace.end - trace.begin);
  }

  // Between the passes.

  // Leaves out what came before, and ties what is left to invocations.
  void Link(Trace& trace) {
    size_t kept = trace.begin;
    for (size_t i = trace.begin; i < trace.end; ++i) {
      SpanNote& note = notes_[i];
      // What a snapshot said, a later one or the finished span says again. The span that a placeholder stands
      // for has its ids.
      if (note.has_ids && !note.is_snapshot && !note.is_placeholder &&
          !processor_.deduplicator_.Insert(note.trace_id, note.span_id)) {
        ++processor_.counts_.duplicate_spans;
        continue;
      }
      if (processor_.links_ != nullptr) LinkToInvocation(note);
      note.parent_id = NormalizeParentId(note.trace_id, note.span_id, note.parent_id);
      notes_[kept++] = note;
    }
    trace.end = kept;
    if (trace.begin == trace.end) ++counts().empty_chunks;
  }

  void LinkToInvocation(SpanNote& note) {
    InvocationLinks& links = *processor_.links_;
    if (note.is_load)
      if (const uint64_t parent = links.OnLoadSpan(note.trace_id, note.span_id); parent != 0)
        note.parent_id = parent;
    if (note.is_placeholder || note.is_invocation) {
      reader_.ReadAgain(note.position, span_);
      span_.RepairText(scratch_);
      if (note.is_placeholder) {
        links.OnPlaceholder(ViewOf(span_), MetaStructOf(span_), payload_.headers_.client_computed_stats);
      } else {
        links.OnInvocationSpan(ViewOf(span_));
      }
      scratch_.Reset();
    }
    note.parent_id = links.ParentOf(note.trace_id, note.parent_id);
  }

  // What is known only when all spans of a trace are.
  void Understand(Trace& trace) {
    const absl::Span<SpanNote> notes = NotesOf(trace);
    index_.Begin(notes);
    const size_t root = index_.Root();
    trace.root = trace.begin + root;
    trace.priority = index_.Priority(root);
    for (SpanNote& note : notes) note.top_level = IsTopLevel(note);
    if (!trace.has_origin && !process_.Lacks(trace.tags)) return;
    reader_.ReadAgain(notes[root].position, span_);
    ProcessTags root_tags;
    for (const SpanMeta& entry : span_.meta) {
      const MetaTag tag = MetaTagOf(entry.key);
      if (tag == MetaTag::kOrigin) trace.origin = entry.value;
      TakeProcessTag(tag, entry.value, root_tags);
    }
    process_.Add(root_tags, trace.tags);
  }

  bool IsTopLevel(const SpanNote& note) {
    if (payload_.headers_.client_computed_top_level) return note.has_tracer_top_level;
    if (note.parent_id == 0) return true;
    const SpanNote* const parent = index_.Find(note.parent_id);
    return parent == nullptr || !SameService(parent->service, note.service);
  }

  bool SameService(std::string_view one, std::string_view other) {
    if (one == other) return true;
    const bool same = NormalService(one) == NormalService(other);
    scratch_.Reset();
    return same;
  }
  std::string_view NormalService(std::string_view service) {
    if (!IsValidUtf8(service)) service = scratch_.Take() = RepairUtf8(service);
    return NormalizeService(service, scratch_.Take());
  }

  // The second pass.

  bool IsRejected(const Trace& trace) {
    const TagFilter& filter = processor_.options_.tag_filter;
    if (filter.empty()) return false;
    reader_.ReadAgain(notes_[trace.root].position, span_);
    processor_.span_processor_->Normalize(span_, now_, scratch_);
    const auto meta = [this](std::string_view key) -> const std::string_view* {
      for (const SpanMeta& entry : span_.meta)
        if (entry.key == key) return &entry.value;
      return nullptr;
    };
    const bool keeps = filter.Keeps({.service = span_.service,
                                     .name = span_.name,
                                     .resource = span_.resource,
                                     .type = span_.type,
                                     .meta = meta});
    scratch_.Reset();
    return !keeps;
  }

  void Finish(const Trace& trace) {
    if (IsRejected(trace)) {
      ++processor_.counts_.filtered_chunks;
      return;
    }
    const bool dropped = processor_.options_.compute_stats_on_extension && trace.priority <= 0 &&
                         trace.priority != kNoPriority;
    if (dropped) ++processor_.counts_.unsampled_chunks;
    if (dropped && observer_ == nullptr) return;
    const size_t field = out().size();
    const size_t chunk = out().BeginMessage(TracerPayloadField::kChunks);
    const TraceCounts before = counts();
    origin_ = trace.origin;
    TakeTraceTags(trace);
    for (const SpanNote& note : NotesOf(trace)) Finish(note);
    const int64_t written = counts().spans - before.spans;
    if (dropped) counts().spans = before.spans;
    if (!dropped && written == 0) ++counts().empty_chunks;
    if (dropped || written == 0) {
      out().Truncate(field);
      return;
    }
    if (trace.priority != 0)
      out().Varint(TraceChunkField::kPriority, static_cast<uint64_t>(int64_t{trace.priority}));
    // Where the tracer names no origin, the chunk says what its spans say.
    std::string_view origin = trace.origin.empty() ? kLambdaOrigin : trace.origin;
    if (!IsValidUtf8(origin)) origin = scratch_.Take() = RepairUtf8(origin);
    out().String(TraceChunkField::kOrigin, origin);
    scratch_.Reset();
    out().EndMessage(chunk);
    ++counts().chunks;
  }

  // What the root says for the whole trace, if the root is left out: the first span that is kept says it
  // then.
  void TakeTraceTags(const Trace& trace) {
    trace_meta_.clear();
    trace_metrics_.clear();
    if (!trace.has_noise) return;
    for (const SpanNote& note : NotesOf(trace)) {
      if (!note.is_placeholder && !(note.is_noise && &note == &notes_[trace.root])) continue;
      reader_.ReadAgain(note.position, span_);
      for (const SpanMeta& entry : span_.meta)
        if (absl::StartsWith(entry.key, kPropagationTagPrefix)) trace_meta_.push_back(entry);
      for (const SpanMetric& metric : span_.metrics)
        if (MetricTagOf(metric.key) == MetricTag::kSamplingPriority) trace_metrics_.push_back(metric);
    }
  }
  // Adds them to the span, but for what it says itself.
  void GiveTraceTags() {
    const auto add = [](auto& taken, auto& own) {
      for (const auto& tag : taken)
        if (std::none_of(own.begin(), own.end(), [&tag](const auto& each) { return each.key == tag.key; }))
          own.push_back(tag);
      taken.clear();
    };
    add(trace_meta_, span_.meta);
    add(trace_metrics_, span_.metrics);
  }

  void Finish(const SpanNote& note) {
    if (note.is_noise) {
      ++processor_.counts_.noise_spans;
      return;
    }
    reader_.ReadAgain(note.position, span_);
    if (!trace_meta_.empty() || !trace_metrics_.empty()) GiveTraceTags();
    span_.parent_id = note.parent_id;
    processor_.span_processor_->Process(span_, fixed_, note.top_level, now_, scratch_);
    WriteSpan(span_, fixed_.encoded(), out());
    ++counts().spans;
    counts().metrics_not_finite += span_.metrics_not_finite;
    counts().strings_repaired += span_.strings_repaired;
    if (observer_ != nullptr) Observe();
    scratch_.Reset();
  }

  void Observe() {
    std::vector<SpanMeta>& meta = processor_.observed_meta_;
    meta.assign(span_.meta.begin(), span_.meta.end());
    for (const SpanMeta& entry : fixed_.entries()) {
      // Stats tell apart what synthetic tests cause, which the function's own origin would hide.
      const bool hides = entry.key == kOriginTag && !origin_.empty();
      meta.push_back(hides ? SpanMeta{entry.key, origin_} : entry);
    }
    SpanView view = ViewOf(span_);
    view.meta = meta;
    const TracerHeaders& headers = payload_.headers_;
    observer_->OnSpan({.language = headers.lang,
                       .tracer_version = headers.tracer_version,
                       .runtime_id = process_.Get(MetaTag::kRuntimeId),
                       .container_id = headers.container_id},
                      view);
  }

  // What is added to a span beyond its tags and the fixed ones: metrics, tags, names for what has none.
  static constexpr size_t kAddedBytes = 96;

  TraceProcessor& processor_;
  SpanRecord& span_;
  ScratchText& scratch_;
  std::vector<SpanNote>& notes_;
  std::vector<Trace>& traces_;
  SpanIndex& index_;

  TraceReader reader_;
  const absl::Time now_;
  SpanObserver* const observer_;  // null: stats are not computed here, or nobody asks for them
  const FixedTags& fixed_;
  std::string_view origin_;  // of the trace whose spans are being written, by its tracer
  // Of that trace, as long as no span of it was written: what its root said for all, if that is left out.
  std::vector<SpanMeta> trace_meta_;
  std::vector<SpanMetric> trace_metrics_;
  TracePayload payload_;
  ProcessFields process_;
  size_t size_bound_ = 64;
};

TraceProcessor::TraceProcessor(TraceProcessorOptions options, const Clock& clock, InvocationLinks* links)
    : options_(std::move(options)),
      clock_(clock),
      links_(links),
      noise_(options_.runtime_api),
      deduplicator_(options_.deduplicator_bytes) {
  EncodeFunctionTags();
}

void TraceProcessor::SetFunctionTag(std::string_view name, std::string value) {
  options_.function_tags.insert_or_assign(std::string(name), std::move(value));
  EncodeFunctionTags();
}

void TraceProcessor::EncodeFunctionTags() {
  span_processor_.emplace(options_);
  payload_tags_ = PayloadTags(options_.function_tags);
}

absl::StatusOr<TracePayload> TraceProcessor::Process(std::string_view body, TraceFormat format,
                                                     TracerHeaders headers, SpanObserver* observer) {
  before_last_ = deduplicator_.inserted();
  absl::StatusOr<TracePayload> payload = Run(*this, body, format, std::move(headers), observer).Process();
  Trim();
  return payload;
}

void TraceProcessor::Trim() {
  index_.Trim();
  notes_.clear();
  traces_.clear();
  span_.Clear();
  observed_meta_.clear();
  const auto trim = [](auto& vector) {
    if (vector.capacity() * sizeof(vector[0]) > kKeptBytes) vector.shrink_to_fit();
  };
  trim(notes_);
  trim(traces_);
  trim(observed_meta_);
  trim(span_.meta);
  trim(span_.metrics);
  if (span_.structures.capacity() > kKeptBytes) span_.structures.Shrink();
}

}  // namespace thaw
