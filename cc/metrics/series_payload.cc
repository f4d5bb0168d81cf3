#include "cc/metrics/series_payload.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/match.h"
#include "cc/base/protobuf_writer.h"
#include "cc/metrics/count_times.h"
#include "cc/metrics/metric_origin.h"

namespace thaw {
namespace {

namespace field {
constexpr uint32_t kSeries = 1;  // of a payload
// Fields of a series.
constexpr uint32_t kResources = 1;
constexpr uint32_t kMetric = 2;
constexpr uint32_t kTags = 3;
constexpr uint32_t kPoints = 4;
constexpr uint32_t kType = 5;
constexpr uint32_t kInterval = 8;
constexpr uint32_t kMetadata = 9;
// Fields of a resource.
constexpr uint32_t kResourceType = 1;
constexpr uint32_t kResourceName = 2;
// Fields of a point.
constexpr uint32_t kValue = 1;
constexpr uint32_t kTimestamp = 2;
}  // namespace field

constexpr std::string_view kResourceTag = "dd.internal.resource:";

void AppendResource(std::string_view tag, ProtobufWriter& out) {
  tag.remove_prefix(kResourceTag.size());
  const size_t colon = tag.find(':');
  if (colon == std::string_view::npos) return;
  const size_t resource = out.BeginMessage(field::kResources);
  out.String(field::kResourceType, tag.substr(colon + 1));
  out.String(field::kResourceName, tag.substr(0, colon));
  out.EndMessage(resource);
}

}  // namespace

std::string EncodeSeriesTags(absl::Span<const std::string> tags) {
  ProtobufWriter out;
  for (const std::string& tag : tags) out.String(field::kTags, tag);
  return std::string(out.bytes());
}

void AppendSeries(const MetricLabel& label, SeriesType type, absl::Span<const SeriesPoint> points,
                  std::string_view common_tags, MetricBatch& batch) {
  ProtobufWriter& out = batch.fields;
  const size_t series = out.BeginMessage(field::kSeries);
  for (size_t i = 0; i < label.tags.size(); ++i)
    if (absl::StartsWith(label.tags[i], kResourceTag)) AppendResource(label.tags[i], out);
  out.String(field::kMetric, label.name);
  out.Raw(common_tags);
  for (size_t i = 0; i < label.tags.size(); ++i)
    if (!absl::StartsWith(label.tags[i], kResourceTag)) out.String(field::kTags, label.tags[i]);
  for (const SeriesPoint& each : points) {
    const size_t point = out.BeginMessage(field::kPoints);
    out.Double(field::kValue, each.value);
    out.Varint(field::kTimestamp, static_cast<uint64_t>(each.time));
    out.EndMessage(point);
  }
  out.Varint(field::kType, static_cast<uint64_t>(type));
  if (type != SeriesType::kGauge) out.Varint(field::kInterval, CountTimes::kInterval);
  AppendOrigin(field::kMetadata, label.name, out);
  out.EndMessage(series);
  batch.points += static_cast<int64_t>(points.size());
}

}  // namespace thaw
