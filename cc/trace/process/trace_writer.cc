#include "cc/trace/process/trace_writer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "cc/base/reserve.h"
#include "cc/base/status_macros.h"
#include "cc/base/utf8.h"
#include "cc/trace/process/tag_filter.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/trace_fields.h"

namespace thaw {
namespace {

// Extra work of each span, of each trace, and of a span that is only looked at.
constexpr int64_t kSpanWork = 512;
constexpr int64_t kTraceWork = 128;
constexpr int64_t kLookWork = 8;
// The number of placeholders of a trace whose tags are taken: there is one for each invocation.
constexpr int kMostPlaceholders = 64;

// The rate of the error sampler, which keeps each trace with an error.
constexpr std::string_view kErrorsRateMetric = "_dd.errors_sr";

// Replaces a text that would be too much work.
constexpr std::string_view kHidden = "?";

bool IsSearchedTag(std::string_view key) {
  return MetaTagOf(key) != MetaTag::kOther || key == kDatabaseStatementTag || key == kDatabaseQueryTextTag;
}

}  // namespace

absl::Status TraceWriter::BeginPayload() {
  payload_ = TracePayload();
  const ProcessorState& processor = request_.processor;
  const int64_t repaired =
      request_.process.Write(request_.headers, processor.options.env, payload_.process_fields_);
  if (payloads_++ == 0) request_.counts.strings_repaired += repaired;
  payload_.process_fields_.Raw(processor.payload_tags);
  return out().ReserveMore(std::min(request_.size_bound, request_.limits.max_part_bytes), &request_.charge);
}

void TraceWriter::EndPayload(bool last) {
  if (last) {
    payload_.headers_ = std::move(request_.headers);
  } else {
    payload_.headers_ = request_.headers;
  }
  if (payloads_ == 1) out().Shrink();
  payload_.counts_ = request_.counts;
  payload_.counts_.spans = request_.counts.spans - std::exchange(spans_before_, request_.counts.spans);
  payload_.first_problem_ = request_.first_problem;
  part_ = std::move(payload_);
  part_charge_ = part_.chunk_fields_.capacity() < kLargeAllocation ? 0 : part_.chunk_fields_.capacity();
}

absl::StatusOr<TraceWriter::Progress> TraceWriter::WriteTrace(const NotedTrace& trace) {
  if (phase_ == Phase::kBegin) {
    request_.work -= kTraceWork;
    if (trace.begin == trace.end || !BeginTrace(trace)) return Progress::kTraceDone;
    next_ = trace.begin;
    phase_ = trace.has_noise ? Phase::kTraceTags : Phase::kSpans;
  }
  if (phase_ == Phase::kTraceTags) {
    if (!CollectTraceTags(trace)) return Progress::kMore;
    next_ = trace.begin;
    phase_ = Phase::kSpans;
  }
  while (next_ < trace.end && request_.work > 0) {
    THAW_ASSIGN_OR_RETURN(const bool full, WriteSpanOf(request_.notes[next_]));
    if (full) {
      THAW_RETURN_IF_ERROR(CutTrace(trace));
      return Progress::kPart;
    }
    ++next_;
  }
  if (next_ < trace.end) return Progress::kMore;
  if (!dropped_) ++(written_ == 0 ? request_.counts.empty_chunks : request_.counts.chunks);
  EndChunk(trace);
  phase_ = Phase::kBegin;
  return Progress::kTraceDone;
}

absl::Status TraceWriter::CutTrace(const NotedTrace& trace) {
  EndChunk(trace);
  if (written_ > 0 && trace_tags_.empty() && !trace_priority_.has_value())
    TakeTraceTags(request_.notes[trace.root]);
  give_trace_tags_ = give_trace_tags_ || written_ > 0;
  EndPayload(/*last=*/false);
  return BeginPayload();
}

bool TraceWriter::BeginTrace(const NotedTrace& trace) {
  ProcessorState& processor = request_.processor;
  if (IsRejected(trace)) {
    ++processor.counts.filtered_chunks;
    return false;
  }
  dropped_ =
      processor.options.compute_stats_on_extension && trace.priority <= 0 && trace.priority != kNoPriority;
  give_errors_rate_ = dropped_ && processor.options.error_sampler && trace.priority == 0 && trace.has_error;
  if (give_errors_rate_) {
    dropped_ = false;
    ++processor.counts.error_chunks;
  }
  root_ = trace.root;
  if (dropped_) ++processor.counts.unsampled_chunks;
  written_ = 0;
  trace_tags_.clear();
  trace_priority_.reset();
  give_trace_tags_ = false;
  origin_ = trace.origin;
  placeholders_left_ = kMostPlaceholders;
  return !dropped_ || request_.observer != nullptr;
}

bool TraceWriter::IsRejected(const NotedTrace& trace) {
  const TagFilter& filter = request_.processor.options.tag_filter;
  if (filter.empty()) return false;
  const SpanNote& root = request_.notes[trace.root];
  SpanRecord& span = request_.span;
  request_.work -= kSpanWork + (root.work() << 2);
  request_.reader.ReadAgain(root.position, span);
  request_.processor.span_processor->Normalize(span, request_.now, request_.scratch);
  request_.work -= request_.RepairWork(root);
  const auto meta = [&span](std::string_view key) -> const std::string_view* {
    for (const SpanMeta& entry : span.meta)
      if (entry.key == key) return &entry.value;
    return nullptr;
  };
  const bool keeps = filter.Keeps({.service = span.service,
                                   .name = span.name,
                                   .resource = span.resource,
                                   .type = span.type,
                                   .meta = meta});
  request_.scratch.Reset();
  return !keeps;
}

void TraceWriter::EndChunk(const NotedTrace& trace) {
  if (!chunk_open_) return;
  chunk_open_ = false;
  if (trace.priority != 0)
    out().Varint(TraceChunkField::kPriority, static_cast<uint64_t>(int64_t{trace.priority}));
  // A chunk without an origin of the tracer's gets the one that its spans have.
  std::string_view origin = trace.origin.empty() ? kLambdaOrigin : trace.origin;
  if (!IsValidUtf8(origin)) origin = request_.scratch.Take() = RepairUtf8(origin);
  out().String(TraceChunkField::kOrigin, origin);
  request_.scratch.Reset();
  out().EndMessage(chunk_);
}

bool TraceWriter::CollectTraceTags(const NotedTrace& trace) {
  for (; next_ < trace.end && placeholders_left_ > 0 && request_.work > 0; ++next_) {
    request_.work -= kLookWork;
    const SpanNote& note = request_.notes[next_];
    if (!note.is_placeholder && !(note.is_noise && next_ == trace.root)) continue;
    TakeTraceTags(note);
    --placeholders_left_;
  }
  return next_ == trace.end || placeholders_left_ == 0;
}

// Takes the root's tags that hold for the whole trace, `_dd.p.*` and the sampling priority, for the first span
// that is written: if the root is left out, and in each part of a trace that is cut.
void TraceWriter::TakeTraceTags(const SpanNote& note) {
  // Tracers keep these below 512 bytes.
  constexpr size_t kAtMost = 16 << 10, kMostTags = 64;
  request_.work -= kSpanWork + note.work();
  request_.reader.ReadAgain(note.position, request_.span);
  size_t bytes = 0;
  for (const SpanMeta& entry : request_.span.meta) {
    if (!absl::StartsWith(entry.key, kPropagationTagPrefix)) continue;
    bytes += entry.key.size() + entry.value.size();
    if (bytes > kAtMost || trace_tags_.size() == kMostTags) break;
    const auto has_key = [&entry](const auto& tag) { return tag.first == entry.key; };
    if (std::none_of(trace_tags_.begin(), trace_tags_.end(), has_key))
      trace_tags_.emplace_back(RepairUtf8(entry.key), RepairUtf8(entry.value));
  }
  for (const SpanMetric& metric : request_.span.metrics)
    if (MetricTagOf(metric.key) == MetricTag::kSamplingPriority) trace_priority_ = metric.value;
  give_trace_tags_ = !trace_tags_.empty() || trace_priority_.has_value();
}

absl::Status TraceWriter::GiveTraceTags() {
  SpanRecord& span = request_.span;
  // A span may have as many tags as there may be, so each is looked for among those that are given.
  std::vector<std::pair<std::string_view, bool>> lacking;
  for (const auto& [key, value] : trace_tags_) lacking.emplace_back(key, true);
  std::sort(lacking.begin(), lacking.end());
  const auto find = [&lacking](std::string_view key) {
    return std::lower_bound(lacking.begin(), lacking.end(), std::pair(key, false));
  };
  for (const SpanMeta& entry : span.meta) {
    if (!absl::StartsWith(entry.key, kPropagationTagPrefix)) continue;
    if (const auto place = find(entry.key); place != lacking.end() && place->first == entry.key)
      place->second = false;
  }
  THAW_RETURN_IF_ERROR(ReserveMore(span.meta, trace_tags_.size(), &request_.charge));
  for (const auto& [key, value] : trace_tags_) {
    const bool lacks = std::any_of(lacking.begin(), lacking.end(),
                                   [&key = key](const auto& tag) { return tag.first == key && tag.second; });
    if (lacks) span.meta.push_back({key, value});
  }
  const auto is_priority = [](const SpanMetric& metric) { return metric.key == kSamplingPriorityMetric; };
  if (!trace_priority_.has_value() || std::any_of(span.metrics.begin(), span.metrics.end(), is_priority))
    return absl::OkStatus();
  THAW_RETURN_IF_ERROR(ReserveMore(span.metrics, 1, &request_.charge));
  span.metrics.push_back({kSamplingPriorityMetric, *trace_priority_});
  return absl::OkStatus();
}

absl::Status TraceWriter::GiveErrorsRate() {
  SpanRecord& span = request_.span;
  THAW_RETURN_IF_ERROR(ReserveMore(span.metrics, 1, &request_.charge));
  span.metrics.push_back({kErrorsRateMetric, 1});
  return absl::OkStatus();
}

absl::StatusOr<bool> TraceWriter::WriteSpanOf(const SpanNote& note) {
  // Reading costs as much as writing, and there may be far less to write than to read.
  request_.work -= kSpanWork + note.work();
  ProcessorState& processor = request_.processor;
  if (note.is_noise) {
    ++processor.counts.noise_spans;
    return false;
  }
  SpanRecord& span = request_.span;
  request_.reader.ReadAgain(note.position, span);
  if (give_trace_tags_) THAW_RETURN_IF_ERROR(GiveTraceTags());
  const bool gives_errors_rate = give_errors_rate_ && (next_ == root_ || request_.notes[root_].is_noise);
  if (gives_errors_rate) [[unlikely]]
    THAW_RETURN_IF_ERROR(GiveErrorsRate());
  span.parent_id = note.parent_id;
  size_t scratch_bytes = 0;
  if (note.is_large) [[unlikely]] {
    THAW_ASSIGN_OR_RETURN(scratch_bytes, BoundLargeSpan());
  }
  processor.span_processor->Process(span, *request_.fixed, note.top_level, request_.now, request_.scratch,
                                    text_work_);
  request_.work -= text_work_.done_in_span() + request_.RepairWork(note);
  const absl::StatusOr<bool> full = EncodeSpan();
  if (full.ok() && !*full) {
    ++written_;
    give_trace_tags_ = false;
    if (gives_errors_rate) give_errors_rate_ = false;
    request_.counts.metrics_not_finite += span.metrics_not_finite;
    request_.counts.values_left_out += span.values_left_out;
    request_.counts.strings_repaired += span.strings_repaired;
    if (request_.observer != nullptr) THAW_RETURN_IF_ERROR(ObserveSpan());
  }
  request_.scratch.Reset();
  request_.charge.Shrink(scratch_bytes);
  return full;
}

absl::StatusOr<bool> TraceWriter::EncodeSpan() {
  if (dropped_) return false;
  const std::string_view fixed = request_.fixed->encoded();
  const size_t bound = request_.span.size_bound() + fixed.size();
  // The chunk's priority and origin, and the lengths of what is nested.
  constexpr size_t kChunkBytes = 128;
  const size_t needed = bound + kChunkBytes + 3 * origin_.size();
  const size_t max_part = request_.limits.max_part_bytes;
  if (out().size() > 0 && needed > max_part - std::min(max_part, out().size())) return true;
  THAW_RETURN_IF_ERROR(out().ReserveMore(needed, &request_.charge));
  if (!chunk_open_) chunk_ = out().BeginMessage(TracerPayloadField::kChunks);
  chunk_open_ = true;
  const size_t before = out().size();
  WriteSpan(request_.span, fixed, out());
  request_.work -= static_cast<int64_t>(out().size() - before);
  ++request_.counts.spans;
  return false;
}

absl::StatusOr<size_t> TraceWriter::BoundLargeSpan() {
  CutLongTexts();
  HideBrokenTexts();
  const size_t bytes = ScratchBytes();
  THAW_RETURN_IF_ERROR(request_.charge.Grow(bytes));
  if (!CanAllocate(bytes)) return NoMemory(bytes);
  return bytes;
}

// Cuts texts that are searched, since very long ones would hold up the loop. The intake keeps less of them
// anyway: it cuts a resource at 5,000 characters and a tag at 25,000.
void TraceWriter::CutLongTexts() {
  constexpr size_t kAtMost = 256 << 10;
  SpanRecord& span = request_.span;
  const ReplaceRules& rules = request_.processor.options.replace_rules;
  span.resource = span.resource.substr(0, kAtMost);
  for (SpanMeta& entry : span.meta)
    if (IsSearchedTag(entry.key) || rules.RulesOfTag(entry.key) > 0)
      entry.value = entry.value.substr(0, kAtMost);
}

// Hides texts that are not UTF-8 beyond a bound for the span: repairing a byte takes as long as copying 32.
void TraceWriter::HideBrokenTexts() {
  constexpr size_t kAtMost = 512 << 10;
  size_t left = kAtMost;
  const auto bound = [this, &left](std::string_view& text) {
    if (IsValidUtf8(text)) return;
    if (text.size() > left) {
      text_work_.CountHidden();
      text = kHidden;
    } else {
      left -= text.size();
    }
  };
  SpanRecord& span = request_.span;
  for (std::string_view* text : {&span.service, &span.name, &span.resource, &span.type}) bound(*text);
  for (SpanMeta& entry : span.meta) {
    bound(entry.key);
    bound(entry.value);
  }
  for (SpanMetric& metric : span.metrics) bound(metric.key);
}

// Returns the bytes that a large span's text may become on the way: repaired, obfuscated, replaced.
size_t TraceWriter::ScratchBytes() const {
  constexpr size_t kAtMost = 3;
  const SpanRecord& span = request_.span;
  size_t bytes = span.type.empty() ? 0 : kAtMost * span.resource.size();
  // Repairing copies the text, which grows.
  const auto add = [&bytes](std::string_view text) {
    if (!IsValidUtf8(text)) bytes += 2 * kAtMost * text.size();
  };
  for (const std::string_view text : {span.service, span.name, span.resource, span.type}) add(text);
  for (const SpanMeta& entry : span.meta) {
    add(entry.key);
    add(entry.value);
    if (IsSearchedTag(entry.key)) bytes += kAtMost * entry.value.size();
  }
  for (const SpanMetric& metric : span.metrics) add(metric.key);
  return bytes + (request_.processor.options.replace_rules.empty() ? 0 : 2 * span.size_bound());
}

absl::Status TraceWriter::ObserveSpan() {
  std::vector<SpanMeta>& meta = request_.memory.observed_meta;
  const SpanRecord& span = request_.span;
  const FixedTags& fixed = *request_.fixed;
  THAW_RETURN_IF_ERROR(Reserve(meta, span.meta.size() + fixed.entries().size(), &request_.charge));
  meta.assign(span.meta.begin(), span.meta.end());
  meta.insert(meta.end(), fixed.entries().begin(), fixed.entries().end());
  // Stats tell apart spans that synthetic tests cause; the function's own origin would hide those.
  if (!origin_.empty()) {
    for (size_t i = span.meta.size(); i < meta.size(); ++i)
      if (meta[i].key == kOriginTag) meta[i].value = origin_;
  }
  SpanView view = ViewOf(span);
  view.meta = meta;
  request_.observer->OnSpan({.language = request_.headers.lang,
                             .tracer_version = request_.headers.tracer_version,
                             .runtime_id = request_.process.Get(MetaTag::kRuntimeId),
                             .container_id = request_.headers.container_id},
                            view);
  return absl::OkStatus();
}

}  // namespace thaw
