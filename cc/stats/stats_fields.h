// The fields of a ClientStatsPayload: their keys, their types, and which of them a request must have.
//
// Source: the published schema of the Datadog agent's stats payloads (stats.proto).

#ifndef THAW_CC_STATS_STATS_FIELDS_H_
#define THAW_CC_STATS_STATS_FIELDS_H_

#include <cstddef>
#include <string_view>

namespace thaw {

enum class StatsType {
  kString,
  kUnsigned,
  kUnsigned32,
  kSigned,
  kHash,  // 64 bits, which some tracers write with a sign
  kBool,
  kSketch,
  kStrings,
};

struct StatsField {
  std::string_view key;
  StatsType type;
  bool required = false;
};

// Fields of a ClientStatsPayload; Hostname and Stats are written apart.
inline constexpr StatsField kStatsPayloadFields[] = {
    {"Env", StatsType::kString},
    {"Version", StatsType::kString},
    {"Lang", StatsType::kString},
    {"TracerVersion", StatsType::kString},
    {"RuntimeID", StatsType::kString},
    {"Sequence", StatsType::kUnsigned},
    {"AgentAggregation", StatsType::kString},
    {"Service", StatsType::kString},
    {"ContainerID", StatsType::kString},
    {"Tags", StatsType::kStrings},
    {"GitCommitSha", StatsType::kString},
    {"ImageTag", StatsType::kString},
    {"ProcessTagsHash", StatsType::kHash},
    {"ProcessTags", StatsType::kString},
};

// Fields of a ClientStatsBucket except for Stats.
inline constexpr StatsField kStatsBucketFields[] = {
    {"Start", StatsType::kUnsigned, true},
    {"Duration", StatsType::kUnsigned, true},
    {"AgentTimeShift", StatsType::kSigned},
};

// Fields of a ClientGroupedStats.
inline constexpr StatsField kStatsGroupFields[] = {
    {"Service", StatsType::kString, true},
    {"Name", StatsType::kString, true},
    {"Resource", StatsType::kString, true},
    {"HTTPStatusCode", StatsType::kUnsigned32, true},
    {"Type", StatsType::kString},
    {"DBType", StatsType::kString},
    {"Hits", StatsType::kUnsigned, true},
    {"Errors", StatsType::kUnsigned, true},
    {"Duration", StatsType::kUnsigned, true},
    {"OkSummary", StatsType::kSketch, true},
    {"ErrorSummary", StatsType::kSketch, true},
    {"Synthetics", StatsType::kBool, true},
    {"TopLevelHits", StatsType::kUnsigned, true},
    {"SpanKind", StatsType::kString},
    {"PeerTags", StatsType::kStrings},
    {"IsTraceRoot", StatsType::kUnsigned32},
    {"GRPCStatusCode", StatsType::kString},
    {"HTTPMethod", StatsType::kString},
    {"HTTPEndpoint", StatsType::kString},
    {"srv_src", StatsType::kString},
    {"SpanDerivedPrimaryTags", StatsType::kStrings},
    {"AdditionalMetricTags", StatsType::kStrings},
};

// Returns the number of fields if none has this key.
template <size_t n>
size_t StatsFieldIndex(const StatsField (&fields)[n], std::string_view key) {
  for (size_t i = 0; i < n; ++i)
    if (fields[i].key == key) return i;
  return n;
}

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_FIELDS_H_
