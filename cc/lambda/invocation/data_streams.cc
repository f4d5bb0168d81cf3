#include "cc/lambda/invocation/data_streams.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "cc/base/utf8.h"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/event_records.h"
#include "cc/lambda/invocation/nested_json.h"
#include "cc/lambda/invocation/trace_carriers.h"
#include "cc/lambda/invocation/trigger_parts.h"
#include "cc/lambda/sha256.h"
#include "cc/net/http_message.h"

namespace thaw {
namespace {

namespace json = boost::json;

constexpr std::string_view kBase64Name = "dd-pathway-ctx-base64";
constexpr std::string_view kRawName = "dd-pathway-ctx";
constexpr size_t kHashBytes = 8;
// Longer than any name of AWS or Kafka; longer ones are not what they claim to be.
constexpr size_t kMaxTopic = 2048;
// No message was sent before the year 2000.
constexpr int64_t kEarliestMs = 946'684'800'000;

std::array<char, kHashBytes> BytesOf(uint64_t hash) {
  std::array<char, kHashBytes> bytes;
  for (size_t i = 0; i < kHashBytes; ++i) bytes[i] = static_cast<char>(hash >> (8 * i));
  return bytes;
}

template <typename Bytes>
uint64_t HashOf(const Bytes& bytes) {
  uint64_t hash = 0;
  for (size_t i = 0; i < kHashBytes; ++i) hash |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return hash;
}

// Reads a zigzag varint and removes it from the text.
std::optional<int64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size() && i < 10; ++i) {
    value |= uint64_t{static_cast<uint8_t>(bytes[i]) & 0x7FU} << (7 * i);
    if ((bytes[i] & 0x80) != 0) continue;
    bytes.remove_prefix(i + 1);
    return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  return std::nullopt;
}

std::optional<PathwayContext> DecodeBase64(std::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) return std::nullopt;
  return DecodePathwayContext(bytes);
}

std::optional<PathwayContext> ContextOf(const HttpHeaders& carrier) {
  if (const auto text = FindHeader(carrier, kBase64Name)) return DecodeBase64(*text);
  const auto raw = FindHeader(carrier, kRawName);
  if (!raw) return std::nullopt;
  // Some senders write base64 under this name, too.
  const std::optional<PathwayContext> context = DecodePathwayContext(*raw);
  return context ? context : DecodeBase64(*raw);
}

// Returns the context in a sender's `_datadog` object.
std::optional<PathwayContext> ContextOfDatadog(const json::value& datadog) {
  HttpHeaders carrier;
  for (const std::string_view name : {kBase64Name, kRawName}) {
    const json::value* const value = FindAt(datadog, {name});
    if (value == nullptr) continue;
    if (const json::string* text = FirstValue(*value).if_string()) {
      carrier.emplace_back(name, std::string_view(*text));
    } else if (std::optional<std::string> bytes = ListedBytes(*value)) {
      carrier.emplace_back(name, *std::move(bytes));
    }
  }
  return ContextOf(carrier);
}

std::optional<PathwayContext> ContextOfKafka(const json::value& record) {
  const auto wanted = [](std::string_view name) { return name == kBase64Name || name == kRawName; };
  for (const HttpHeaders& carrier : KafkaCarriers(record, wanted))
    if (const std::optional<PathwayContext> context = ContextOf(carrier)) return context;
  return std::nullopt;
}

// Returns the context of a queue's message: its attribute, or that of the topic or the bus that fed the queue.
std::optional<PathwayContext> ContextOfQueued(const json::value& record) {
  if (const std::optional<PathwayContext> context = ContextOfDatadog(DatadogAttribute(record)))
    return context;
  const json::value body = NestedJson(FindAt(record, {"body"}));
  return ContextOfDatadog(IsSnsMessage(body) ? DatadogAttribute(body) : DatadogOfDetail(body));
}

size_t TextBytes(const json::value& root, std::initializer_list<std::string_view> path) {
  return TextAt(root, path).size();
}

size_t DecodedBytes(const json::value* value) {
  if (value == nullptr) return 0;
  const std::optional<std::string> bytes = ListedOrBase64Bytes(*value);
  return bytes ? bytes->size() : 0;
}

// Returns the name of the bus in a rule's ARN, arn:…:rule/bus/name; `default` if no resource has one.
std::string_view BusOf(const json::value& event) {
  std::string_view bus = "default";
  const json::value* const resources = FindAt(event, {"resources"});
  if (resources == nullptr) return bus;
  ForEachItem(*resources, [&bus](const json::value& resource) {
    const json::string* const arn = resource.if_string();
    if (arn == nullptr || bus != "default") return;
    const std::string_view rule = LastPart(*arn, ':');
    if (Part(rule, '/', 0) == "rule" && !Part(rule, '/', 2).empty()) bus = Part(rule, '/', 1);
  });
  return bus;
}

// A message as it was taken: its source, and what its sender says.
struct Message {
  std::string_view type;
  std::string_view topic;
  std::string more_tag;  // empty: none
  std::optional<PathwayContext> context;
  size_t bytes = 0;
};

void AddCheckpoint(const Message& message, PathwayStats& pathways) {
  if (message.topic.empty() || message.topic.size() > kMaxTopic) return;
  PathwayCheckpoint checkpoint{.payload_bytes = message.bytes};
  checkpoint.edge_tags = {"direction:in", RepairUtf8(absl::StrCat("topic:", message.topic)),
                          absl::StrCat("type:", message.type)};
  if (!message.more_tag.empty()) checkpoint.edge_tags.push_back(RepairUtf8(message.more_tag));
  std::sort(checkpoint.edge_tags.begin(), checkpoint.edge_tags.end());
  if (message.context) {
    checkpoint.parent_hash = message.context->hash;
    checkpoint.pathway_start = message.context->pathway_start;
    checkpoint.edge_start = message.context->edge_start;
  }
  checkpoint.hash =
      PathwayHash(pathways.service(), pathways.env(), checkpoint.edge_tags, checkpoint.parent_hash);
  pathways.Add(checkpoint);
}

void AddOfKafka(const json::value& event, const DataStreamsOptions& options, PathwayStats& pathways) {
  for (const json::key_value_pair& group : FindAt(event, {"records"})->get_object())
    ForEachItem(group.value(), [&](const json::value& record) {
      AddCheckpoint(
          {.type = "kafka",
           .topic = TextAt(record, {"topic"}),
           .more_tag = options.kafka_group.empty() ? "" : absl::StrCat("group:", options.kafka_group),
           .context = ContextOfKafka(record),
           .bytes = DecodedBytes(FindAt(record, {"value"}))},
          pathways);
    });
}

void AddOfRecord(const json::value& record, PathwayStats& pathways) {
  switch (SourceOfRecord(record)) {
    case RecordSource::kSqs:
      return AddCheckpoint({.type = "sqs",
                            .topic = LastPart(ArnOf(record), ':'),
                            .context = ContextOfQueued(record),
                            .bytes = TextBytes(record, {"body"})},
                           pathways);
    case RecordSource::kSns: {
      const json::value& message = *NotificationOf(record);
      return AddCheckpoint({.type = "sns",
                            .topic = TextAt(message, {"TopicArn"}),
                            .context = ContextOfDatadog(DatadogAttribute(message)),
                            .bytes = TextBytes(message, {"Message"})},
                           pathways);
    }
    case RecordSource::kKinesis: {
      const json::value* const data = FindAt(record, {"kinesis", "data"});
      const json::value content = NestedBytesJson(data);
      return AddCheckpoint({.type = "kinesis",
                            .topic = Part(ArnOf(record), '/', 1),
                            .context = ContextOfDatadog(NestedJson(FindAt(content, {"_datadog"}))),
                            .bytes = DecodedBytes(data)},
                           pathways);
    }
    case RecordSource::kDynamoDb:
    case RecordSource::kS3:
    case RecordSource::kUnknown:
      return;
  }
}

}  // namespace

std::optional<PathwayContext> DecodePathwayContext(std::string_view bytes) {
  if (bytes.size() < kHashBytes) return std::nullopt;
  PathwayContext context{.hash = HashOf(bytes)};
  bytes.remove_prefix(kHashBytes);
  for (absl::Time* time : {&context.pathway_start, &context.edge_start}) {
    const std::optional<int64_t> ms = TakeVarint(bytes);
    if (!ms || *ms < kEarliestMs) return std::nullopt;
    *time = absl::FromUnixMillis(*ms);
  }
  return context;
}

uint64_t PathwayHash(std::string_view service, std::string_view env, absl::Span<const std::string> edge_tags,
                     uint64_t parent_hash) {
  std::string node = absl::StrCat(service, env);
  for (const std::string& tag : edge_tags) node += tag;
  const auto of_node = Sha256(node);
  const std::array<char, kHashBytes> parent = BytesOf(parent_hash);
  std::string both(of_node.begin(), of_node.begin() + kHashBytes);
  both.append(parent.data(), parent.size());
  // The tracer for Node.js takes these bytes for text, in which bytes that are no UTF-8 are replaced.
  return HashOf(Sha256(RepairUtf8(both)));
}

void AddCheckpoints(const json::value& event, const DataStreamsOptions& options, PathwayStats& pathways) {
  if (MskRecord(event) != nullptr) return AddOfKafka(event, options, pathways);
  if (KnownRecord(event) != nullptr) {
    ForEachItem(*RecordsOf(event), [&pathways](const json::value& record) { AddOfRecord(record, pathways); });
  } else if (IsEventOfBus(event)) {
    const std::string_view bus = options.exchange.empty() ? BusOf(event) : std::string_view(options.exchange);
    AddCheckpoint({.type = "eventbridge",
                   .topic = DetailTypeOf(event),
                   .more_tag = absl::StrCat("exchange:", bus),
                   .context = ContextOfDatadog(DatadogOfDetail(event))},
                  pathways);
  }
}

}  // namespace thaw
