#include "cc/trace/agent_payload.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/split_to_fit.h"
#include "cc/trace/span_tags.h"
#include "cc/trace/trace_fields.h"

namespace thaw {
namespace {

// The value that the agent sends if nothing is configured.
constexpr double kTargetTps = 60.0;

void WriteConstantFields(ProtobufWriter& out) {
  out.Double(AgentPayloadField::kTargetTps, kTargetTps);
  out.Double(AgentPayloadField::kErrorTps, kTargetTps);
}

// A message, taken apart into the repeated field to be cut and all other fields.
struct Parts {
  bool ok = false;
  std::vector<std::string_view> repeated;        // contents of the repeated field
  std::vector<std::string_view> repeated_whole;  // the same, tag and length included
  std::string others;
};

Parts Take(std::string_view message, uint32_t field) {
  Parts parts;
  ProtobufReader reader(message);
  while (reader.Next()) {
    if (reader.field() == field && reader.wire_type() == 2) {
      parts.repeated.push_back(reader.bytes());
      parts.repeated_whole.push_back(reader.whole());
    } else {
      parts.others.append(reader.whole());
    }
  }
  parts.ok = reader.ok();
  return parts;
}

// Returns how many of the first fields make up about half of the bytes: at least one, and not all.
size_t Middle(const std::vector<std::string_view>& fields) {
  size_t total = 0;
  for (const std::string_view field : fields) total += field.size();
  size_t first = 0, count = 0;
  while (count + 1 < fields.size() && (count == 0 || first + fields[count].size() / 2 < total / 2))
    first += fields[count++].size();
  return count;
}

// Returns the two halves of a message that is cut between the fields of `parts`.
std::pair<std::string, std::string> Halves(const Parts& parts) {
  const size_t middle = Middle(parts.repeated_whole);
  std::pair<std::string, std::string> halves;
  for (size_t i = 0; i < parts.repeated_whole.size(); ++i)
    (i < middle ? halves.first : halves.second).append(parts.repeated_whole[i]);
  halves.first.append(parts.others);
  halves.second.append(parts.others);
  return halves;
}

std::string TraceTagsOf(std::string_view span) {
  std::string tags;
  ProtobufReader reader(span);
  while (reader.Next()) {
    if (reader.field() != SpanField::kMeta && reader.field() != SpanField::kMetrics) continue;
    ProtobufReader entry(reader.bytes());
    std::string_view key;
    while (entry.Next())
      if (entry.field() == 1) key = entry.bytes();
    if (absl::StartsWith(key, kPropagationTagPrefix) || key == kSamplingPriorityMetric)
      tags.append(reader.whole());
  }
  return tags;
}

// Returns what each part of a cut trace must repeat: the root's `_dd.p.*` tags and sampling priority, as
// fields of a span. A map's entry that comes twice is one entry.
std::string TraceTags(const std::vector<std::string_view>& spans) {
  std::string_view root = spans.back();
  for (const std::string_view span : spans) {
    bool has_parent = false;
    ProtobufReader reader(span);
    while (reader.Next()) has_parent |= reader.field() == SpanField::kParentId && reader.value() != 0;
    if (!has_parent) root = span;
  }
  std::string tags = TraceTagsOf(root);
  // If the root is sent apart, the first span has these tags.
  return tags.empty() ? TraceTagsOf(spans.front()) : tags;
}

std::pair<std::string, std::string> HalvesOfTrace(const Parts& spans) {
  const size_t middle = Middle(spans.repeated);
  const std::string tags = TraceTags(spans.repeated);
  ProtobufWriter halves[2];
  for (size_t i = 0; i < spans.repeated.size(); ++i) {
    ProtobufWriter& half = halves[i < middle ? 0 : 1];
    const bool first = i == 0 || i == middle;
    if (!first) {
      half.Raw(spans.repeated_whole[i]);
      continue;
    }
    const size_t span = half.BeginMessage(TraceChunkField::kSpans);
    half.Raw(tags);
    half.Raw(spans.repeated[i]);
    half.EndMessage(span);
  }
  for (ProtobufWriter& half : halves) half.Raw(spans.others);
  return {std::string(halves[0].bytes()), std::string(halves[1].bytes())};
}

// Encodes an AgentPayload with one TracerPayload with one chunk.
std::string Wrap(const Parts& agent, const Parts& tracer, std::string_view chunk) {
  ProtobufWriter out(agent.others.size() + tracer.others.size() + chunk.size() + 32);
  const size_t message = out.BeginMessage(AgentPayloadField::kTracerPayloads);
  out.Message(TracerPayloadField::kChunks, chunk);
  out.Raw(tracer.others);
  out.EndMessage(message);
  out.Raw(agent.others);
  return std::string(out.bytes());
}

std::string Wrap(const Parts& agent, std::string_view tracer_payload) {
  ProtobufWriter out(agent.others.size() + tracer_payload.size() + 16);
  out.Message(AgentPayloadField::kTracerPayloads, tracer_payload);
  out.Raw(agent.others);
  return std::string(out.bytes());
}

}  // namespace

void AgentPayloadBuilder::Add(const TracePayload& payload) {
  size_bound_ = size_bound_with(payload);
  for (Group& group : groups_) {
    if (group.process_fields != payload.process_fields()) continue;
    group.chunks.push_back(payload.chunk_fields());
    group.chunk_bytes += payload.chunk_fields().size();
    return;
  }
  groups_.push_back({payload.process_fields(), payload.chunk_fields().size(), {payload.chunk_fields()}});
}

void AgentPayloadBuilder::FinishInto(std::string& body) {
  body.clear();
  body.reserve(size_bound_);
  const auto varint = [&body](uint64_t value) {
    for (; value >= 0x80; value >>= 7) body.push_back(static_cast<char>(value | 0x80));
    body.push_back(static_cast<char>(value));
  };
  for (const Group& group : groups_) {
    varint(AgentPayloadField::kTracerPayloads << 3 | 2);
    varint(group.process_fields.size() + group.chunk_bytes);
    body.append(group.process_fields);
    for (const std::string_view chunks : group.chunks) body.append(chunks);
  }
  ProtobufWriter constants(kConstantFields + 32);
  WriteConstantFields(constants);
  body.append(constants.bytes());
  groups_.clear();
  size_bound_ = kConstantFields;
}

std::vector<std::string> SplitAgentPayload(std::string_view body) {
  const Parts agent = Take(body, AgentPayloadField::kTracerPayloads);
  if (!agent.ok || agent.repeated.empty()) return {};
  if (agent.repeated.size() > 1) {
    auto [first, second] = Halves(agent);
    return {std::move(first), std::move(second)};
  }
  const Parts tracer = Take(agent.repeated[0], TracerPayloadField::kChunks);
  if (!tracer.ok || tracer.repeated.empty()) return {};
  if (tracer.repeated.size() > 1) {
    const auto [first, second] = Halves(tracer);
    return {Wrap(agent, first), Wrap(agent, second)};
  }
  const Parts chunk = Take(tracer.repeated[0], TraceChunkField::kSpans);
  if (!chunk.ok || chunk.repeated.size() < 2) return {};
  const auto [first, second] = HalvesOfTrace(chunk);
  return {Wrap(agent, tracer, first), Wrap(agent, tracer, second)};
}

absl::StatusOr<std::vector<std::string>> SplitToFit(std::string body, size_t max_bytes) {
  return CutToFit(std::move(body), max_bytes, SplitAgentPayload);
}

}  // namespace thaw
