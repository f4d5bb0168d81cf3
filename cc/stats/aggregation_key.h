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
#include <vector>

#include "cc/base/msgpack_writer.h"
#include "cc/stats/quantize_addresses.h"
#include "cc/stats/stats_tags.h"
#include "cc/trace/span_view.h"

namespace thaw {

// The number of entries of a key without additional tags.
inline constexpr uint32_t kAggregationKeyEntries = 13;

// The values of a key that can be replaced by kBlockedValue, as bits.
enum KeyValue : unsigned {
  kResourceValue = 1,
  kEndpointValue = 2,
  kPeersValue = 4,
  kAdditionalValue = 8,
};

// Replaces values that there was no room to tell apart.
inline constexpr std::string_view kBlockedValue = "tracer_blocked_value";

class AggregationKeyEncoder {
 public:
  // `additional_tags`: further tags that tell groups apart, in order; with any, each key has an entry more.
  explicit AggregationKeyEncoder(std::vector<std::string> additional_tags = {});

  // Returns the span's key, valid until the next call. Allocates nothing once there was a key of this length,
  // lists of peers apart. `blocked`: the values to replace, bits of KeyValue.
  std::string_view Encode(const SpanView& span, const StatsTags& tags, unsigned blocked = 0);

  // The parts of the last key that tell peers and additional tags; empty if it has none.
  std::string_view peers() const { return peers_; }
  std::string_view additional() const { return additional_; }

  // Returns the number of entries of each key.
  uint32_t entries() const { return kAggregationKeyEntries + (additional_tags_.empty() ? 0 : 1); }
  // Returns the key that counts all spans for whose own keys there was no room.
  const std::string& blocked_key() const { return blocked_key_; }

 private:
  void EncodeAdditional(const SpanView& span, bool blocked);

  const std::vector<std::string> additional_tags_;
  const std::string blocked_key_;
  MsgpackWriter key_;
  std::string_view peers_;
  std::string_view additional_;
  uint32_t additional_count_ = 0;
  std::string peer_tag_;
  AddressQuantizer quantizer_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_AGGREGATION_KEY_H_
