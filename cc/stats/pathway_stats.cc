#include "cc/stats/pathway_stats.h"

#include <algorithm>
#include <utility>

#include "cc/base/msgpack_writer.h"
#include "cc/base/protobuf_writer.h"

namespace thaw {
namespace {

constexpr int64_t kIntervalNs = 10'000'000'000;
// The members of a body beside its intervals.
constexpr uint32_t kMembers = 6;
// About the memory of a group and its node beside the sketches and the tags.
constexpr size_t kGroupBytes = 256;
// The most that one checkpoint adds to the three sketches of its group; a sketch may have as many spare bins as bins.
constexpr size_t kMostGrowth = 3 * 2 * size_t{DDSketch::kMaxBins} * sizeof(uint32_t);

std::string MembersOf(const PathwayStatsOptions& options) {
  MsgpackWriter out;
  const auto text = [&out](std::string_view name, std::string_view value) {
    out.String(name);
    out.String(value);
  };
  text("Env", options.env);
  text("Service", options.service);
  text("TracerVersion", options.extension_version);
  text("Lang", "cpp-extension");
  text("Version", options.version);
  out.String("Tags");
  out.Array(static_cast<uint32_t>(options.tags.size()));
  for (const std::string& tag : options.tags) out.String(tag);
  return out.Take();
}

double SecondsBetween(absl::Time begin, absl::Time end) {
  if (begin == absl::InfinitePast()) return 0;
  // A sender's clock may be ahead.
  return std::max(absl::ToDoubleSeconds(end - begin), 0.0);
}

size_t BytesOf(const std::vector<std::string>& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += sizeof(text) + text.capacity();
  return bytes;
}

}  // namespace

PathwayStats::PathwayStats(PathwayStatsOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), members_(MembersOf(options_)) {}

void PathwayStats::Add(const PathwayCheckpoint& checkpoint) {
  const size_t key_bytes = kGroupBytes + BytesOf(checkpoint.edge_tags);
  if (bytes_.bytes() + key_bytes + kMostGrowth > options_.max_bytes) {
    ++counts_.checkpoints_dropped;
    return;
  }
  const absl::Time now = clock_.Now().wall;
  const auto [entry, is_new] = intervals_[absl::ToUnixNanos(now) / kIntervalNs * kIntervalNs].try_emplace(
      Key(checkpoint.hash, checkpoint.parent_hash, checkpoint.edge_tags));
  if (is_new) bytes_ += key_bytes;
  Group& group = entry->second;
  const size_t before = group.memory();
  group.edge_latency.Insert(SecondsBetween(checkpoint.edge_start, now));
  group.pathway_latency.Insert(SecondsBetween(checkpoint.pathway_start, now));
  group.payload_size.Insert(static_cast<double>(checkpoint.payload_bytes));
  bytes_ += group.memory() - before;
  ++counts_.checkpoints;
}

absl::Status PathwayStats::HandOver(absl::FunctionRef<absl::Status(PathwayPayload)> take) {
  if (intervals_.empty()) return absl::OkStatus();
  PathwayPayload payload{.members = members_, .interval_count = static_cast<uint32_t>(intervals_.size())};
  for (const auto& [start, interval] : intervals_) payload.intervals += EncodeInterval(start, interval);
  if (absl::Status status = take(std::move(payload)); !status.ok()) {
    ++counts_.payloads_refused;
    return status;
  }
  intervals_.clear();
  bytes_ -= bytes_.bytes();
  return absl::OkStatus();
}

std::string PathwayStats::EncodeInterval(int64_t start, const Interval& interval) const {
  MsgpackWriter out;
  out.Map(4);
  out.String("Start");
  out.Unsigned(static_cast<uint64_t>(start));
  out.String("Duration");
  out.Unsigned(kIntervalNs);
  out.String("Backlogs");
  out.Array(0);
  out.String("Stats");
  out.Array(static_cast<uint32_t>(interval.size()));
  for (const auto& [key, group] : interval) {
    const auto& [hash, parent_hash, edge_tags] = key;
    out.Map(6);
    out.String("Hash");
    out.Unsigned(hash);
    out.String("ParentHash");
    out.Unsigned(parent_hash);
    out.String("EdgeTags");
    out.Array(static_cast<uint32_t>(edge_tags.size()));
    for (const std::string& tag : edge_tags) out.String(tag);
    const auto sketch = [&out](std::string_view name, const DDSketch& values) {
      ProtobufWriter encoded;
      values.Encode(encoded);
      out.String(name);
      out.Binary(encoded.bytes());
    };
    sketch("EdgeLatency", group.edge_latency);
    sketch("PathwayLatency", group.pathway_latency);
    sketch("PayloadSize", group.payload_size);
  }
  return out.Take();
}

std::string PathwayBody(const std::vector<const PathwayPayload*>& payloads) {
  uint32_t intervals = 0;
  for (const PathwayPayload* payload : payloads) intervals += payload->interval_count;
  MsgpackWriter out;
  out.Map(kMembers + 1);
  out.Raw(payloads.front()->members);
  out.String("Stats");
  out.Array(intervals);
  for (const PathwayPayload* payload : payloads) out.Raw(payload->intervals);
  return out.Take();
}

}  // namespace thaw
