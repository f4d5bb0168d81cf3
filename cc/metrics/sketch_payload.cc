#include "cc/metrics/sketch_payload.h"

#include <cstddef>
#include <cstdint>

#include "cc/base/protobuf_writer.h"
#include "cc/metrics/metric_origin.h"

namespace thaw {
namespace {

namespace field {
constexpr uint32_t kSketches = 1;  // of a payload
// Fields of a sketch.
constexpr uint32_t kMetric = 1;
constexpr uint32_t kTags = 4;
constexpr uint32_t kDogsketches = 7;
constexpr uint32_t kMetadata = 8;
constexpr uint32_t kTime = 1;  // of a Dogsketch
}  // namespace field
}  // namespace

std::string EncodeSketchTags(absl::Span<const std::string> tags) {
  ProtobufWriter out;
  for (const std::string& tag : tags) out.String(field::kTags, tag);
  return std::string(out.bytes());
}

void AppendSketches(const MetricLabel& label, absl::Span<const SketchPoint> points,
                    std::string_view common_tags, MetricBatch& batch) {
  ProtobufWriter& out = batch.fields;
  const size_t sketch = out.BeginMessage(field::kSketches);
  out.String(field::kMetric, label.name);
  out.Raw(common_tags);
  for (size_t i = 0; i < label.tags.size(); ++i) out.String(field::kTags, label.tags[i]);
  for (const SketchPoint& each : points) {
    const size_t point = out.BeginMessage(field::kDogsketches);
    out.Varint(field::kTime, static_cast<uint64_t>(each.time));
    each.sketch->Encode(out);
    out.EndMessage(point);
  }
  AppendOrigin(field::kMetadata, label.name, out);
  out.EndMessage(sketch);
  batch.points += static_cast<int64_t>(points.size());
}

}  // namespace thaw
