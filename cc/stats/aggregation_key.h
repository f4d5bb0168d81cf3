// Encodes the key of a span: spans with equal keys are counted together.
//
//   AggregationKeyEncoder encoder;
//   ++groups[encoder.Encode(span, StatsTags::Of(span))];
//
// A key is the bytes that express it in a request: entries of a ClientGroupedStats in MessagePack, without
// the map's head. So it is encoded once, and compared, kept and sent as it is. Source of the names: the
// published schema of the Datadog agent's stats payloads.

#ifndef THAW_CC_STATS_AGGREGATION_KEY_H_
#define THAW_CC_STATS_AGGREGATION_KEY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "cc/base/msgpack_writer.h"
#include "cc/stats/quantize_addresses.h"
#include "cc/stats/stats_tags.h"
#include "cc/trace/span_view.h"

namespace thaw {

// The number of entries of a key.
inline constexpr uint32_t kAggregationKeyEntries = 13;

// Replaces values that there was no room to tell apart.
inline constexpr std::string_view kBlockedValue = "tracer_blocked_value";

// The key that counts all spans for whose own keys there was no room.
const std::string& BlockedKey();

class AggregationKeyEncoder {
 public:
  // Returns the span's key, valid until the next call. Allocates nothing once there was a key of this length,
  // lists of peers apart.
  std::string_view Encode(const SpanView& span, const StatsTags& tags);

 private:
  MsgpackWriter key_;
  std::string peer_tag_;
  AddressQuantizer quantizer_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_AGGREGATION_KEY_H_
