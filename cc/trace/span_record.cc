#include "cc/trace/span_record.h"

#include "cc/base/utf8.h"
#include "cc/trace/trace_fields.h"

namespace thaw {

void SpanRecord::RepairText(ScratchText& scratch) {
  const auto repair = [this, &scratch](std::string_view& text) {
    if (IsValidUtf8(text)) [[likely]]
      return;
    ++strings_repaired;
    text = scratch.Take() = RepairUtf8(text);
  };
  for (std::string_view* text : {&service, &name, &resource, &type}) repair(*text);
  for (SpanMeta& entry : meta) {
    repair(entry.key);
    repair(entry.value);
  }
  for (SpanMetric& metric : metrics) repair(metric.key);
}

size_t SpanRecord::size_bound() const {
  // Bounds: a string has a tag of one byte and a length of at most five; an entry of a map is framed once
  // more.
  constexpr size_t kText = 6, kEntry = 18, kNumbers = 80;
  size_t bound =
      kNumbers + 4 * kText + service.size() + name.size() + resource.size() + type.size() + structures.size();
  for (const SpanMeta& entry : meta) bound += kEntry + entry.key.size() + entry.value.size();
  for (const SpanMetric& metric : metrics) bound += kEntry + metric.key.size() + sizeof(double);
  return bound;
}

void WriteSpan(const SpanRecord& span, std::string_view more_meta, ProtobufWriter& out) {
  const size_t message = out.BeginMessage(TraceChunkField::kSpans);
  const auto text = [&out](uint32_t field, std::string_view value) {
    if (!value.empty()) out.String(field, value);
  };
  const auto number = [&out](uint32_t field, uint64_t value) {
    if (value != 0) out.Varint(field, value);
  };
  text(SpanField::kService, span.service);
  text(SpanField::kName, span.name);
  text(SpanField::kResource, span.resource);
  number(SpanField::kTraceId, span.trace_id);
  number(SpanField::kSpanId, span.span_id);
  number(SpanField::kParentId, span.parent_id);
  number(SpanField::kStart, static_cast<uint64_t>(span.start));
  number(SpanField::kDuration, static_cast<uint64_t>(span.duration));
  number(SpanField::kError, static_cast<uint64_t>(int64_t{span.error}));
  for (const SpanMeta& entry : span.meta) out.StringEntry(SpanField::kMeta, entry.key, entry.value);
  out.Raw(more_meta);
  for (const SpanMetric& metric : span.metrics)
    out.DoubleEntry(SpanField::kMetrics, metric.key, metric.value);
  text(SpanField::kType, span.type);
  out.Raw(span.structures.bytes());
  out.EndMessage(message);
}

}  // namespace thaw
