// The body of a request to the stats intake: a StatsPayload of many tracers' ClientStatsPayloads.

#ifndef THAW_CC_STATS_STATS_BATCH_H_
#define THAW_CC_STATS_STATS_BATCH_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace thaw {

// What a body has beside its payloads, at most.
inline constexpr size_t kStatsBatchFraming = 96;

// `payloads`: the bytes of StatsPayloads.
std::string EncodeStatsBatch(const std::vector<std::string_view>& payloads);

// `body` as two bodies that hold the same groups: cut between payloads, or else between the buckets of its
// only payload, or else between the groups of its only bucket. Bodies that have a part of a payload say so
// (SplitPayload), as the agent's do. Empty if it has but one group, or is no body.
std::vector<std::string> SplitStatsBatch(std::string_view body);

// `body` in parts of at most `max_bytes` each, or of one group.
std::vector<std::string> SplitStatsToFit(std::string body, size_t max_bytes);

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_BATCH_H_
