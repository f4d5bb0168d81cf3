#include "cc/stats/cardinality_limits.h"

#include "absl/hash/hash.h"

namespace thaw {

bool CardinalityLimits::IsFull(const Values& values, std::string_view value, size_t limit) {
  return !value.empty() && values.size() >= limit && !values.contains(absl::HashOf(value));
}

size_t CardinalityLimits::Add(Values& values, std::string_view value) {
  // A table's slots are at least half empty when it has grown.
  return !value.empty() && values.insert(absl::HashOf(value)).second ? 2 * sizeof(uint64_t) : 0;
}

unsigned CardinalityLimits::BlockedOf(const SpanView& span, const StatsTags& tags,
                                      const AggregationKeyEncoder& key) const {
  unsigned blocked = 0;
  if (IsFull(resources_, span.resource, kMaxResources)) blocked |= kResourceValue;
  if (IsFull(endpoints_, tags.http_endpoint, kMaxEndpoints)) blocked |= kEndpointValue;
  if (IsFull(peers_, key.peers(), kMaxPeers)) blocked |= kPeersValue;
  if (IsFull(additional_, key.additional(), max_additional_)) blocked |= kAdditionalValue;
  return blocked;
}

size_t CardinalityLimits::Admit(const SpanView& span, const StatsTags& tags, const AggregationKeyEncoder& key,
                                unsigned blocked) {
  size_t bytes = 0;
  if ((blocked & kResourceValue) == 0) bytes += Add(resources_, span.resource);
  if ((blocked & kEndpointValue) == 0) bytes += Add(endpoints_, tags.http_endpoint);
  if ((blocked & kPeersValue) == 0) bytes += Add(peers_, key.peers());
  if ((blocked & kAdditionalValue) == 0) bytes += Add(additional_, key.additional());
  return bytes;
}

}  // namespace thaw
