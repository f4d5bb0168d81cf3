// Encodes sketches of distributions for the intake: protobuf SketchPayload.
//
//   const std::string common = EncodeSketchTags(function_tags);
//   AppendSketches(label, points, common, batch);
//
// One thread.

#ifndef THAW_CC_METRICS_SKETCH_PAYLOAD_H_
#define THAW_CC_METRICS_SKETCH_PAYLOAD_H_

#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "cc/metrics/metric_batch.h"
#include "cc/metrics/metric_points.h"

namespace thaw {

// Returns tags that all sketches have, as AppendSketches takes them.
std::string EncodeSketchTags(absl::Span<const std::string> tags);

void AppendSketches(const MetricLabel& label, absl::Span<const SketchPoint> points,
                    std::string_view common_tags, MetricBatch& batch);

}  // namespace thaw

#endif  // THAW_CC_METRICS_SKETCH_PAYLOAD_H_
