#include "cc/trace/trace_payload.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "cc/base/scratch_text.h"
#include "cc/base/status_macros.h"
#include "cc/base/utf8.h"
#include "cc/trace/process_fields.h"
#include "cc/trace/span_index.h"
#include "cc/trace/span_note.h"
#include "cc/trace/span_record.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/trace_fields.h"

namespace thaw {

class TraceTranscoder {
 public:
  TraceTranscoder(std::string_view body, TracerHeaders headers, TraceFormat format) : reader_(body, format) {
    payload_.headers_ = std::move(headers);
    // Protobuf needs no more room than MessagePack, except for the entries of maps: at most 4 bytes each,
    // which keys that become field numbers make up for. Texts from a table may exceed it; then the buffer
    // grows.
    payload_.chunk_fields_ = ProtobufWriter(body.size() + body.size() / 8 + 256);
    span_.meta.reserve(32);
    span_.metrics.reserve(8);
  }

  absl::StatusOr<TracePayload> Run() {
    THAW_RETURN_IF_ERROR(reader_.ReadAll(span_, payload_.counts_, payload_.first_problem_, *this));
    payload_.counts_.strings_repaired +=
        process_.Write(payload_.headers_, /*default_env=*/"", payload_.process_fields_);
    payload_.chunk_fields_.Shrink();
    return std::move(payload_);
  }

  // The reader's calls.
  absl::Status BeginRequest(size_t) { return absl::OkStatus(); }
  absl::Status BeginTrace(size_t spans) { return notes_.MakeRoom(spans, /*charge=*/nullptr); }

  absl::Status OnSpan(size_t position) {
    if (notes_.empty()) chunk_ = out().BeginMessage(TracerPayloadField::kChunks);
    SpanNote note(span_, position);
    if (span_.converted.taken() > 0) note.service = reader_.Keep(note.service);
    for (const SpanMetric& metric : span_.metrics)
      if (MetricTagOf(metric.key) == MetricTag::kSamplingPriority) note.SetPriority(metric.value);
    for (const SpanMeta& entry : span_.meta) {
      const MetaTag tag = MetaTagOf(entry.key);
      has_origin_ |= tag == MetaTag::kOrigin;
      TakeProcessTag(tag, Kept(tag, entry.value), tags_);
    }
    if (!notes_.has_room()) THAW_RETURN_IF_ERROR(notes_.MakeRoom(1, /*charge=*/nullptr));
    notes_.push_back(note);
    span_.RepairText(scratch_);
    WriteSpan(span_, /*more_meta=*/"", out());
    scratch_.Reset();
    TraceCounts& counts = payload_.counts_;
    ++counts.spans;
    counts.metrics_not_finite += span_.metrics_not_finite;
    counts.values_left_out += span_.values_left_out;
    counts.strings_repaired += span_.strings_repaired;
    return absl::OkStatus();
  }

  // Settles the facts that need all spans.
  absl::Status EndTrace() {
    THAW_ASSIGN_OR_RETURN(const SpanNote* const root, FindRoot());
    if (const int64_t priority = PriorityOf(*root); priority != 0)
      out().Varint(TraceChunkField::kPriority, static_cast<uint64_t>(priority));
    if (has_origin_ || process_.Lacks(tags_)) TakeRootTags(*root);
    out().EndMessage(chunk_);
    ++payload_.counts_.chunks;
    notes_.Clear(kKeptBytes);
    tags_ = {};
    has_origin_ = false;
    return absl::OkStatus();
  }

 private:
  // Returns a tag's value such that it lives as long as it is needed.
  std::string_view Kept(MetaTag tag, std::string_view value) {
    return span_.converted.taken() == 0 || tag > MetaTag::kOrigin ? value : reader_.Keep(value);
  }

  ProtobufWriter& out() { return payload_.chunk_fields_; }

  // Returns the last span without a parent, else the last whose parent is absent, else the last.
  absl::StatusOr<const SpanNote*> FindRoot() {
    for (size_t i = notes_.size(); i-- > 0;)
      if (notes_[i].parent_id == 0) return &notes_[i];
    THAW_RETURN_IF_ERROR(index_.Begin(notes_, 0, notes_.size(), /*charge=*/nullptr));
    int64_t work = std::numeric_limits<int64_t>::max();
    index_.Build(work);
    for (size_t i = notes_.size(); i-- > 0;)
      if (index_.Find(notes_[i].parent_id) == nullptr) return &notes_[i];
    return &notes_.back();
  }

  // Returns the root's priority, else that of the first span that has one, else kNoPriority.
  int32_t PriorityOf(const SpanNote& root) const {
    if (root.has_priority) return root.priority;
    for (size_t i = 0; i < notes_.size(); ++i)
      if (notes_[i].has_priority) return notes_[i].priority;
    return kNoPriority;
  }

  // Reads the root again for a few of its tags.
  void TakeRootTags(const SpanNote& root) {
    reader_.ReadAgain(root.position, span_);
    ProcessTags root_tags;
    std::string_view origin;
    for (const SpanMeta& entry : span_.meta) {
      const MetaTag tag = MetaTagOf(entry.key);
      if (tag == MetaTag::kOrigin) origin = entry.value;
      TakeProcessTag(tag, Kept(tag, entry.value), root_tags);
    }
    process_.Add(root_tags, tags_);
    if (origin.empty()) return;
    if (!IsValidUtf8(origin)) {
      ++payload_.counts_.strings_repaired;
      origin = scratch_.Take() = RepairUtf8(origin);
    }
    out().String(TraceChunkField::kOrigin, origin);
    scratch_.Reset();
  }

  // Bytes of notes that are kept from one trace for the next.
  static constexpr size_t kKeptBytes = 1 << 20;

  TraceReader reader_;
  TracePayload payload_;
  SpanRecord span_;
  ScratchText scratch_;
  ProcessFields process_;
  // Notes of the trace being read.
  SpanNotes notes_;
  SpanIndex index_;
  ProcessTags tags_;
  size_t chunk_ = 0;
  bool has_origin_ = false;
};

absl::StatusOr<TracePayload> TracePayload::FromMsgpack(std::string_view body, TracerHeaders headers,
                                                       TraceFormat format) {
  return TraceTranscoder(body, std::move(headers), format).Run();
}

}  // namespace thaw
