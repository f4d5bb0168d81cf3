// Counts checkpoints of data streams: latencies and sizes of the messages that a service takes, by intervals of
// 10 s.
//
//   PathwayStats pathways({.service = "shop"}, clock);
//   pathways.Add({.hash = hash, .parent_hash = parent, .edge_tags = tags, .edge_start = sent});
//   absl::Status status = pathways.HandOver([&](PathwayPayload payload) {
//     return flusher.Add(std::move(payload)).status();
//   });
//
// Everything is handed over at once, unfinished intervals too, because the environment may be frozen afterwards: the
// intake merges sketches of one interval. Memory is bounded: a checkpoint that needs more is dropped and counted.
//
// Source of the format: what Datadog's tracers for Python and Node.js send to /v0.1/pipeline_stats. One thread only.

#ifndef THAW_CC_STATS_PATHWAY_STATS_H_
#define THAW_CC_STATS_PATHWAY_STATS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/sketch/ddsketch.h"

namespace thaw {

// One message that arrived.
struct PathwayCheckpoint {
  uint64_t hash = 0;         // of the pathway up to here
  uint64_t parent_hash = 0;  // of the pathway up to the sender; 0: none is known
  std::vector<std::string> edge_tags;
  // When the pathway's first message, and this one, were sent; InfinitePast: unknown, so that the latency is 0.
  absl::Time pathway_start = absl::InfinitePast();
  absl::Time edge_start = absl::InfinitePast();
  size_t payload_bytes = 0;
};

struct PathwayStatsOptions {
  std::string service;
  std::string env;
  std::string version;
  std::vector<std::string> tags;  // name:value, of the function
  std::string extension_version;
  size_t max_bytes = size_t{1} << 20;  // of all intervals
  // The account that the counts are charged to; may be null. Must outlive the stats.
  ByteAccount* account = nullptr;
};

// X(name, what it counts)
#define THAW_PATHWAY_COUNTS(X)                                          \
  X(checkpoints, "messages that were counted in data streams")          \
  X(checkpoints_dropped, "messages for whose counts there was no room") \
  X(payloads_refused, "payloads for which the flusher had no room: their counts are kept")

struct PathwayCounts {
  THAW_DECLARE_COUNTS(THAW_PATHWAY_COUNTS)
};

// The counts of some intervals, as MessagePack: the common members of the body, and the intervals one after the
// other.
struct PathwayPayload {
  std::string members;    // kPathwayMembers pairs
  std::string intervals;  // maps
  uint32_t interval_count = 0;

  size_t size() const { return members.size() + intervals.size(); }
  size_t memory() const { return sizeof(*this) + members.capacity() + intervals.capacity(); }
};

// Returns the body of a request with the intervals of all payloads, which must have the same members. There must be
// one.
std::string PathwayBody(const std::vector<const PathwayPayload*>& payloads);

class PathwayStats {
 public:
  // `clock` must outlive the stats; its wall time is used.
  PathwayStats(PathwayStatsOptions options, const Clock& clock);
  PathwayStats(const PathwayStats&) = delete;
  PathwayStats& operator=(const PathwayStats&) = delete;

  void Add(const PathwayCheckpoint& checkpoint);

  // Passes `take` everything in one payload, and forgets it. Keeps it if `take` returns an error, which is returned.
  absl::Status HandOver(absl::FunctionRef<absl::Status(PathwayPayload)> take);

  std::string_view service() const { return options_.service; }
  std::string_view env() const { return options_.env; }
  size_t memory() const { return bytes_.bytes(); }
  const PathwayCounts& counts() const { return counts_; }

 private:
  struct Group {
    DDSketch edge_latency;     // s
    DDSketch pathway_latency;  // s
    DDSketch payload_size;     // bytes

    size_t memory() const { return edge_latency.memory() + pathway_latency.memory() + payload_size.memory(); }
  };
  using Key = std::tuple<uint64_t, uint64_t, std::vector<std::string>>;  // hash, parent's hash, edge's tags
  using Interval = std::map<Key, Group>;

  std::string EncodeInterval(int64_t start, const Interval& interval) const;

  const PathwayStatsOptions options_;
  const Clock& clock_;
  const std::string members_;
  std::map<int64_t, Interval> intervals_;  // by their start in ns since 1970
  ChargedBytes bytes_{options_.account};
  PathwayCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_STATS_PATHWAY_STATS_H_
