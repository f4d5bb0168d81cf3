// The number by which the intake knows what a metric was made by.
//
//   AppendOrigin(/*metadata_field=*/9, name, out);
//
// Any thread.

#ifndef THAW_CC_METRICS_METRIC_ORIGIN_H_
#define THAW_CC_METRICS_METRIC_ORIGIN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cc/base/protobuf_writer.h"

namespace thaw {

// Returns the origin's service: 472 for custom metrics, 473 for those of Lambda, 474 for those of a runtime; 0 for
// metrics without an origin.
inline uint32_t OriginService(std::string_view name) {
  if (name.starts_with("datadog.")) return 0;
  if (name.starts_with("jvm.") || name.starts_with("runtime.")) return 474;
  if (name.starts_with("aws.lambda.") || name == "aws.lambda") return 473;
  return 472;
}

// Appends the field `metadata` with the metric's origin, if it has one: product 1 (the Agent), category 38 (Lambda).
inline void AppendOrigin(uint32_t metadata_field, std::string_view name, ProtobufWriter& out) {
  const uint32_t service = OriginService(name);
  if (service == 0) return;
  const size_t metadata = out.BeginMessage(metadata_field);
  const size_t origin = out.BeginMessage(1);
  out.Varint(4, 1);
  out.Varint(5, 38);
  out.Varint(6, service);
  out.EndMessage(origin);
  out.EndMessage(metadata);
}

}  // namespace thaw

#endif  // THAW_CC_METRICS_METRIC_ORIGIN_H_
