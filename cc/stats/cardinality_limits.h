// Limits how many different values of each kind the keys of one interval have, as the agent's own limits do. A value
// beyond its limit is replaced by kBlockedValue, and the rest of the key stays, so that a resource with an id in it
// costs the other groups nothing.
//
//   const unsigned blocked = limits.BlockedOf(span, tags, encoder);      // for a key that is new
//   std::string_view key = encoder.Encode(span, tags, blocked);
//   size_t bytes = limits.Admit(span, tags, encoder, blocked);           // once there is a group for it
//
// One thread only.

#ifndef THAW_CC_STATS_CARDINALITY_LIMITS_H_
#define THAW_CC_STATS_CARDINALITY_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "cc/stats/aggregation_key.h"
#include "cc/stats/stats_tags.h"
#include "cc/trace/span_view.h"

namespace thaw {

class CardinalityLimits {
 public:
  static constexpr size_t kMaxKeys = 7000;
  static constexpr size_t kMaxResources = 1024;
  static constexpr size_t kMaxEndpoints = 512;
  static constexpr size_t kMaxPeers = 512;
  static constexpr size_t kMaxAdditional = 100;  // by default

  // `max_additional` limits the sets of additional tags.
  explicit CardinalityLimits(size_t max_additional = kMaxAdditional) : max_additional_(max_additional) {}

  // Returns the values of the encoder's last key, bits of KeyValue, for which there is no room.
  unsigned BlockedOf(const SpanView& span, const StatsTags& tags, const AggregationKeyEncoder& key) const;
  // Counts the values of the encoder's last key that are not `blocked`, and returns the bytes that this takes.
  size_t Admit(const SpanView& span, const StatsTags& tags, const AggregationKeyEncoder& key,
               unsigned blocked);

 private:
  // Hashes of the values. Two values with one hash count as one.
  using Values = absl::flat_hash_set<uint64_t>;

  static bool IsFull(const Values& values, std::string_view value, size_t limit);
  static size_t Add(Values& values, std::string_view value);

  size_t max_additional_;
  Values resources_;
  Values endpoints_;
  Values peers_;
  Values additional_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_CARDINALITY_LIMITS_H_
