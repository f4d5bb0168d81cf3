// Encodes series for the intake: protobuf MetricPayload, version 2 of series.
//
//   const std::string common = EncodeSeriesTags(function_tags);
//   AppendSeries(label, SeriesType::kCount, points, common, batch);
//
// A tag dd.internal.resource:NAME:TYPE becomes a resource, as in the Agent. One thread.

#ifndef THAW_CC_METRICS_SERIES_PAYLOAD_H_
#define THAW_CC_METRICS_SERIES_PAYLOAD_H_

#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "cc/metrics/metric_batch.h"
#include "cc/metrics/metric_points.h"

namespace thaw {

// Returns tags that all series have, as AppendSeries takes them.
std::string EncodeSeriesTags(absl::Span<const std::string> tags);

void AppendSeries(const MetricLabel& label, SeriesType type, absl::Span<const SeriesPoint> points,
                  std::string_view common_tags, MetricBatch& batch);

}  // namespace thaw

#endif  // THAW_CC_METRICS_SERIES_PAYLOAD_H_
