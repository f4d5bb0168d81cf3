// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "cc/base/status_macros.h"
#include "cc/stats/aggregation_key.h"
#include "cc/stats/cardinality_limits.h"
#include "cc/stats/concentrator.h"
#include "cc/stats/pathway_stats.h"
#include "cc/stats/peer_tags.h"
#include "cc/stats/quantize_addresses.h"
#include "cc/stats/stats_payload.h"
#include "cc/stats/stats_tags.h"
#include "cc/trace/process/trace_processor.h"

namespace thaw {
namespace {

void AggregationKeyExample(const SpanView& span) {
  absl::flat_hash_map<std::string, int> groups;
#include "cc/stats/aggregation_key.h.example"
}

void CardinalityLimitsExample(CardinalityLimits& limits, const SpanView& span, const StatsTags& tags,
                              AggregationKeyEncoder& encoder) {
#include "cc/stats/cardinality_limits.h.example"
}

// Stands for the class of cc/flush/stats_flusher.h, which is in a room below this one.
class StatsFlusher {
 public:
  absl::StatusOr<uint64_t> Add(StatsPayload payload);
};

void ConcentratorExample(TraceProcessor& processor, StatsFlusher& flusher, const Clock& clock,
                         std::string_view body, TraceFormat format, TracerHeaders headers) {
#include "cc/stats/concentrator.h.example"
}

// Stands likewise for the class of cc/flush/pathway_flusher.h.
class PathwayFlusher {
 public:
  absl::StatusOr<uint64_t> Add(PathwayPayload payload);
};

void PathwayStatsExample(const Clock& clock, PathwayFlusher& flusher, uint64_t hash, uint64_t parent,
                         const std::vector<std::string>& tags, absl::Time sent) {
#include "cc/stats/pathway_stats.h.example"
}

void Use(std::string_view tag);

void PeerTagsExample() {
#include "cc/stats/peer_tags.h.example"
}

void QuantizeAddressesExample(std::string& text) {
#include "cc/stats/quantize_addresses.h.example"
}

absl::Status StatsPayloadExample(std::string_view body) {
#include "cc/stats/stats_payload.h.example"
  return absl::OkStatus();
}

void StatsPayload2Example(std::string_view body) {
#include "cc/stats/stats_payload.h.2.example"
}

void Use(std::string_view key);

void StatsTagsExample(const SpanView& span, AggregationKeyEncoder& encoder) {
#include "cc/stats/stats_tags.h.example"
}

}  // namespace
}  // namespace thaw
