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
  std::vector<std::string_view> elements;
  // Everything else, as keys and values.
  std::vector<std::pair<std::string_view, std::string_view>> others;
};

std::optional<Stats> Take(std::string_view map) {
  Stats stats;
  MsgpackReader reader(map);
  uint32_t count;
  const auto value = [&]() -> std::optional<std::string_view> {
    const size_t begin = reader.position();
    if (!reader.Skip()) return std::nullopt;
    return map.substr(begin, reader.position() - begin);
  };
  if (!reader.ReadMap(count)) return std::nullopt;
  for (; count > 0; --count) {
    std::string_view key;
    if (!reader.ReadString(key)) return std::nullopt;
    if (key == "Stats") {
      uint32_t elements;
      if (!reader.ReadArray(elements)) return std::nullopt;
      for (; elements > 0; --elements) {
        const auto element = value();
        if (!element.has_value()) return std::nullopt;
        stats.elements.push_back(*element);
      }
    } else {
      const auto other = value();
      if (!other.has_value()) return std::nullopt;
      stats.others.emplace_back(key, *other);
    }
  }
  return stats;
}

std::string WithElements(const Stats& stats, const std::vector<std::string_view>& elements) {
  MsgpackWriter out;
  out.Map(static_cast<uint32_t>(stats.others.size() + 1));
  for (const auto& [key, value] : stats.others) {
    out.String(key);
    out.Raw(value);
  }
  out.String("Stats");
  out.Array(static_cast<uint32_t>(elements.size()));
  for (const std::string_view element : elements) out.Raw(element);
  return out.Take();
}

// Returns the first elements, about half of the bytes, and the rest; neither is empty. There must be two.
std::pair<std::vector<std::string_view>, std::vector<std::string_view>> Halve(
    const std::vector<std::string_view>& elements) {
  size_t total = 0;
  for (const std::string_view element : elements) total += element.size();
  size_t taken = elements[0].size(), middle = 1;
  while (middle + 1 < elements.size() && taken + elements[middle].size() / 2 < total / 2)
    taken += elements[middle++].size();
  return {{elements.begin(), elements.begin() + middle}, {elements.begin() + middle, elements.end()}};
}

// Returns the halves of a map; `depth` is how many levels below it may be cut.
std::vector<std::string> Split(std::string_view map, int depth) {
  std::optional<Stats> stats = Take(map);
  if (!stats.has_value() || stats->elements.empty()) return {};
  if (stats->elements.size() > 1) {
    const auto [first, second] = Halve(stats->elements);
    return {WithElements(*stats, first), WithElements(*stats, second)};
  }
  if (depth == 0) return {};
  std::vector<std::string> halves = Split(stats->elements[0], depth - 1);
  // This tracer's counts now come in parts, which the intake puts together only if this key says so.
  constexpr std::string_view kTrue = "\xC3";
  for (auto& [key, value] : stats->others)
    if (key == "SplitPayload") value = kTrue;
  for (std::string& half : halves) half = WithElements(*stats, {half});
  return halves;
}

}  // namespace

std::string EncodeStatsBatch(const std::vector<std::string_view>& payloads) {
  MsgpackWriter out;
  out.Map(6);
  for (const std::string_view key : {"AgentHostname", "AgentEnv", "AgentVersion"}) {
    out.String(key);
    out.String("");
  }
  out.String("ClientComputed");
  out.Bool(true);
  out.String("SplitPayload");
  out.Bool(false);
  out.String("Stats");
  out.Array(static_cast<uint32_t>(payloads.size()));
  for (const std::string_view payload : payloads) out.Raw(payload);
  return out.Take();
}

std::vector<std::string> SplitStatsBatch(std::string_view body) {
  constexpr int kPayloadsBucketsGroups = 2;
  return Split(body, kPayloadsBucketsGroups);
}

std::vector<std::string> SplitPathwayBody(std::string_view body) {
  constexpr int kIntervalsGroups = 1;
  return Split(body, kIntervalsGroups);
}

std::vector<std::string> SplitStatsToFit(std::string body, size_t max_bytes) {
  return CutToFit(std::move(body), max_bytes, SplitStatsBatch);
}

}  // namespace thaw
