// The body of a request to the stats intake: a StatsPayload of many tracers' ClientStatsPayloads.

#ifndef THAW_CC_STATS_STATS_BATCH_H_
#define THAW_CC_STATS_STATS_BATCH_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace thaw {

// Largest size of a body beside its payloads.
inline constexpr size_t kStatsBatchFraming = 96;

// `payloads`: the encoded StatsPayloads. `parts`: they are parts of payloads that were cut before.
std::string EncodeStatsBatch(const std::vector<std::string_view>& payloads, bool parts = false);

// Cuts an encoded StatsPayload into two that hold the same groups: between its buckets, or else between the
// groups of its only bucket. Returns nothing if it has only one group or is invalid, or if fields that both
// halves would repeat are the larger part of it.
std::vector<std::string> SplitStatsPayload(std::string_view payload);

// Cuts `body` into two bodies that hold the same groups: between payloads, or else between the buckets of its
// only payload, or else between the groups of its only bucket. Bodies with a part of a payload are marked
// (SplitPayload), as the agent's are. Returns nothing where SplitStatsPayload does.
std::vector<std::string> SplitStatsBatch(std::string_view body);

// The same for the body of data streams (PathwayBody), which has intervals and their groups.
std::vector<std::string> SplitPathwayBody(std::string_view body);

// Cuts `body` into parts of at most `max_bytes` each, or of one group. Returns ResourceExhausted if there is no
// memory.
absl::StatusOr<std::vector<std::string>> SplitStatsToFit(std::string body, size_t max_bytes);

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_BATCH_H_
