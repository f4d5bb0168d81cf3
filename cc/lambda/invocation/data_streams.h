// Makes the checkpoints of Data Streams for the messages that an event brings: which queue, topic, stream or bus each
// came from, and over which pathway.
//
//   AddCheckpoints(event, options, pathways);   // once for each invocation
//
// Tracers for Java, .NET and Go leave this to the extension; those for Python and Node.js make the checkpoints
// themselves, and don't call the extension at an invocation's start. A message without a pathway begins a new one.
// Messages that the event's tree omits (event_json.h) have no checkpoint.
//
// Source: dd-trace-js, packages/dd-trace/src/datastreams; other tracers hash otherwise, which is no matter since only
// hashes of one service are compared.

#ifndef THAW_CC_LAMBDA_INVOCATION_DATA_STREAMS_H_
#define THAW_CC_LAMBDA_INVOCATION_DATA_STREAMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "boost/json/fwd.hpp"
#include "cc/stats/pathway_stats.h"

namespace thaw {

struct DataStreamsOptions {
  std::string exchange;     // DD_DSM_EXCHANGE_NAME: the name of the bus; empty: it is taken from the event
  std::string kafka_group;  // DD_DSM_KAFKA_GROUP: the tag `group` of Kafka's records; empty: none
};

// The pathway as the sender of a message describes it.
struct PathwayContext {
  uint64_t hash = 0;
  absl::Time pathway_start;
  absl::Time edge_start;
};

// Reads the bytes of `dd-pathway-ctx`: the hash, little-endian, and two zigzag varints of ms since 1970. Returns
// nullopt if the times are none that a sender can have written: a text in base64, for instance, is no context before
// it is decoded.
std::optional<PathwayContext> DecodePathwayContext(std::string_view bytes);

// Returns the hash of a pathway: SHA-256 of service, environment and edge tags, then of this with the parent's hash.
// The tags must be sorted.
uint64_t PathwayHash(std::string_view service, std::string_view env, absl::Span<const std::string> edge_tags,
                     uint64_t parent_hash);

// Adds a checkpoint for each message of the event.
void AddCheckpoints(const boost::json::value& event, const DataStreamsOptions& options,
                    PathwayStats& pathways);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_DATA_STREAMS_H_
