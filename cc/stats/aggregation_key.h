// Which spans are counted together: those whose keys are equal.
//
//   AggregationKeyEncoder encoder;
//   groups[encoder.Encode(span, StatsTags::Of(span))] += ...;
//
// A key is the bytes that say it in a request: entries of a ClientGroupedStats in MessagePack, without the
// map's head. So it is compared, kept and sent as it is, and encoded once. Source of the names: the published
// schema of the Datadog agent's stats payloads.

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

// Entries that a key has.
inline constexpr uint32_t kAggregationKeyEntries = 13;

// What stands for values that there was no room to tell apart.
inline constexpr std::string_view kBlockedValue = "tracer_blocked_value";

// The key of spans for whose own keys there was no room.
const std::string& BlockedKey();

class AggregationKeyEncoder {
 public:
  // Valid until the next call. Allocates nothing, once there was a key as long as this one; lists of peers
  // apart.
  std::string_view Encode(const SpanView& span, const StatsTags& tags);

 private:
  MsgpackWriter key_;
  std::string peer_tag_;
  AddressQuantizer quantizer_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_AGGREGATION_KEY_H_
