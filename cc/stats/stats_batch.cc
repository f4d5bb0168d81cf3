#include "cc/stats/stats_batch.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "cc/base/msgpack_reader.h"
#include "cc/base/msgpack_writer.h"
#include "cc/base/split_to_fit.h"

namespace thaw {
namespace {

// A map whose key "Stats" is an array that can be halved.
struct Stats {
  uint32_t count = 0;
  std::string_view elements;
  // Everything else, as keys and values.
  std::vector<std::pair<std::string_view, std::string_view>> others;
  size_t others_bytes = 0;
};

std::optional<Stats> Take(std::string_view map) {
  Stats stats;
  MsgpackReader reader(map);
  uint32_t count;
  if (!reader.ReadMap(count)) return std::nullopt;
  for (; count > 0; --count) {
    std::string_view key;
    if (!reader.ReadString(key)) return std::nullopt;
    if (key == "Stats") {
      if (!reader.ReadArray(stats.count)) return std::nullopt;
      const size_t begin = reader.position();
      for (uint32_t left = stats.count; left > 0; --left)
        if (!reader.Skip()) return std::nullopt;
      stats.elements = map.substr(begin, reader.position() - begin);
    } else {
      const size_t begin = reader.position();
      if (!reader.Skip()) return std::nullopt;
      stats.others.emplace_back(key, map.substr(begin, reader.position() - begin));
      stats.others_bytes += key.size() + stats.others.back().second.size();
    }
  }
  return stats;
}

std::string WithElements(const Stats& stats, uint32_t count, std::string_view elements) {
  constexpr size_t kFraming = 16, kFramingOfKey = 5;
  MsgpackWriter out(kFraming + stats.others_bytes + kFramingOfKey * stats.others.size() + elements.size());
  out.Map(static_cast<uint32_t>(stats.others.size() + 1));
  for (const auto& [key, value] : stats.others) {
    out.String(key);
    out.Raw(value);
  }
  out.String("Stats");
  out.Array(count);
  out.Raw(elements);
  return out.Take();
}

// Returns the map with the first elements, about half of the bytes, and with the rest. There must be two.
std::vector<std::string> Halve(const Stats& stats) {
  const size_t half = stats.elements.size() / 2;
  MsgpackReader reader(stats.elements);
  reader.Skip();
  size_t middle = reader.position();
  uint32_t taken = 1;
  while (taken + 1 < stats.count) {
    reader.Skip();
    const size_t size = reader.position() - middle;
    if (middle + size / 2 >= half) break;
    middle += size;
    ++taken;
  }
  return {WithElements(stats, taken, stats.elements.substr(0, middle)),
          WithElements(stats, stats.count - taken, stats.elements.substr(middle))};
}

// Returns the halves of a map; `depth` is how many levels below it may be cut.
std::vector<std::string> Split(std::string_view map, int depth) {
  std::optional<Stats> stats = Take(map);
  if (!stats.has_value() || stats->count == 0) return {};
  // Each part repeats these fields: cut to the last group, a few large ones would need any amount of memory.
  if (stats->others_bytes > stats->elements.size()) return {};
  if (stats->count > 1) return Halve(*stats);
  if (depth == 0) return {};
  std::vector<std::string> halves = Split(stats->elements, depth - 1);
  // This tracer's counts now come in parts, which the intake puts together only if this key says so.
  constexpr std::string_view kTrue = "\xC3";
  for (auto& [key, value] : stats->others)
    if (key == "SplitPayload") value = kTrue;
  for (std::string& half : halves) half = WithElements(*stats, 1, half);
  return halves;
}

// The levels below a map of payloads that may be cut.
constexpr int kBucketsGroups = 2;

}  // namespace

std::string EncodeStatsBatch(const std::vector<std::string_view>& payloads, bool parts) {
  size_t bytes = kStatsBatchFraming;
  for (const std::string_view payload : payloads) bytes += payload.size();
  MsgpackWriter out(bytes);
  out.Map(6);
  for (const std::string_view key : {"AgentHostname", "AgentEnv", "AgentVersion"}) {
    out.String(key);
    out.String("");
  }
  out.String("ClientComputed");
  out.Bool(true);
  out.String("SplitPayload");
  out.Bool(parts);
  out.String("Stats");
  out.Array(static_cast<uint32_t>(payloads.size()));
  for (const std::string_view payload : payloads) out.Raw(payload);
  return out.Take();
}

std::vector<std::string> SplitStatsBatch(std::string_view body) { return Split(body, kBucketsGroups); }

std::vector<std::string> SplitStatsPayload(std::string_view payload) {
  return Split(payload, kBucketsGroups - 1);
}

std::vector<std::string> SplitPathwayBody(std::string_view body) {
  constexpr int kIntervalsGroups = 1;
  return Split(body, kIntervalsGroups);
}

absl::StatusOr<std::vector<std::string>> SplitStatsToFit(std::string body, size_t max_bytes) {
  return CutToFit(std::move(body), max_bytes, SplitStatsBatch);
}

}  // namespace thaw
