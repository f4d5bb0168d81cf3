// Metrics that are encoded: the fields of a payload of series or of sketches, which can be put behind each other.
//
// A value type. One thread.

#ifndef THAW_CC_METRICS_METRIC_BATCH_H_
#define THAW_CC_METRICS_METRIC_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "cc/base/protobuf_writer.h"

namespace thaw {

struct MetricBatch {
  ProtobufWriter fields;
  int64_t points = 0;

  bool empty() const { return points == 0; }
  size_t size() const { return fields.size(); }
  // Returns the bytes of memory that the batch takes.
  size_t memory() const { return sizeof(*this) + fields.capacity(); }
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_METRIC_BATCH_H_
