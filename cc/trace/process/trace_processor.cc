#include "cc/trace/process/trace_processor.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/base/utf8.h"
#include "cc/trace/process/fixed_tags.h"
#include "cc/trace/process/normalize_span.h"
#include "cc/trace/process/tag_filter.h"
#include "cc/trace/process/text_work.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/trace_fields.h"

namespace thaw {
namespace {

// Largest request, and largest result, that is processed within one turn of the loop.
constexpr size_t kAtOnceBytes = 256 << 10;
// Work, as TraceWork::Step() counts it, that is done at once: a few milliseconds.
constexpr int64_t kAtOnceWork = 2 << 20;

// Bytes of each kind of memory that are kept from one request for the next.
constexpr size_t kKeptBytes = 64 << 10;

// Encodes the function's tags for a tracer's payload, which states them once.
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

// Returns the entries of meta_struct from a span's structures.
std::string MetaStructOf(const SpanRecord& span) {
  std::string fields;
  ProtobufReader reader(span.structures.bytes());
  while (reader.Next())
    if (reader.field() == SpanField::kMetaStruct) fields.append(reader.whole());
  return fields;
}

}  // namespace

class TraceProcessor::Run : public TraceWork {
 public:
  Run(TraceProcessor& processor, Memory& memory, std::string_view body, TraceFormat format,
      TracerHeaders headers, const TraceLimits& limits, SpanObserver* observer)
      : processor_(processor),
        memory_(memory),
        span_(memory.span),
        scratch_(memory.scratch),
        notes_(memory.notes),
        traces_(memory.traces),
        index_(memory.index),
        limits_(limits),
        charge_(limits.account),
        headers_(std::move(headers)),
        reader_(body, format, &charge_),
        text_work_(body),
        now_(processor.clock_.Now().wall),
        before_(processor.deduplicator_.inserted()),
        observer_(headers_.client_computed_stats || !processor.options_.compute_stats_on_extension
                      ? nullptr
                      : observer) {
    charge_.set_beside(limits.body_bytes);
    notes_.clear();
    traces_.clear();
    TakeFixedTags();
  }
  ~Run() override {
    processor_.counts_.texts_hidden += text_work_.hidden();
    memory_.Trim();
  }

  // Runs the first pass as far as `work` allows. Returns true once it is done; the request has had no effect
  // yet.
  absl::StatusOr<bool> Read(int64_t work) {
    return reader_.ReadOn(span_, counts_, first_problem_, *this, work);
  }
  // Returns an upper bound of the result's size, once the request is read.
  size_t result_bound() const { return size_bound_; }

  absl::StatusOr<State> Step(int64_t bytes) override {
    work_ = bytes;
    charge_.Shrink(std::exchange(part_charge_, 0));  // the part that was taken
    // The function may have got another tag meanwhile.
    TakeFixedTags();
    if (phase_ == Phase::kRead) {
      THAW_ASSIGN_OR_RETURN(const bool done, reader_.ReadOn(span_, counts_, first_problem_, *this, work_));
      if (!done) return State::kMore;
      phase_ = Phase::kLink;
      before_ = processor_.deduplicator_.inserted();
    }
    while (work_ > 0) {
      if (next_trace_ == traces_.size()) {
        if (phase_ == Phase::kWrite) {
          EndPayload(/*last=*/true);
          return State::kDone;
        }
        next_trace_ = 0;
        phase_ = Phase::kWrite;
        THAW_RETURN_IF_ERROR(BeginPayload());
        continue;
      }
      Trace& trace = traces_[next_trace_];
      if (phase_ == Phase::kLink) {
        THAW_RETURN_IF_ERROR(LinkOn(trace));
      } else {
        THAW_ASSIGN_OR_RETURN(const bool part, WriteOn(trace));
        if (part) return State::kPart;
      }
    }
    return State::kMore;
  }

  TracePayload TakePart() override { return std::move(part_); }
  const TraceCounts& counts() const override { return counts_; }
  const std::string& first_problem() const override { return first_problem_; }
  void EndCharge() override { charge_.Release(); }
  void Forget() override { processor_.deduplicator_.Rewind(before_); }

  // The reader's calls.

  absl::Status BeginRequest(size_t traces) { return Reserve(traces_, traces, &charge_); }

  absl::Status BeginTrace(size_t spans) {
    // A trace of which nothing was kept makes room for the next.
    if (traces_.empty() || traces_.back().begin < traces_.back().end) {
      THAW_RETURN_IF_ERROR(ReserveMore(traces_, 1, &charge_));
      traces_.emplace_back();
    }
    traces_.back() = {};
    traces_.back().begin = traces_.back().end = notes_.size();
    // The first growth is large, so that many small traces need few growths.
    constexpr size_t kFewest = 16;
    return ReserveMore(notes_, std::max(spans, kFewest), &charge_);
  }

  absl::Status OnSpan(size_t position) {
    SpanNote note(span_, position);
    if (span_.converted.taken() > 0) note.service = reader_.Keep(note.service);
    const size_t bound = span_.size_bound();
    note.is_large = bound >= kLargeAllocation;
    note.SetSize(bound);
    // A placeholder's content is kept with its invocation.
    note.is_placeholder = span_.resource == kPlaceholderResource && bound <= kMaxPlaceholderBytes;
    note.has_ids = span_.trace_id != 0 && span_.span_id != 0;
    if (!note.has_ids && !note.is_placeholder) {
      ++processor_.counts_.spans_without_ids;
      return absl::OkStatus();
    }
    processor_.deduplicator_.Prefetch(note.trace_id, note.span_id);
    note.is_load = span_.name == kLoadSpanName;
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
      TakeProcessTag(tag, Kept(tag, entry.value), trace.tags);
    }
    note.is_noise = processor_.noise_.IsNoise(span_, known);
    trace.has_noise |= note.is_noise;
    if (!note.is_noise) size_bound_ += bound + fixed_->encoded().size() + kAddedBytes;
    if (size_bound_ > limits_.max_result_bytes)
      return absl::OutOfRangeError(absl::StrCat("at byte ", position, ": the request becomes more than ",
                                                limits_.max_result_bytes, " bytes"));
    if (notes_.size() == notes_.capacity()) [[unlikely]]
      THAW_RETURN_IF_ERROR(ReserveMore(notes_, 1, &charge_));
    notes_.push_back(note);
    return absl::OkStatus();
  }

  absl::Status EndTrace() {
    traces_.back().end = notes_.size();
    if (traces_.back().begin == notes_.size()) ++counts_.empty_chunks;
    return absl::OkStatus();
  }

 private:
  enum class Phase { kRead, kLink, kWrite };
  // Extra work, in bytes, of each span in each pass, and of each trace.
  static constexpr int64_t kLinkWork = 128;
  static constexpr int64_t kSpanWork = 512;
  static constexpr int64_t kTraceWork = 128;
  static constexpr size_t kMaxPlaceholderBytes = 256 << 10;
  static constexpr int kMostPlaceholders = 64;  // of a trace, whose tags are taken
  static constexpr size_t kNotBegun = std::numeric_limits<size_t>::max();

  ProtobufWriter& out() { return payload_.chunk_fields_; }
  absl::Span<SpanNote> NotesOf(const Trace& trace) {
    return absl::MakeSpan(notes_).subspan(trace.begin, trace.end - trace.begin);
  }
  void TakeFixedTags() {
    fixed_ = &processor_.span_processor_->fixed_tags(
        /*backend_computes_stats=*/!headers_.client_computed_stats &&
        !processor_.options_.compute_stats_on_extension);
  }
  // Returns a tag's value such that it lives as long as the request's processing.
  std::string_view Kept(MetaTag tag, std::string_view value) {
    return span_.converted.taken() == 0 || tag > MetaTag::kOrigin ? value : reader_.Keep(value);
  }

  // Returns the work of the span's bytes, without obfuscation and replacement.
  static int64_t WorkOf(const SpanNote& note) { return int64_t{note.kilobytes} << 10; }

  // Returns the further work if text of the span that is being processed had to be repaired.
  int64_t RepairWork(const SpanNote& note) const {
    constexpr int64_t kRate = 32;
    return span_.strings_repaired == 0 ? 0 : kRate * WorkOf(note);
  }

  // The step between the passes.

  // Leaves out spans that came before, ties the others to invocations, and then settles the trace's facts.
  absl::Status LinkOn(Trace& trace) {
    if (trace.begin == trace.end) {
      work_ -= kTraceWork;
      return NextTrace();
    }
    if (next_note_ == kNotBegun) next_note_ = kept_notes_ = trace.begin;
    for (; next_note_ < trace.end && work_ > 0; ++next_note_) {
      work_ -= kLinkWork;
      SpanNote& note = notes_[next_note_];
      // A later snapshot or the finished span repeats a snapshot's content. A placeholder has the ids of the
      // span that it stands for.
      if (note.has_ids && !note.is_snapshot && !note.is_placeholder &&
          !processor_.deduplicator_.Insert(note.trace_id, note.span_id)) {
        ++processor_.counts_.duplicate_spans;
        continue;
      }
      if (processor_.links_ != nullptr) LinkToInvocation(note);
      note.parent_id = NormalizeParentId(note.trace_id, note.span_id, note.parent_id);
      notes_[kept_notes_++] = note;
    }
    if (next_note_ < trace.end) return absl::OkStatus();
    trace.end = kept_notes_;
    if (trace.begin == trace.end) {
      ++counts_.empty_chunks;
    } else {
      THAW_RETURN_IF_ERROR(Understand(trace));
    }
    return NextTrace();
  }

  absl::Status NextTrace() {
    ++next_trace_;
    next_note_ = kNotBegun;
    return absl::OkStatus();
  }

  void LinkToInvocation(SpanNote& note) {
    InvocationLinks& links = *processor_.links_;
    if (note.is_load)
      if (const uint64_t parent = links.OnLoadSpan(note.trace_id, note.span_id); parent != 0)
        note.parent_id = parent;
    if (note.is_placeholder) {
      work_ -= WorkOf(note);
      reader_.ReadAgain(note.position, span_);
      span_.RepairText(scratch_);
      work_ -= RepairWork(note);
      links.OnPlaceholder(ViewOf(span_), MetaStructOf(span_), headers_.client_computed_stats);
      scratch_.Reset();
    }
    note.parent_id = links.ParentOf(note.trace_id, note.parent_id);
  }

  // Settles the facts that need all spans of a trace.
  absl::Status Understand(Trace& trace) {
    const absl::Span<SpanNote> notes = NotesOf(trace);
    work_ -= kLinkWork * static_cast<int64_t>(notes.size());
    THAW_RETURN_IF_ERROR(index_.ReserveFor(notes.size(), &charge_));
    index_.Begin(notes);
    const size_t root = index_.Root();
    trace.root = trace.begin + root;
    trace.priority = index_.Priority(root);
    for (SpanNote& note : notes) note.top_level = IsTopLevel(note);
    if (!trace.has_origin && !process_.Lacks(trace.tags)) return absl::OkStatus();
    reader_.ReadAgain(notes[root].position, span_);
    ProcessTags root_tags;
    for (const SpanMeta& entry : span_.meta) {
      const MetaTag tag = MetaTagOf(entry.key);
      if (tag == MetaTag::kOther) continue;
      if (tag == MetaTag::kOrigin) trace.origin = Kept(tag, entry.value);
      TakeProcessTag(tag, Kept(tag, entry.value), root_tags);
    }
    process_.Add(root_tags, trace.tags);
    return absl::OkStatus();
  }

  bool IsTopLevel(const SpanNote& note) {
    if (headers_.client_computed_top_level) return note.has_tracer_top_level;
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

  // Begins a payload. The first has room for the whole of a small request.
  absl::Status BeginPayload() {
    payload_ = TracePayload();
    const int64_t repaired = process_.Write(headers_, processor_.options_.env, payload_.process_fields_);
    if (payloads_++ == 0) counts_.strings_repaired += repaired;
    payload_.process_fields_.Raw(processor_.payload_tags_);
    return out().ReserveMore(std::min(size_bound_, limits_.max_part_bytes), &charge_);
  }

  void EndPayload(bool last) {
    if (last) {
      payload_.headers_ = std::move(headers_);
    } else {
      payload_.headers_ = headers_;
    }
    if (payloads_ == 1) out().Shrink();
    payload_.counts_ = counts_;
    payload_.counts_.spans = counts_.spans - std::exchange(spans_before_, counts_.spans);
    payload_.first_problem_ = first_problem_;
    part_ = std::move(payload_);
    part_charge_ = part_.chunk_fields_.capacity() < kLargeAllocation ? 0 : part_.chunk_fields_.capacity();
  }

  bool IsRejected(const Trace& trace) {
    const TagFilter& filter = processor_.options_.tag_filter;
    if (filter.empty()) return false;
    const SpanNote& root = notes_[trace.root];
    work_ -= kSpanWork + (WorkOf(root) << 2);
    reader_.ReadAgain(root.position, span_);
    processor_.span_processor_->Normalize(span_, now_, scratch_);
    work_ -= RepairWork(root);
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

  // Continues with a trace's spans. Returns true if the payload is full: the next span goes into another.
  absl::StatusOr<bool> WriteOn(const Trace& trace) {
    if (next_note_ == kNotBegun) {
      work_ -= kTraceWork;
      if (trace.begin == trace.end || !BeginTraceOut(trace)) {
        THAW_RETURN_IF_ERROR(NextTrace());
        return false;
      }
      next_note_ = trace.begin;
    }
    while (next_note_ < trace.end && work_ > 0) {
      THAW_ASSIGN_OR_RETURN(const bool full, Write(notes_[next_note_]));
      if (full) {
        EndChunk(trace);
        if (written_ > 0 && trace_tags_.empty() && !trace_priority_.has_value())
          TakeTraceTags(notes_[trace.root]);
        give_trace_tags_ = give_trace_tags_ || written_ > 0;
        EndPayload(/*last=*/false);
        THAW_RETURN_IF_ERROR(BeginPayload());
        return true;
      }
      ++next_note_;
    }
    if (next_note_ < trace.end) return false;
    if (!dropped_ && written_ == 0) ++counts_.empty_chunks;
    if (!dropped_ && written_ > 0) ++counts_.chunks;
    EndChunk(trace);
    THAW_RETURN_IF_ERROR(NextTrace());
    return false;
  }

  // Returns false if the trace is not sent.
  bool BeginTraceOut(const Trace& trace) {
    if (IsRejected(trace)) {
      ++processor_.counts_.filtered_chunks;
      return false;
    }
    dropped_ = processor_.options_.compute_stats_on_extension && trace.priority <= 0 &&
               trace.priority != kNoPriority;
    if (dropped_) ++processor_.counts_.unsampled_chunks;
    written_ = 0;
    trace_tags_.clear();
    trace_priority_.reset();
    give_trace_tags_ = false;
    origin_ = trace.origin;
    if (trace.has_noise) {
      // A trace has one placeholder for each invocation.
      int left = kMostPlaceholders;
      for (const SpanNote& note : NotesOf(trace)) {
        if (!note.is_placeholder && !(note.is_noise && &note == &notes_[trace.root])) continue;
        TakeTraceTags(note);
        if (--left == 0) break;
      }
    }
    return !dropped_ || observer_ != nullptr;
  }

  // Ends the trace's chunk in this payload, if there is one.
  void EndChunk(const Trace& trace) {
    if (!chunk_open_) return;
    chunk_open_ = false;
    if (trace.priority != 0)
      out().Varint(TraceChunkField::kPriority, static_cast<uint64_t>(int64_t{trace.priority}));
    // Where the tracer names no origin, the chunk has its spans' origin.
    std::string_view origin = trace.origin.empty() ? kLambdaOrigin : trace.origin;
    if (!IsValidUtf8(origin)) origin = scratch_.Take() = RepairUtf8(origin);
    out().String(TraceChunkField::kOrigin, origin);
    scratch_.Reset();
    out().EndMessage(chunk_);
  }

  // Takes the root's tags that hold for the whole trace, `_dd.p.*` and the sampling priority, for the first
  // span that is written: if the root is left out, and in each part of a trace that is cut.
  void TakeTraceTags(const SpanNote& note) {
    // Tracers keep these below 512 bytes.
    constexpr size_t kAtMost = 16 << 10, kMostTags = 64;
    work_ -= kSpanWork + WorkOf(note);
    reader_.ReadAgain(note.position, span_);
    size_t bytes = 0;
    for (const SpanMeta& entry : span_.meta) {
      if (!absl::StartsWith(entry.key, kPropagationTagPrefix)) continue;
      bytes += entry.key.size() + entry.value.size();
      if (bytes > kAtMost || trace_tags_.size() == kMostTags) break;
      trace_tags_.emplace_back(RepairUtf8(entry.key), RepairUtf8(entry.value));
    }
    for (const SpanMetric& metric : span_.metrics)
      if (MetricTagOf(metric.key) == MetricTag::kSamplingPriority) trace_priority_ = metric.value;
    give_trace_tags_ = !trace_tags_.empty() || trace_priority_.has_value();
  }

  // Adds these tags to the span, except for those it has itself.
  absl::Status GiveTraceTags() {
    THAW_RETURN_IF_ERROR(ReserveMore(span_.meta, trace_tags_.size(), &charge_));
    for (const auto& [key, value] : trace_tags_) {
      const auto has_key = [&key = key](const SpanMeta& entry) { return entry.key == key; };
      if (std::none_of(span_.meta.begin(), span_.meta.end(), has_key)) span_.meta.push_back({key, value});
    }
    const auto is_priority = [](const SpanMetric& metric) { return metric.key == kSamplingPriorityMetric; };
    if (!trace_priority_.has_value() || std::any_of(span_.metrics.begin(), span_.metrics.end(), is_priority))
      return absl::OkStatus();
    THAW_RETURN_IF_ERROR(ReserveMore(span_.metrics, 1, &charge_));
    span_.metrics.push_back({kSamplingPriorityMetric, *trace_priority_});
    return absl::OkStatus();
  }

  // Returns true if the span does not fit into the payload and must be written into another.
  absl::StatusOr<bool> Write(const SpanNote& note) {
    // What is read costs as much as what is written, which may be far less.
    work_ -= kSpanWork + WorkOf(note);
    if (note.is_noise) {
      ++processor_.counts_.noise_spans;
      return false;
    }
    reader_.ReadAgain(note.position, span_);
    if (give_trace_tags_) THAW_RETURN_IF_ERROR(GiveTraceTags());
    span_.parent_id = note.parent_id;
    size_t scratch_bytes = 0;
    if (note.is_large) [[unlikely]] {
      CutLongTexts();
      scratch_bytes = ScratchBytes();
      THAW_RETURN_IF_ERROR(charge_.Grow(scratch_bytes));
      if (!CanAllocate(scratch_bytes)) return NoMemory(scratch_bytes);
    }
    processor_.span_processor_->Process(span_, *fixed_, note.top_level, now_, scratch_, text_work_);
    work_ -= text_work_.done_in_span() + RepairWork(note);
    const absl::StatusOr<bool> full = WriteProcessed();
    if (full.ok() && !*full) {
      ++written_;
      give_trace_tags_ = false;
      counts_.metrics_not_finite += span_.metrics_not_finite;
      counts_.values_left_out += span_.values_left_out;
      counts_.strings_repaired += span_.strings_repaired;
      if (observer_ != nullptr) THAW_RETURN_IF_ERROR(Observe());
    }
    scratch_.Reset();
    charge_.Shrink(scratch_bytes);
    return full;
  }

  absl::StatusOr<bool> WriteProcessed() {
    if (dropped_) return false;
    const size_t bound = span_.size_bound() + fixed_->encoded().size();
    // The chunk's priority and origin, and the lengths of what is nested.
    constexpr size_t kChunkBytes = 128;
    const size_t needed = bound + kChunkBytes + 3 * origin_.size();
    if (out().size() > 0 && needed > limits_.max_part_bytes - std::min(limits_.max_part_bytes, out().size()))
      return true;
    THAW_RETURN_IF_ERROR(out().ReserveMore(needed, &charge_));
    if (!chunk_open_) chunk_ = out().BeginMessage(TracerPayloadField::kChunks);
    chunk_open_ = true;
    const size_t before = out().size();
    WriteSpan(span_, fixed_->encoded(), out());
    work_ -= static_cast<int64_t>(out().size() - before);
    ++counts_.spans;
    return false;
  }

  static bool IsLookedInto(std::string_view key) {
    return MetaTagOf(key) != MetaTag::kOther || key == kDatabaseStatementTag || key == kDatabaseQueryTextTag;
  }

  // Cuts texts that are searched, since very long ones would hold up the loop. The intake keeps less of them
  // anyway: it cuts a resource at 5,000 characters and a tag at 25,000.
  void CutLongTexts() {
    constexpr size_t kAtMost = 256 << 10;
    span_.resource = span_.resource.substr(0, kAtMost);
    for (SpanMeta& entry : span_.meta)
      if (IsLookedInto(entry.key) || processor_.options_.replace_rules.RulesOfTag(entry.key) > 0)
        entry.value = entry.value.substr(0, kAtMost);
  }

  // Returns the bytes that a large span's text may become on the way: repaired, obfuscated, replaced.
  size_t ScratchBytes() const {
    constexpr size_t kAtMost = 3;
    size_t bytes = span_.type.empty() ? 0 : kAtMost * span_.resource.size();
    // Repairing copies the text, which grows.
    const auto add = [&bytes](std::string_view text) {
      if (!IsValidUtf8(text)) bytes += 2 * kAtMost * text.size();
    };
    for (const std::string_view text : {span_.service, span_.name, span_.resource, span_.type}) add(text);
    for (const SpanMeta& entry : span_.meta) {
      add(entry.key);
      add(entry.value);
      if (IsLookedInto(entry.key)) bytes += kAtMost * entry.value.size();
    }
    for (const SpanMetric& metric : span_.metrics) add(metric.key);
    return bytes + (processor_.options_.replace_rules.empty() ? 0 : 2 * span_.size_bound());
  }

  absl::Status Observe() {
    std::vector<SpanMeta>& meta = memory_.observed_meta;
    THAW_RETURN_IF_ERROR(Reserve(meta, span_.meta.size() + fixed_->entries().size(), &charge_));
    meta.assign(span_.meta.begin(), span_.meta.end());
    for (const SpanMeta& entry : fixed_->entries()) {
      // Stats tell apart spans that synthetic tests cause; the function's own origin would hide those.
      const bool hides = entry.key == kOriginTag && !origin_.empty();
      meta.push_back(hides ? SpanMeta{entry.key, origin_} : entry);
    }
    SpanView view = ViewOf(span_);
    view.meta = meta;
    observer_->OnSpan({.language = headers_.lang,
                       .tracer_version = headers_.tracer_version,
                       .runtime_id = process_.Get(MetaTag::kRuntimeId),
                       .container_id = headers_.container_id},
                      view);
    return absl::OkStatus();
  }

  // Bytes added to a span beside its tags and the fixed tags: metrics, tags, default names.
  static constexpr size_t kAddedBytes = 96;

  TraceProcessor& processor_;
  Memory& memory_;
  SpanRecord& span_;
  ScratchText& scratch_;
  std::vector<SpanNote>& notes_;
  std::vector<Trace>& traces_;
  SpanIndex& index_;

  const TraceLimits limits_;
  ByteCharge charge_;
  TracerHeaders headers_;  // moved into the last payload
  TraceReader reader_;
  TextWork text_work_;
  const absl::Time now_;
  uint64_t before_;               // the deduplicator's mark when this began
  SpanObserver* const observer_;  // null: stats are not computed here, or there is no observer
  const FixedTags* fixed_ = nullptr;
  ProcessFields process_;
  TraceCounts counts_;
  std::string first_problem_;
  size_t size_bound_ = 64;

  // The progress of the request.
  Phase phase_ = Phase::kRead;
  int64_t work_ = 0;  // left in this step
  size_t next_trace_ = 0;
  size_t next_note_ = kNotBegun;  // the next note of the trace
  size_t kept_notes_ = 0;

  // State of the trace that is being written.
  bool dropped_ = false;  // shown to the observer, but not sent
  int64_t written_ = 0;
  bool chunk_open_ = false;
  size_t chunk_ = 0;
  std::string_view origin_;  // named by its tracer
  std::vector<std::pair<std::string, std::string>> trace_tags_;
  std::optional<double> trace_priority_;
  bool give_trace_tags_ = false;  // to the next span

  TracePayload payload_;  // being written
  int64_t payloads_ = 0;
  int64_t spans_before_ = 0;
  TracePayload part_;  // finished, to be taken
  size_t part_charge_ = 0;
};

// Has memory of its own, since requests that are done at once run between its steps.
class TraceProcessor::LongRun : private Memory, public Run {
 public:
  template <typename... Arguments>
  explicit LongRun(TraceProcessor& processor, Arguments&&... arguments)
      : Run(processor, static_cast<Memory&>(*this), std::forward<Arguments>(arguments)...) {}
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
  Run run(*this, memory_, body, format, std::move(headers), TraceLimits(), observer);
  return Finish(run);
}

absl::StatusOr<std::optional<TracePayload>> TraceProcessor::ProcessAtOnce(std::string_view body,
                                                                          TraceFormat format,
                                                                          TracerHeaders headers,
                                                                          const TraceLimits& limits,
                                                                          SpanObserver* observer) {
  if (body.size() > kAtOnceBytes) return std::nullopt;
  Run run(*this, memory_, body, format, std::move(headers), limits, observer);
  THAW_ASSIGN_OR_RETURN(const bool read, run.Read(kAtOnceWork));
  if (!read || run.result_bound() > kAtOnceBytes) return std::nullopt;
  return Finish(run);
}

absl::StatusOr<TracePayload> TraceProcessor::Finish(Run& run) {
  before_last_ = deduplicator_.inserted();
  while (true) {
    THAW_ASSIGN_OR_RETURN(const TraceWork::State state, run.Step(std::numeric_limits<int64_t>::max()));
    if (state == TraceWork::State::kDone) return run.TakePart();
  }
}

std::unique_ptr<TraceWork> TraceProcessor::Begin(std::string_view body, TraceFormat format,
                                                 TracerHeaders headers, const TraceLimits& limits,
                                                 SpanObserver* observer) {
  return std::make_unique<LongRun>(*this, body, format, std::move(headers), limits, observer);
}

void TraceProcessor::Memory::Trim() {
  index.Trim();
  notes.clear();
  traces.clear();
  span.Clear();
  observed_meta.clear();
  const auto trim = [](auto& vector) {
    if (vector.capacity() * sizeof(vector[0]) > kKeptBytes) vector.shrink_to_fit();
  };
  trim(notes);
  trim(traces);
  trim(observed_meta);
  trim(span.meta);
  trim(span.metrics);
  if (span.structures.capacity() > kKeptBytes) span.structures.Shrink();
}

}  // namespace thaw
