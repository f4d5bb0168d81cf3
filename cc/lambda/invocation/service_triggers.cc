#include "cc/lambda/invocation/service_triggers.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/event_records.h"
#include "cc/lambda/invocation/nested_json.h"
#include "cc/lambda/invocation/step_functions_context.h"
#include "cc/lambda/invocation/trace_carriers.h"
#include "cc/lambda/invocation/trigger_parts.h"

namespace thaw {
namespace {

namespace json = boost::json;

bool IsOf(const json::value& event, RecordSource source) {
  const json::value* record = KnownRecord(event);
  return record != nullptr && SourceOfRecord(*record) == source;
}

bool KnowsTrace(const Trigger& trigger) {
  return trigger.generated_context.has_value() ||
         std::any_of(trigger.carriers.begin(), trigger.carriers.end(), NamesTrace);
}

// Calls visit(record) for each of an event's records, until the trigger knows a sender's trace.
void ForEachRecord(const json::value& event, const Trigger& trigger,
                   absl::FunctionRef<void(const json::value&)> visit) {
  ForEachItem(*RecordsOf(event), [&trigger, visit](const json::value& each) {
    if (!KnowsTrace(trigger)) visit(each);
  });
}

// Takes the context that a sender left as `_datadog`: headers, or the context object of a state machine's
// step.
void TakeContext(Trigger& trigger, const json::value* datadog) {
  if (datadog == nullptr) return;
  if (IsStep(*datadog)) {
    trigger.generated_context = ContextOfStepObject(*datadog);
  } else {
    AddCarrier(trigger, datadog);
  }
}

void TakeContextOfDetail(Trigger& trigger, const json::value& event) {
  const json::value datadog = DatadogOfDetail(event);
  TakeContext(trigger, &datadog);
}

// Takes the context of a topic's message: its attribute, or that of the bus that fed the topic.
void TakeContextOfNotification(Trigger& trigger, const json::value& message) {
  const json::value attribute = DatadogAttribute(message);
  TakeContext(trigger, &attribute);
  if (!KnowsTrace(trigger)) TakeContextOfDetail(trigger, NestedJson(AnyOf(message, {"Message", "message"})));
}

// Adds the span of a bus; `datadog`: DatadogOfDetail(event).
void AddBus(Trigger& trigger, const json::value& event, const json::value& datadog,
            const TriggerOptions& options) {
  const std::string_view source = TextAt(event, {"source"});
  const std::string_view named = TextAt(datadog, {"x-datadog-resource-name"});
  const std::string_view resource = named.empty() ? source : named;
  InferredSpan span{
      .name = "aws.eventbridge", .type = "web", .resource = std::string(resource), .is_async = true};
  span.start = TimeAt(datadog, {"x-datadog-start-time"}, TimeUnit::kMilliseconds);
  if (span.start == absl::InfinitePast()) span.start = TimeAt(event, {"time"}, TimeUnit::kMilliseconds);
  Add(span.tags, "operation_name", span.name);
  Add(span.tags, "detail_type", DetailTypeOf(event));
  AddSpan(trigger, std::move(span), {resource, "lambda_eventbridge", resource, "eventbridge"}, options);
}

// Adds the span of a notification, as Lambda or a queue gets it, and before it that of the bus that fed the
// topic.
void AddTopic(Trigger& trigger, const json::value& message, std::string_view subscription,
              const TriggerOptions& options) {
  const json::value inner = NestedJson(AnyOf(message, {"Message", "message"}));
  if (IsEventBridge(inner)) AddBus(trigger, inner, DatadogOfDetail(inner), options);
  const std::string_view arn = TextAt(message, {"TopicArn"});
  const std::string_view topic = LastPart(arn, ':');
  InferredSpan span{.name = "aws.sns", .type = "web", .resource = std::string(topic), .is_async = true};
  span.start = TimeAt(message, {"Timestamp"}, TimeUnit::kMilliseconds);
  if (span.start == absl::InfinitePast())
    span.start = TimeAt(message, {"timestamp"}, TimeUnit::kMilliseconds);
  Add(span.tags, "operation_name", span.name);
  Add(span.tags, "topicname", topic);
  Add(span.tags, "topic_arn", arn);
  Add(span.tags, "message_id", TextAt(message, {"MessageId"}));
  Add(span.tags, "type", TextAt(message, {"Type"}));
  Add(span.tags, "subject", TextAt(message, {"Subject"}));
  Add(span.tags, "event_subscription_arn", subscription);
  AddSpan(trigger, std::move(span), {topic, "lambda_sns", topic, "sns"}, options);
}

}  // namespace

bool IsEventBridge(const json::value& event) { return IsEventOfBus(event); }

bool IsMsk(const json::value& event) { return MskRecord(event) != nullptr; }
bool IsSqs(const json::value& event) { return IsOf(event, RecordSource::kSqs); }
bool IsSns(const json::value& event) { return IsOf(event, RecordSource::kSns); }
bool IsDynamoDb(const json::value& event) { return IsOf(event, RecordSource::kDynamoDb); }
bool IsS3(const json::value& event) { return IsOf(event, RecordSource::kS3); }
bool IsKinesis(const json::value& event) { return IsOf(event, RecordSource::kKinesis); }
bool IsStepFunctions(const json::value& event) { return StepOf(event) != nullptr; }

Trigger MskTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "msk";
  const json::value& record = *MskRecord(event);
  const std::string_view arn = TextAt(event, {"eventSourceArn"});
  const std::string_view topic = TextAt(record, {"topic"});
  trigger.source_arn = arn;
  InferredSpan span{.name = "aws.msk", .type = "web", .resource = std::string(topic), .is_async = true};
  span.start = TimeAt(record, {"timestamp"}, TimeUnit::kMilliseconds);
  Add(span.tags, "operation_name", span.name);
  Add(span.tags, "topic", topic);
  Add(span.tags, "partition", ScalarAt(record, {"partition"}));
  Add(span.tags, "event_source", TextAt(event, {"eventSource"}));
  Add(span.tags, "event_source_arn", arn);
  for (const json::key_value_pair& group : FindAt(event, {"records"})->get_object())
    ForEachItem(group.value(), [&trigger](const json::value& each) {
      if (KnowsTrace(trigger)) return;
      for (HttpHeaders& carrier : KafkaCarriers(each)) trigger.carriers.push_back(std::move(carrier));
    });
  // arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>
  AddSpan(trigger, std::move(span), {Part(arn, '/', 1), "lambda_msk", Part(arn, '/', 1), "msk"}, options);
  return trigger;
}

Trigger SqsTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "sqs";
  const json::value& record = *KnownRecord(event);
  const std::string_view arn = ArnOf(record);
  const std::string_view queue = LastPart(arn, ':');
  trigger.source_arn = arn;
  InferredSpan span{.name = "aws.sqs", .type = "web", .resource = std::string(queue), .is_async = true};
  span.start = TimeAt(record, {"attributes", "SentTimestamp"}, TimeUnit::kMilliseconds);
  Add(trigger.tags, "retry_count", ScalarAt(record, {"attributes", "ApproximateReceiveCount"}));
  Add(trigger.tags, "sender_id", TextAt(record, {"attributes", "SenderId"}));
  Add(trigger.tags, "source_arn", arn);
  Add(trigger.tags, "aws_region", TextAt(record, {"awsRegion"}));
  span.tags = trigger.tags;
  Add(span.tags, "operation_name", span.name);
  Add(span.tags, "receipt_handle", TextAt(record, {"receiptHandle"}));

  // The source that fed the queue precedes it.
  const json::value body = NestedJson(FindAt(record, {"body"}));
  if (IsSnsMessage(body)) {
    AddTopic(trigger, body, /*subscription=*/{}, options);
  } else if (IsEventBridge(body)) {
    AddBus(trigger, body, DatadogOfDetail(body), options);
  }
  ForEachRecord(event, trigger, [&trigger](const json::value& each) {
    const json::value attribute = DatadogAttribute(each);
    TakeContext(trigger, &attribute);
    if (KnowsTrace(trigger)) return;
    const json::value inner = NestedJson(FindAt(each, {"body"}));
    if (IsSnsMessage(inner)) {
      TakeContextOfNotification(trigger, inner);
    } else {
      TakeContextOfDetail(trigger, inner);
    }
  });
  // AWS's own trace header of the message is the last resort.
  ForEachItem(*RecordsOf(event), [&trigger](const json::value& each) {
    if (!trigger.generated_context)
      trigger.generated_context = ContextOfXrayHeader(TextAt(each, {"attributes", "AWSTraceHeader"}));
  });
  AddSpan(trigger, std::move(span), {queue, "lambda_sqs", queue, "sqs"}, options);
  return trigger;
}

Trigger SnsTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "sns";
  const json::value& record = *KnownRecord(event);
  const json::value& message = *NotificationOf(record);

  trigger.source_arn = TextAt(message, {"TopicArn"});
  ForEachRecord(event, trigger, [&trigger](const json::value& each) {
    if (const json::value* sns = NotificationOf(each)) TakeContextOfNotification(trigger, *sns);
  });
  AddTopic(trigger, message, TextAt(record, {"EventSubscriptionArn"}), options);
  return trigger;
}

Trigger EventBridgeTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "eventbridge";
  trigger.source_arn = TextAt(event, {"source"});
  const json::value datadog = DatadogOfDetail(event);
  TakeContext(trigger, &datadog);
  AddBus(trigger, event, datadog, options);
  return trigger;
}

Trigger DynamoDbTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "dynamodb";
  const json::value& record = *KnownRecord(event);
  const std::string_view arn = ArnOf(record);
  const std::string_view table = Part(arn, '/', 1);
  trigger.source_arn = arn;
  InferredSpan span{.name = "aws.dynamodb", .type = "web", .is_async = true};
  span.resource = absl::StripAsciiWhitespace(absl::StrCat(TextAt(record, {"eventName"}), " ", table));
  span.start = TimeAt(record, {"dynamodb", "ApproximateCreationDateTime"}, TimeUnit::kSeconds);
  Add(span.tags, "operation_name", span.name);
  Add(span.tags, "event_id", TextAt(record, {"eventID"}));
  Add(span.tags, "event_name", TextAt(record, {"eventName"}));
  Add(span.tags, "event_version", TextAt(record, {"eventVersion"}));
  Add(span.tags, "event_source_arn", arn);
  Add(span.tags, "size_bytes", ScalarAt(record, {"dynamodb", "SizeBytes"}));
  Add(span.tags, "stream_view_type", TextAt(record, {"dynamodb", "StreamViewType"}));
  Add(span.tags, "table_name", table);
  AddSpan(trigger, std::move(span), {table, "lambda_dynamodb", table, "dynamodb"}, options);
  return trigger;
}

Trigger S3Trigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "s3";
  const json::value& record = *KnownRecord(event);
  const std::string_view arn = TextAt(record, {"s3", "bucket", "arn"});
  const std::string_view bucket = TextAt(record, {"s3", "bucket", "name"});
  trigger.source_arn = arn;
  InferredSpan span{.name = "aws.s3", .type = "web", .resource = std::string(bucket), .is_async = true};
  span.start = TimeAt(record, {"eventTime"}, TimeUnit::kMilliseconds);
  Add(span.tags, "operation_name", span.name);
  Add(span.tags, "event_name", TextAt(record, {"eventName"}));
  Add(span.tags, "bucketname", bucket);
  Add(span.tags, "bucket_arn", arn);
  Add(span.tags, "object_key", TextAt(record, {"s3", "object", "key"}));
  Add(span.tags, "object_size", ScalarAt(record, {"s3", "object", "size"}));
  Add(span.tags, "object_etag", TextAt(record, {"s3", "object", "eTag"}));
  AddSpan(trigger, std::move(span), {bucket, "lambda_s3", bucket, "s3"}, options);
  return trigger;
}

Trigger KinesisTrigger(const json::value& event, const TriggerOptions& options) {
  Trigger trigger;
  trigger.source = "kinesis";
  const json::value& record = *KnownRecord(event);
  const std::string_view arn = ArnOf(record);
  const std::string_view stream = Part(arn, '/', 1);
  const std::string_view event_id = TextAt(record, {"eventID"});
  trigger.source_arn = arn;
  InferredSpan span{.name = "aws.kinesis", .type = "web", .resource = std::string(stream), .is_async = true};
  span.start = TimeAt(record, {"kinesis", "approximateArrivalTimestamp"}, TimeUnit::kSeconds);
  Add(span.tags, "operation_name", span.name);
  Add(span.tags, "stream_name", stream);
  Add(span.tags, "shard_id", Part(event_id, ':', 0));
  Add(span.tags, "event_source_arn", arn);
  Add(span.tags, "event_id", event_id);
  Add(span.tags, "event_name", TextAt(record, {"eventName"}));
  Add(span.tags, "event_version", TextAt(record, {"eventVersion"}));
  Add(span.tags, "partition_key", TextAt(record, {"kinesis", "partitionKey"}));
  // The bus that fed the stream precedes it.
  const json::value first = NestedBytesJson(FindAt(record, {"kinesis", "data"}));
  if (IsEventBridge(first)) AddBus(trigger, first, DatadogOfDetail(first), options);
  ForEachRecord(event, trigger, [&trigger](const json::value& each) {
    const json::value data = NestedBytesJson(FindAt(each, {"kinesis", "data"}));
    const json::value datadog = NestedJson(FindAt(data, {"_datadog"}));
    TakeContext(trigger, &datadog);
    if (!KnowsTrace(trigger)) TakeContextOfDetail(trigger, data);
  });
  AddSpan(trigger, std::move(span), {stream, "lambda_kinesis", stream, "kinesis"}, options);
  return trigger;
}

Trigger StepFunctionsTrigger(const json::value& event, const TriggerOptions&) {
  Trigger trigger;
  trigger.source = "states";
  const json::value& step = *StepOf(event);
  trigger.source_arn = TextAt(step, {"StateMachine", "Id"});
  trigger.generated_context = ContextOfStepObject(step);
  return trigger;
}

}  // namespace thaw
