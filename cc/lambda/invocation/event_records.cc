#include "cc/lambda/invocation/event_records.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/nested_json.h"
#include "cc/lambda/invocation/trigger_parts.h"

namespace thaw {
namespace {

namespace json = boost::json;

bool IsOfService(const json::value& record, std::string_view service) {
  return TextAt(record, {"eventSource"}) == absl::StrCat("aws:", service) ||
         Part(ArnOf(record), ':', 2) == service;
}

}  // namespace

RecordSource SourceOfRecord(const json::value& record) {
  if (IsOfService(record, "sqs")) return RecordSource::kSqs;
  if (NotificationOf(record) != nullptr) return RecordSource::kSns;
  if (FindAt(record, {"dynamodb"}) != nullptr) return RecordSource::kDynamoDb;
  if (FindAt(record, {"s3"}) != nullptr) return RecordSource::kS3;
  if (FindAt(record, {"kinesis"}) != nullptr) return RecordSource::kKinesis;
  return RecordSource::kUnknown;
}

const json::value* RecordsOf(const json::value& event) { return AnyOf(event, {"Records", "records"}); }

const json::value* KnownRecord(const json::value& event) {
  const json::value* records = RecordsOf(event);
  const json::value* known = nullptr;
  if (records == nullptr) return nullptr;
  ForEachItem(*records, [&known](const json::value& record) {
    if (known == nullptr && SourceOfRecord(record) != RecordSource::kUnknown) known = &record;
  });
  return known;
}

const json::value* MskRecord(const json::value& event) {
  const json::value* groups = FindAt(event, {"records"});
  if (groups == nullptr || !groups->is_object()) return nullptr;
  const bool is_kafka = absl::StrContainsIgnoreCase(TextAt(event, {"eventSource"}), "kafka");
  for (const json::key_value_pair& group : groups->get_object()) {
    const json::value* const record = FirstItem(group.value());
    if (record != nullptr && record->is_object() && (is_kafka || FindAt(*record, {"topic"}) != nullptr))
      return record;
  }
  return nullptr;
}

const json::value* NotificationOf(const json::value& record) {
  const json::value* notification = FindAt(record, {"Sns"});
  return notification == nullptr ? FindAt(record, {"sns"}) : notification;
}

bool IsSnsMessage(const json::value& message) {
  const bool has_topic = !TextAt(message, {"TopicArn"}).empty();
  const bool has_message = FindAt(message, {"Message"}) != nullptr;
  return TextAt(message, {"Type"}) == "Notification" ? has_topic || has_message : has_topic && has_message;
}

std::string_view ArnOf(const json::value& record) {
  const std::string_view arn = TextAt(record, {"eventSourceARN"});
  return arn.empty() ? TextAt(record, {"eventSourceArn"}) : arn;
}

// A runtime that has parsed the event writes the name without the hyphen.
std::string_view DetailTypeOf(const json::value& event) {
  const std::string_view type = TextAt(event, {"detail-type"});
  return type.empty() ? TextAt(event, {"detailType"}) : type;
}

bool IsEventOfBus(const json::value& event) {
  return !DetailTypeOf(event).empty() && AnyOf(event, {"source", "detail"}) != nullptr &&
         TextAt(event, {"source"}) != "aws.events";
}

json::value DatadogOfDetail(const json::value& event) {
  const json::value detail = NestedJson(FindAt(event, {"detail"}));
  return NestedJson(FindAt(detail, {"_datadog"}));
}

}  // namespace thaw
