#include "cc/lambda/invocation/trigger.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr char kDatadog[] =
    R"({"x-datadog-trace-id":"7","x-datadog-parent-id":"8","x-datadog-sampling-priority":"1"})";

TriggerOptions Options() {
  return {.region = "eu-west-1", .account_id = "123456789012", .function_name = "shop"};
}

boost::json::value Json(std::string_view text) {
  absl::StatusOr<EventJson> event = ParseEventJson(text);
  EXPECT_TRUE(event.ok()) << event.status() << text;
  return event.ok() ? std::move(event->root) : nullptr;
}

Trigger Detect(std::string_view text, const TriggerOptions& options = Options()) {
  return DetectTrigger(Json(text), options);
}

std::optional<TraceContext> Context(std::string_view text, const HttpHeaders& headers = {}) {
  const boost::json::value event = Json(text);
  return ExtractInvocationContext(event, DetectTrigger(event, Options()), headers, {});
}

std::string Quoted(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

absl::Time Millis(int64_t milliseconds) { return absl::FromUnixMillis(milliseconds); }

constexpr char kHttpApi[] =
    R"({"version":"2.0","routeKey":"GET /users/{id}","rawPath":"/users/17","rawQueryString":"",
  "headers":{"X-Datadog-Trace-Id":"7","x-datadog-parent-id":"8","Referer":"http://from"},
  "requestContext":{"accountId":"123456789012","apiId":"abc","domainName":"abc.execute-api.eu-west-1.amazonaws.com",
  "http":{"method":"GET","path":"/users/17","protocol":"HTTP/1.1","sourceIp":"1.2.3.4","userAgent":"curl"},
  "requestId":"r1","stage":"$default","timeEpoch":1767225600123}})";

TEST(TriggerTest, HttpApi) {
  const Trigger trigger = Detect(kHttpApi);
  EXPECT_EQ(trigger.source, "api-gateway");
  EXPECT_EQ(trigger.source_arn, "arn:aws:apigateway:eu-west-1::/restapis/abc/stages/$default");
  EXPECT_THAT(trigger.tags,
              ElementsAre(Pair("http.method", "GET"), Pair("http.referer", "http://from"),
                          Pair("http.route", "/users/{id}"),
                          Pair("http.url", "https://abc.execute-api.eu-west-1.amazonaws.com/users/17"),
                          Pair("http.url_details.path", "/users/17"), Pair("http.user_agent", "curl")));
  ASSERT_THAT(trigger.spans, SizeIs(1));
  const InferredSpan& span = trigger.spans[0];
  EXPECT_EQ(span.name, "aws.httpapi");
  EXPECT_EQ(span.type, "web");
  EXPECT_EQ(span.resource, "GET /users/{user_id}");
  EXPECT_EQ(span.service, "abc.execute-api.eu-west-1.amazonaws.com");
  EXPECT_EQ(span.start, Millis(1767225600123));
  EXPECT_FALSE(span.is_async);
  EXPECT_THAT(span.tags, IsSupersetOf<SpanTags::value_type>(
                             {{"endpoint", "/users/17"},
                              {"http.protocol", "HTTP/1.1"},
                              {"http.source_ip", "1.2.3.4"},
                              {"request_id", "r1"},
                              {"dd_resource_key", "arn:aws:apigateway:eu-west-1::/apis/abc"}}));
  EXPECT_EQ(Context(kHttpApi)->trace_id, 7u);
}

TEST(TriggerTest, AsynchronousByHeader) {
  EXPECT_TRUE(Detect(absl::StrReplaceAll(
                         kHttpApi, {{"\"Referer\":\"http://from\"", "\"X-Amz-Invocation-Type\":\"Event\""}}))
                  .spans[0]
                  .is_async);
}

constexpr char kRestApi[] =
    R"({"resource":"/users/{id}","path":"/users/9","httpMethod":"POST","multiValueHeaders":null,
  "headers":{"x-datadog-trace-id":"7"},"requestContext":{"stage":"prod","apiId":"abc","domainName":"d.example",
  "resourcePath":"/users/{id}","requestTimeEpoch":1767225600123,"protocol":"HTTP/1.1","requestId":"r1",
  "identity":{"sourceIp":"1.2.3.4","userAgent":"curl"}}})";

TEST(TriggerTest, RestApiWithoutMultiValueHeaders) {
  const Trigger trigger = Detect(kRestApi);
  EXPECT_EQ(trigger.source_arn, "arn:aws:apigateway:eu-west-1::/restapis/abc/stages/prod");
  EXPECT_EQ(trigger.tags.at("http.route"), "/users/{id}");
  ASSERT_THAT(trigger.spans, SizeIs(1));
  EXPECT_EQ(trigger.spans[0].name, "aws.apigateway");
  EXPECT_EQ(trigger.spans[0].resource, "POST /users/{user_id}");
  EXPECT_EQ(trigger.spans[0].tags.at("http.route"), "/users/{id}");
  EXPECT_EQ(trigger.spans[0].tags.at("dd_resource_key"), "arn:aws:apigateway:eu-west-1::/restapis/abc");
  EXPECT_EQ(Context(kRestApi)->trace_id, 7u);
}

TEST(TriggerTest, RestApiOfMultiValueHeadersOnly) {
  EXPECT_EQ(
      Context(R"({"resource":"/","path":"/","httpMethod":"GET","requestContext":{"stage":"s"},"headers":null,
                       "multiValueHeaders":{"X-Datadog-Trace-Id":["7","9"],"x-datadog-parent-id":[]}})")
          ->trace_id,
      7u);
}

TEST(TriggerTest, WebSocketApi) {
  const Trigger trigger =
      Detect(R"({"requestContext":{"messageDirection":"IN","apiId":"abc","domainName":"d.example",
    "routeKey":"$connect","stage":"prod","connectionId":"c1","eventType":"CONNECT","requestTimeEpoch":1767225600123}})");
  EXPECT_EQ(trigger.source_arn, "arn:aws:apigateway:eu-west-1::/apis/abc/stages/prod");
  ASSERT_THAT(trigger.spans, SizeIs(1));
  EXPECT_EQ(trigger.spans[0].resource, "$connect");
  EXPECT_TRUE(trigger.spans[0].is_async);
  EXPECT_THAT(trigger.spans[0].tags,
              AllOf(Contains(Pair("connection_id", "c1")), Contains(Pair("message_direction", "IN"))));
}

TEST(TriggerTest, LoadBalancer) {
  constexpr char kEvent[] = R"({"requestContext":{"elb":{"targetGroupArn":"arn:tg"}},"httpMethod":"GET",
    "multiValueHeaders":{"x-datadog-trace-id":["7"]}})";
  const Trigger trigger = Detect(kEvent);
  EXPECT_EQ(trigger.source, "application-load-balancer");
  EXPECT_EQ(trigger.source_arn, "arn:tg");
  EXPECT_THAT(trigger.tags, ElementsAre(Pair("http.method", "GET")));
  EXPECT_THAT(trigger.spans, IsEmpty());
  EXPECT_EQ(Context(kEvent)->trace_id, 7u);
}

TEST(TriggerTest, FunctionUrl) {
  const Trigger trigger =
      Detect(R"({"version":"2.0","rawQueryString":"","requestContext":{"accountId":"anonymous",
    "domainName":"abc.lambda-url.eu-west-1.on.aws","apiId":"abc","http":{"method":"GET","path":"/x"},"timeEpoch":1}})");
  EXPECT_EQ(trigger.source, "lambda-function-url");
  EXPECT_EQ(trigger.source_arn, "arn:aws:lambda:eu-west-1:123456789012:url:shop");
  EXPECT_FALSE(trigger.tags.contains("http.route"));
  ASSERT_THAT(trigger.spans, SizeIs(1));
  EXPECT_EQ(trigger.spans[0].name, "aws.lambda.url");
  EXPECT_EQ(trigger.spans[0].type, "http");
  EXPECT_EQ(trigger.spans[0].tags.at("operation_name"), "aws.lambda.url");
}

TEST(TriggerTest, Msk) {
  constexpr char kEvent[] =
      R"({"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:eu-west-1:1:cluster/main/uuid",
    "records":{"t-0":[{"topic":"t","partition":0,"timestamp":1767225600123,"headers":[{"other":[1]}]},
      {"topic":"t","headers":[{"x-datadog-trace-id":[49,55]},{"x-datadog-parent-id":{"0":49,"1":56,"length":9}},
        {"x-datadog-sampling-priority":[300,-1,null]},7]}]}})";
  const Trigger trigger = Detect(kEvent);
  EXPECT_EQ(trigger.source, "msk");
  ASSERT_THAT(trigger.spans, SizeIs(1));
  EXPECT_EQ(trigger.spans[0].service, "main");
  EXPECT_THAT(trigger.spans[0].tags, AllOf(Contains(Pair("topic", "t")), Contains(Pair("partition", "0"))));
  EXPECT_EQ(Context(kEvent)->trace_id, 17u);
  EXPECT_EQ(Context(kEvent)->parent_id, 18u);
}

std::string SqsEvent(std::string_view record) {
  return absl::StrCat(
      R"({"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:orders",
    "awsRegion":"eu-west-1","receiptHandle":"h",)",
      record, "}]}");
}

TEST(TriggerTest, Sqs) {
  const std::string event = SqsEvent(absl::StrCat(
      R"("attributes":{"SentTimestamp":"1767225600123","ApproximateReceiveCount":"2","SenderId":"me"},"body":"hi",
      "messageAttributes":{"_datadog":{"dataType":"String","stringValue":)",
      Quoted(kDatadog), "}}"));
  const Trigger trigger = Detect(event);
  EXPECT_EQ(trigger.source, "sqs");
  EXPECT_EQ(trigger.source_arn, "arn:aws:sqs:eu-west-1:1:orders");
  EXPECT_THAT(trigger.tags,
              ElementsAre(Pair("aws_region", "eu-west-1"), Pair("retry_count", "2"), Pair("sender_id", "me"),
                          Pair("source_arn", "arn:aws:sqs:eu-west-1:1:orders")));
  ASSERT_THAT(trigger.spans, SizeIs(1));
  EXPECT_EQ(trigger.spans[0].resource, "orders");
  EXPECT_EQ(trigger.spans[0].service, "orders");
  EXPECT_EQ(trigger.spans[0].start, Millis(1767225600123));
  EXPECT_TRUE(trigger.spans[0].is_async);
  EXPECT_EQ(trigger.spans[0].tags.at("receipt_handle"), "h");
  EXPECT_EQ(Context(event)->parent_id, 8u);
}

TEST(TriggerTest, BinaryAttributeIsACarrier) {
  for (const char* type : {"Binary", "Binary.custom"})
    EXPECT_EQ(Context(SqsEvent(absl::StrCat(R"("messageAttributes":{"_datadog":{"dataType":")", type,
                                            R"(","binaryValue":")", absl::Base64Escape(kDatadog), R"("}})")))
                  ->trace_id,
              7u);
}

TEST(TriggerTest, LaterRecordsCarryTooAndBadOnesLoseOnlyThemselves) {
  const std::string bad =
      R"({"eventSource":"aws:sqs","messageAttributes":{"_datadog":{"dataType":"Binary","binaryValue":"%%"}}},
    null,{"messageAttributes":[]},{"messageAttributes":{"_datadog":{"stringValue":"{\"x-datadog-trace-id\":"}}},)";
  const std::string good =
      absl::StrCat(R"({"messageAttributes":{"_datadog":{"stringValue":)", Quoted(kDatadog), "}}}");
  EXPECT_EQ(Context(absl::StrCat("{\"Records\":[", bad, good, "]}"))->trace_id, 7u);
}

TEST(TriggerTest, TopicThatFeedsAQueue) {
  const std::string message = absl::StrCat(
      R"({"Type":"Notification","TopicArn":"arn:aws:sns:eu-west-1:1:news","MessageId":"m","Timestamp":"2026-01-01T00:00:00.100Z",
      "MessageAttributes":{"_datadog":{"Type":"Binary","Value":")",
      absl::Base64Escape(kDatadog), "\"}}}");
  const std::string event =
      SqsEvent(absl::StrCat(R"("attributes":{"SentTimestamp":"1767225600123"},"body":)", Quoted(message)));
  const Trigger trigger = Detect(event);
  ASSERT_THAT(trigger.spans, SizeIs(2));
  EXPECT_EQ(trigger.spans[0].name, "aws.sns");
  EXPECT_EQ(trigger.spans[0].resource, "news");
  EXPECT_EQ(trigger.spans[0].start, Millis(1767225600100));
  EXPECT_EQ(trigger.spans[1].name, "aws.sqs");
  EXPECT_EQ(Context(event)->trace_id, 7u);
}

std::string EventBridgeEvent() {
  return absl::StrCat(
      R"({"detail-type":"paid","source":"shop","time":"2026-01-01T00:00:00Z","detail":{"_datadog":)",
      absl::StrReplaceAll(kDatadog, {{"{", R"({"x-datadog-start-time":"1767225600050",
                        "x-datadog-resource-name":"bus",)"}}),
      "}}");
}

TEST(TriggerTest, EventBridge) {
  const Trigger trigger = Detect(EventBridgeEvent());
  EXPECT_EQ(trigger.source, "eventbridge");
  EXPECT_EQ(trigger.source_arn, "shop");
  ASSERT_THAT(trigger.spans, SizeIs(1));
  EXPECT_EQ(trigger.spans[0].resource, "bus");
  EXPECT_EQ(trigger.spans[0].start, Millis(1767225600050));
  EXPECT_EQ(trigger.spans[0].tags.at("detail_type"), "paid");
  EXPECT_EQ(Context(EventBridgeEvent())->trace_id, 7u);
  EXPECT_EQ(Detect(R"({"detail-type":"Scheduled Event","source":"aws.events"})").source, "");
  EXPECT_EQ(Detect(R"({"detail-type":"a","source":"b","time":"2026-01-01T00:00:01Z"})").spans[0].start,
            Millis(1767225601000));
}

TEST(TriggerTest, EventBridgeBehindAQueueAndBehindATopic) {
  const std::string queue = SqsEvent(absl::StrCat("\"body\":", Quoted(EventBridgeEvent())));
  ASSERT_THAT(Detect(queue).spans, SizeIs(2));
  EXPECT_EQ(Detect(queue).spans[0].name, "aws.eventbridge");
  EXPECT_EQ(Context(queue)->trace_id, 7u);
  const std::string topic = absl::StrCat(
      R"({"Records":[{"EventSubscriptionArn":"sub","Sns":{"TopicArn":"arn:aws:sns:r:1:news","Message":)",
      Quoted(EventBridgeEvent()), "}}]}");
  ASSERT_THAT(Detect(topic).spans, SizeIs(2));
  EXPECT_EQ(Detect(topic).source, "sns");
  EXPECT_EQ(Detect(topic).spans[0].name, "aws.eventbridge");
  EXPECT_EQ(Detect(topic).spans[1].name, "aws.sns");
  EXPECT_EQ(Detect(topic).spans[1].tags.at("event_subscription_arn"), "sub");
  EXPECT_EQ(Context(topic)->trace_id, 7u);
}

TEST(TriggerTest, XrayHeaderOfAQueueIsTheLastResort) {
  const std::string header =
      R"("attributes":{"AWSTraceHeader":"Root=1-65f2d3a1-0123456789abcdef01234567;Parent=b7ad6b7169203331;Sampled=1"})";
  EXPECT_EQ(Context(SqsEvent(header))->trace_id, 0x89abcdef01234567u);
  EXPECT_EQ(Context(SqsEvent(absl::StrCat(header, R"(,"messageAttributes":{"_datadog":{"stringValue":)",
                                          Quoted(kDatadog), "}}")))
                ->trace_id,
            7u);
  // The sender of a short header can't crash the consumer's extension.
  for (const char* shorter : {"", "Root=", "Root=1-", "Root=1-65f2d3a1-01234567;Parent=b7ad6b7169203331"})
    EXPECT_FALSE(Context(SqsEvent(absl::StrCat(R"("attributes":{"AWSTraceHeader":")", shorter, "\"}"))))
        << shorter;
}

TEST(TriggerTest, DynamoDbAndS3OfIncompleteRecords) {
  const Trigger dynamo = Detect(R"({"Records":[{"eventID":"e","eventName":"INSERT","eventVersion":"1.1",
    "eventSourceARN":"arn:aws:dynamodb:eu-west-1:1:table/orders/stream/2026",
    "dynamodb":{"ApproximateCreationDateTime":1767225600.5,"SizeBytes":26,"StreamViewType":"KEYS_ONLY"}}]})");
  EXPECT_EQ(dynamo.source, "dynamodb");
  EXPECT_EQ(dynamo.spans[0].resource, "INSERT orders");
  EXPECT_EQ(dynamo.spans[0].start, Millis(1767225600500));
  EXPECT_EQ(dynamo.spans[0].tags.at("size_bytes"), "26");
  // A deletion has neither size nor entity tag.
  const Trigger s3 =
      Detect(R"({"Records":[{"eventName":"ObjectRemoved:Delete","eventTime":"2026-01-01T00:00:00.000Z",
    "s3":{"bucket":{"name":"b","arn":"arn:aws:s3:::b"},"object":{"key":"k"}}}]})");
  EXPECT_EQ(s3.source, "s3");
  EXPECT_EQ(s3.source_arn, "arn:aws:s3:::b");
  EXPECT_EQ(s3.spans[0].tags.at("object_key"), "k");
  EXPECT_FALSE(s3.spans[0].tags.contains("object_size"));
}

TEST(TriggerTest, Kinesis) {
  const std::string event =
      absl::StrCat(R"({"Records":[{"eventID":"shard-1:495","eventName":"aws:kinesis:record",
    "eventSourceARN":"arn:aws:kinesis:eu-west-1:1:stream/clicks","kinesis":{"partitionKey":"p",
    "approximateArrivalTimestamp":1767225600.123,"data":")",
                   absl::Base64Escape(absl::StrCat("{\"_datadog\":", kDatadog, "}")), "\"}}]}");
  const Trigger trigger = Detect(event);
  EXPECT_EQ(trigger.source, "kinesis");
  EXPECT_EQ(trigger.spans[0].resource, "clicks");
  EXPECT_EQ(trigger.spans[0].tags.at("shard_id"), "shard-1");
  EXPECT_EQ(Context(event)->trace_id, 7u);
}

constexpr char kExecution[] =
    "arn:aws:states:eu-west-1:123456789012:execution:orders:7f1c5a2e-0000-4000-8000-0123456789ab";

// The ids were computed with another implementation of SHA-256.
TEST(TriggerTest, StepFunctionsIds) {
  const std::string step =
      absl::StrCat(R"({"Execution":{"Id":")", kExecution,
                   R"("},"State":{"Name":"Charge","EnteredTime":"2026-01-01T00:00:00.123Z"}})");
  for (const std::string& event :
       {step, absl::StrCat("{\"Payload\":", step, "}"), absl::StrCat("{\"_datadog\":", step, "}"),
        absl::StrCat("{\"Payload\":{\"_datadog\":", step, "}}")}) {
    EXPECT_EQ(Detect(event).source, "states") << event;
    const std::optional<TraceContext> context = Context(event);
    ASSERT_TRUE(context) << event;
    EXPECT_EQ(context->trace_id_high, 0x709a80528834221cu);
    EXPECT_EQ(context->trace_id, 4439524470371634042u);
    EXPECT_EQ(context->parent_id, 965915491323665437u);
    EXPECT_EQ(context->sampling_priority, 1);
    EXPECT_EQ(context->origin, "states");
    EXPECT_THAT(context->tags, ElementsAre(Pair("_dd.p.tid", "709a80528834221c")));
  }
}

TEST(TriggerTest, StepFunctionsRetriesRootsAndCarriedTraces) {
  const std::string retried = absl::StrCat(
      R"({"Execution":{"Id":")", kExecution,
      R"(","RedriveCount":1},"State":{"Name":"Charge","EnteredTime":"2026-01-01T00:00:00.123Z","RetryCount":2}})");
  EXPECT_EQ(Context(retried)->parent_id, 5010608420924731638u);
  const std::string carried = absl::StrCat(
      R"({"_datadog":{"x-datadog-trace-id":"7","x-datadog-tags":"_dd.p.tid=640cfd8d00000000,_dd.p.dm=-1","Execution":{"Id":")",
      kExecution, R"("},"State":{"Name":"Charge","EnteredTime":"2026-01-01T00:00:00.123Z"}}})");
  EXPECT_EQ(Context(carried)->trace_id, 7u);
  EXPECT_EQ(Context(carried)->trace_id_high, 0x640cfd8d00000000u);
  EXPECT_EQ(Context(carried)->parent_id, 965915491323665437u);
  EXPECT_EQ(Context(carried)->tags.at("_dd.p.dm"), "-1");
}

std::string Step(std::string_view execution_more = "", std::string_view more = "") {
  return absl::StrCat(R"({"Execution":{"Id":")", kExecution, "\"", execution_more,
                      R"(},"State":{"Name":"Charge","EnteredTime":"2026-01-01T00:00:00.123Z"})", more, "}");
}
constexpr uint64_t kStepTrace = 4439524470371634042u, kStepParent = 965915491323665437u;
constexpr uint64_t kRootTrace = 7302012596588600460u;
constexpr char kRoot[] = "arn:aws:states:eu-west-1:123456789012:execution:root:1";

// A state machine continues the trace that it was started in.
TEST(TriggerTest, StepFunctionsStartedInATraceGoOnWithIt) {
  const std::string with_tid =
      R"({"x-datadog-trace-id":"7","x-datadog-parent-id":"8","x-datadog-tags":"_dd.p.tid=640cfd8d00000000"})";
  for (const std::string& input :
       {absl::StrCat("{\"_datadog\":", with_tid, "}"), Quoted(absl::StrCat("{\"_datadog\":", with_tid, "}")),
        absl::StrCat("{\"_datadog\":", absl::StrReplaceAll(with_tid, {{"\"7\"", "7"}}), "}")}) {
    const std::string step = Step(absl::StrCat(",\"Input\":", input));
    for (const std::string& event : {step, absl::StrCat("{\"Payload\":", step, "}")}) {
      const std::optional<TraceContext> context = Context(event);
      ASSERT_TRUE(context) << event;
      EXPECT_EQ(context->trace_id, 7u) << event;
      EXPECT_EQ(context->trace_id_high, 0x640cfd8d00000000u);
      EXPECT_EQ(context->parent_id, kStepParent) << "the step is the caller";
      EXPECT_EQ(context->sampling_priority, 1);
      EXPECT_EQ(context->origin, "states");
    }
  }
  // A 64-bit trace keeps nothing of the id that the execution would have had.
  const TraceContext narrow = *Context(Step(R"(,"Input":{"_datadog":{"x-datadog-trace-id":"7"}})"));
  EXPECT_EQ(narrow.trace_id, 7u);
  EXPECT_EQ(narrow.trace_id_high, 0u);
  EXPECT_THAT(narrow.tags, IsEmpty());
  for (const char* nothing : {"null", "7", "[]", "\"text\"", "\"{\"", R"({"_datadog":null})",
                              R"({"_datadog":[]})", R"({"_datadog":{"x-datadog-trace-id":"0"}})"})
    EXPECT_EQ(Context(Step(absl::StrCat(",\"Input\":", nothing)))->trace_id, kStepTrace) << nothing;
}

TEST(TriggerTest, StepFunctionsStartedByAStepFunctionAreOfItsTrace) {
  const std::string root = absl::StrCat("\"RootExecutionId\":\"", kRoot, "\"");
  EXPECT_EQ(Context(Step("", "," + root))->trace_id, kRootTrace);
  EXPECT_EQ(Context(Step(absl::StrCat(R"(,"Input":{"_datadog":{)", root, "}}")))->trace_id, kRootTrace);
  EXPECT_EQ(
      Context(Step(absl::StrCat(R"(,"Input":{"_datadog":{"Execution":{"Id":")", kRoot, "\"}}}")))->trace_id,
      kRootTrace);
  // The context beside the step itself is newer.
  EXPECT_EQ(Context(Step(R"(,"Input":{"_datadog":{"x-datadog-trace-id":"7"}})", "," + root))->trace_id,
            kRootTrace);
}

TEST(TriggerTest, StepFunctionsBehindAQueueATopicAndABus) {
  const std::string step =
      Step("", absl::StrCat(R"(,"serverless-version":"v1","RootExecutionId":")", kRoot, "\""));
  const std::string bus =
      absl::StrCat(R"({"detail-type":"a","source":"b","detail":{"_datadog":)", step, "}}");
  const std::string topic =
      absl::StrCat(R"({"Type":"Notification","TopicArn":"arn:aws:sns:r:1:news","Message":"m",
                       "MessageAttributes":{"_datadog":{"Type":"String","Value":)",
                   Quoted(step), "}}}");
  const std::string events[] = {
      SqsEvent(absl::StrCat(
          R"("messageAttributes":{"_datadog":{"dataType":"String","stringValue":)", Quoted(step),
          R"(}},"attributes":{"AWSTraceHeader":"Root=1-65f2d3a1-0123456789abcdef01234567;Parent=b7ad6b7169203331;Sampled=1"})")),
      SqsEvent(absl::StrCat("\"body\":", Quoted(topic))),
      SqsEvent(absl::StrCat("\"body\":", Quoted(bus))),
      absl::StrCat("{\"Records\":[{\"Sns\":", topic, "}]}"),
      bus,
  };
  for (const std::string& event : events) {
    const std::optional<TraceContext> context = Context(event);
    ASSERT_TRUE(context) << event;
    EXPECT_EQ(context->trace_id, kRootTrace) << event;
    EXPECT_EQ(context->parent_id, kStepParent) << event;
    EXPECT_EQ(context->origin, "states") << event;
  }
}

TEST(TriggerTest, BusThatFeedsATopicThatFeedsAQueue) {
  const std::string topic = absl::StrCat(
      R"({"Type":"Notification","TopicArn":"arn:aws:sns:eu-west-1:1:news","Timestamp":"2026-01-01T00:00:00.100Z","Message":)",
      Quoted(EventBridgeEvent()), "}");
  const std::string event =
      SqsEvent(absl::StrCat(R"("attributes":{"SentTimestamp":"1767225600123"},"body":)", Quoted(topic)));
  const Trigger trigger = Detect(event);
  EXPECT_EQ(trigger.source, "sqs");
  ASSERT_THAT(trigger.spans, SizeIs(3));
  EXPECT_EQ(trigger.spans[0].name, "aws.eventbridge");
  EXPECT_EQ(trigger.spans[0].start, Millis(1767225600050));
  EXPECT_EQ(trigger.spans[1].name, "aws.sns");
  EXPECT_EQ(trigger.spans[1].start, Millis(1767225600100));
  EXPECT_EQ(trigger.spans[2].name, "aws.sqs");
  EXPECT_EQ(Context(event)->trace_id, 7u);
  EXPECT_EQ(Context(event)->parent_id, 8u);
}

TEST(TriggerTest, BusThatFeedsAStreamOrStartsAStateMachine) {
  const std::string stream = absl::StrCat(
      R"({"Records":[{"eventSourceARN":"arn:aws:kinesis:eu-west-1:1:stream/clicks","kinesis":{"data":")",
      absl::Base64Escape(EventBridgeEvent()), "\"}}]}");
  const Trigger trigger = Detect(stream);
  EXPECT_EQ(trigger.source, "kinesis");
  ASSERT_THAT(trigger.spans, SizeIs(2));
  EXPECT_EQ(trigger.spans[0].name, "aws.eventbridge");
  EXPECT_EQ(trigger.spans[0].resource, "bus");
  EXPECT_EQ(trigger.spans[1].name, "aws.kinesis");
  EXPECT_EQ(Context(stream)->trace_id, 7u);
  EXPECT_EQ(Context(stream)->parent_id, 8u);
  const std::string text_of_detail = absl::StrCat(R"({"detail-type":"a","source":"b","detail":)",
                                                  Quoted(absl::StrCat("{\"_datadog\":", kDatadog, "}")), "}");
  for (const std::string& input : {EventBridgeEvent(), Quoted(EventBridgeEvent()), text_of_detail}) {
    const std::string started = Step(absl::StrCat(",\"Input\":", input));
    EXPECT_EQ(Context(started)->trace_id, 7u) << started;
    EXPECT_EQ(Context(started)->parent_id, kStepParent) << started;
  }
}

// The records are in the forms that runtimes' serializers give lists and bytes.
TEST(TriggerTest, MskOfEveryRuntime) {
  const auto event = [](std::string_view records, std::string_view headers) {
    return absl::StrCat(R"({"eventSource":"aws:kafka","records":{"t-0":)",
                        absl::StrReplaceAll(records, {{"HEADERS", headers}}), "}}");
  };
  const std::string_view ids[] = {
      R"({"x-datadog-trace-id":[49,55]},{"x-datadog-parent-id":[49,56]})",
      R"({"x-datadog-trace-id":{"0":49,"1":55}},{"x-datadog-parent-id":{"1":56,"0":49}})",
      R"({"x-datadog-trace-id":["49","55"]},{"x-datadog-parent-id":{"0":"49","1":"56"}})",
      R"({"x-datadog-trace-id":[49.0,55.0]},{"x-datadog-parent-id":"[49, 56]"})",
      R"({"x-datadog-trace-id":"MTc="},{"x-datadog-parent-id":"MTg="})",
      R"({"x-datadog-trace-id":"17"},{"x-datadog-parent-id":"18"})",
      R"({"X-Datadog-Trace-Id":{"type":"Buffer","data":[49,55]}},{"x-datadog-parent-id":[49,56]})",
      R"({"key":"x-datadog-trace-id","value":[49,55]},{"Key":"x-datadog-parent-id","Value":{"0":49,"1":56}})",
  };
  for (const std::string_view id : ids) {
    std::string numbered = "{\"0\":";
    absl::StrAppend(&numbered, absl::StrReplaceAll(id, {{"},{", "},\"1\":{"}}), "}");
    for (const std::string& headers : {absl::StrCat("[", id, "]"), numbered}) {
      for (const char* records :
           {R"([{"topic":"t","headers":HEADERS}])", R"({"0":{"topic":"t","headers":HEADERS}})",
            R"([{"topic":"t"},{"topic":"t","headers":HEADERS}])", R"([{"headers":HEADERS}])",
            R"([],"t-1":[{"topic":"t","headers":HEADERS}])"}) {
        const std::string text = event(records, headers);
        EXPECT_EQ(Detect(text).source, "msk") << text;
        const std::optional<TraceContext> context = Context(text);
        ASSERT_TRUE(context) << text;
        EXPECT_EQ(context->trace_id, 17u) << text;
        EXPECT_EQ(context->parent_id, 18u) << text;
      }
    }
  }
  EXPECT_EQ(Context(event(R"([{"topic":"t","headers":HEADERS}])",
                          R"({"x-datadog-trace-id":[49,55],"x-datadog-parent-id":[49,56]})"))
                ->parent_id,
            18u);
}

TEST(TriggerTest, MskHeadersOfSignedBytesAndOfLongOnes) {
  const auto bytes = [](std::string_view text) {
    std::string list = "[";
    for (const char c : text) absl::StrAppend(&list, list.size() > 1 ? "," : "", static_cast<int>(c));
    return list + "]";
  };
  const std::string long_value(600, 'v');
  const std::string event =
      absl::StrCat(R"({"records":{"t-0":[{"topic":"t","headers":[{"x-datadog-trace-id":[49,55]},{"baggage":)",
                   bytes(absl::StrCat("user.id=zo\xc3\xab,session.id=", long_value)), "}]}]}}");
  ASSERT_TRUE(event.find("-61,-85") != std::string::npos);
  const boost::json::value root = Json(event);
  const std::optional<TraceContext> context =
      ExtractInvocationContext(root, DetectTrigger(root, Options()), {},
                               {.styles = {PropagationStyle::kDatadog, PropagationStyle::kBaggage}});
  ASSERT_TRUE(context);
  EXPECT_THAT(context->baggage,
              ElementsAre(Pair("baggage.session.id", long_value), Pair("baggage.user.id", "zo\xc3\xab")));
}

TEST(TriggerTest, AHeaderThatHoldsNoBytesLosesOnlyItself) {
  const std::string event =
      R"({"records":{"t-0":[{"topic":"t","headers":[{"x-datadog-trace-id":[49,55]},{"x-datadog-parent-id":[49,999]},
        {"x-datadog-origin":[null]},{"tracestate":7},null,7,[]]}]}})";
  EXPECT_EQ(Context(event)->trace_id, 17u);
  EXPECT_EQ(Context(event)->parent_id, 0u);
  EXPECT_EQ(Context(event)->origin, "");
}

TEST(TriggerTest, BinaryAttributesAndDataOfEveryRuntime) {
  std::string list = "[", numbered = "{";
  for (size_t i = 0; i < std::string_view(kDatadog).size(); ++i) {
    absl::StrAppend(&list, i > 0 ? "," : "", static_cast<int>(kDatadog[i]));
    absl::StrAppend(&numbered, i > 0 ? "," : "", "\"", i, "\":\"", static_cast<int>(kDatadog[i]), "\"");
  }
  list += "]";
  numbered += "}";
  const std::string base64 = absl::StrCat("\"", absl::Base64Escape(kDatadog), "\"");
  for (const std::string& value :
       {list, numbered, base64, absl::StrCat("{\"type\":\"Buffer\",\"data\":", list, "}"), Quoted(kDatadog),
        std::string(kDatadog)}) {
    const std::string queue = SqsEvent(
        absl::StrCat(R"("messageAttributes":{"_datadog":{"dataType":"Binary","binaryValue":)", value, "}}"));
    EXPECT_EQ(Context(queue)->trace_id, 7u) << queue;
    const std::string topic = absl::StrCat(
        R"({"Records":[{"Sns":{"MessageAttributes":{"_datadog":{"Type":"Binary","Value":)", value, "}}}}]}");
    EXPECT_EQ(Context(topic)->trace_id, 7u) << topic;
  }
  const std::string data = absl::StrCat("{\"_datadog\":", kDatadog, "}");
  std::string bytes = "[";
  for (size_t i = 0; i < data.size(); ++i)
    absl::StrAppend(&bytes, i > 0 ? "," : "", static_cast<int>(data[i]));
  for (const std::string& value :
       {absl::StrCat(bytes, "]"), absl::StrCat("\"", absl::Base64Escape(data), "\""), data})
    EXPECT_EQ(Context(absl::StrCat(R"({"Records":[{"kinesis":{"data":)", value, "}}]}"))->trace_id, 7u)
        << value;
}

TEST(TriggerTest, MessagesThatARuntimeHasParsedAreRead) {
  EXPECT_EQ(Context(SqsEvent(absl::StrCat("\"body\":", EventBridgeEvent())))->trace_id, 7u);
  EXPECT_EQ(
      Context(SqsEvent(absl::StrCat(R"("messageAttributes":{"_datadog":{"stringValue":)", kDatadog, "}}")))
          ->trace_id,
      7u);
  EXPECT_EQ(
      Context(SqsEvent(absl::StrCat(R"("messageAttributes":{"_datadog":)", Quoted(kDatadog), "}")))->trace_id,
      7u);
  EXPECT_EQ(
      Context(SqsEvent(absl::StrCat(R"("MessageAttributes":{"_datadog":{"DataType":"String","StringValue":)",
                                    Quoted(kDatadog), "}}")))
          ->trace_id,
      7u);
  EXPECT_EQ(Context(absl::StrCat(R"({"detail-type":"a","source":"b","detail":)",
                                 Quoted(absl::StrCat("{\"_datadog\":", Quoted(kDatadog), "}")), "}"))
                ->trace_id,
            7u);
}

// The records are in the form that dd-trace-java gives the classes that handlers take.
TEST(TriggerTest, RecordsThatJavaNames) {
  const std::string queue = absl::StrCat(
      R"({"records":[{"eventSource":"aws:sqs","eventSourceArn":"arn:aws:sqs:eu-west-1:1:orders","messageAttributes":
      {"_datadog":{"dataType":"String","stringValue":)",
      Quoted(kDatadog), "}}}]}");
  EXPECT_EQ(Detect(queue).source, "sqs");
  EXPECT_EQ(Detect(queue).spans.at(0).resource, "orders");
  EXPECT_EQ(Context(queue)->trace_id, 7u);
  const std::string topic = absl::StrCat(
      R"({"records":[{"eventSubscriptionArn":"sub","sns":{"topicArn":"arn:aws:sns:r:1:news","timestamp":1767225600100,
      "messageAttributes":{"_datadog":{"type":"String","value":)",
      Quoted(kDatadog), "}}}}]}");
  EXPECT_EQ(Detect(topic).source, "sns");
  EXPECT_EQ(Detect(topic).spans.at(0).resource, "news");
  EXPECT_EQ(Detect(topic).spans.at(0).start, Millis(1767225600100));
  EXPECT_EQ(Detect(topic).spans.at(0).tags.at("event_subscription_arn"), "sub");
  EXPECT_EQ(Context(topic)->trace_id, 7u);
}

// .NET hands over what it has parsed an event to: each name begins with a capital letter, and members of the
// class that the event lacks are null.
TEST(TriggerTest, EventsThatDotNetNames) {
  const auto expect = [](const std::string& event, std::string_view source, std::string_view resource) {
    EXPECT_EQ(Detect(event).source, source) << event;
    EXPECT_EQ(Detect(event).spans.at(0).resource, resource) << event;
    const std::optional<TraceContext> context = Context(event);
    ASSERT_TRUE(context) << event;
    EXPECT_EQ(context->trace_id, 7u) << event;
  };
  const std::string headers = absl::StrCat(R"("Headers":)", kDatadog);
  expect(
      absl::StrCat(
          R"({"Records":[{"MessageId":"m","EventSource":"aws:sqs","EventSourceArn":"arn:aws:sqs:r:1:orders",
      "Body":"{}","Attributes":null,"MessageAttributes":{"_datadog":{"DataType":"String","BinaryValue":null,
      "StringValue":)",
          Quoted(kDatadog), "}}}]}"),
      "sqs", "orders");
  expect(absl::StrCat(R"({"Records":[{"EventSource":"aws:sns","EventSubscriptionArn":"sub","Sns":{
      "TopicArn":"arn:aws:sns:r:1:news","Message":"m","MessageAttributes":{"_datadog":{"Type":"String","Value":)",
                      Quoted(kDatadog), "}}}}]}"),
         "sns", "news");
  expect(
      R"({"EventSource":"aws:kafka","Records":{"t-0":[{"Topic":"t","Headers":[{"x-datadog-trace-id":"Nw=="},
      {"x-datadog-parent-id":"OA=="}]}]}})",
      "msk", "t");
  expect(absl::StrCat(R"({"Version":"0","DetailType":"order","Source":"shop","Detail":{"_datadog":)",
                      kDatadog, "}}"),
         "eventbridge", "shop");
  expect(absl::StrCat(R"({"Resource":"/users/{id}","Path":"/users/9","HttpMethod":"POST",)", headers,
                      R"(,"MultiValueHeaders":null,"RequestContext":{"Stage":"prod","ApiId":"abc","Elb":null,
      "DomainName":"d.example","ResourcePath":"/users/{id}","MessageDirection":null,"ConnectionId":null,
      "RequestTimeEpoch":1767225600123}})"),
         "api-gateway", "POST /users/{user_id}");
  expect(absl::StrCat(
             R"({"Version":"2.0","RouteKey":"GET /users/{id}","RawPath":"/users/17","RawQueryString":"",)",
             headers, R"(,"RequestContext":{"Stage":"$default","ApiId":"abc","DomainName":"d.example",
      "Http":{"Method":"GET","Path":"/users/17"}}})"),
         "api-gateway", "GET /users/{user_id}");
  const Trigger socket =
      Detect(R"({"Resource":null,"HttpMethod":null,"RequestContext":{"MessageDirection":"IN",
      "ApiId":"abc","DomainName":"d.example","RouteKey":"$connect","Stage":"prod","ConnectionId":"c1"}})");
  EXPECT_EQ(socket.spans.at(0).resource, "$connect");
  EXPECT_EQ(Detect(R"({"Records":[{"EventSource":"aws:s3","EventName":"ObjectCreated:Put","S3":{
      "Bucket":{"Name":"b","Arn":"arn:aws:s3:::b"},"Object":{"Key":"k"}}}]})")
                .source,
            "s3");
}

TEST(TriggerTest, ApisWithoutADomainName) {
  const std::string rest = absl::StrReplaceAll(kRestApi, {{R"("domainName":"d.example",)", ""}});
  const Trigger by_api = Detect(rest);
  EXPECT_EQ(by_api.source, "api-gateway");
  EXPECT_EQ(by_api.tags.at("http.url"), "https://abc.execute-api.eu-west-1.amazonaws.com/users/9");
  ASSERT_THAT(by_api.spans, SizeIs(1));
  EXPECT_EQ(by_api.spans[0].service, "abc.execute-api.eu-west-1.amazonaws.com");
  EXPECT_EQ(by_api.spans[0].resource, "POST /users/{user_id}");
  EXPECT_EQ(Context(rest)->trace_id, 7u);
  const Trigger by_header =
      Detect(absl::StrReplaceAll(rest, {{"\"headers\":{", "\"headers\":{\"Host\":\"shop.example\","}}));
  EXPECT_EQ(by_header.spans[0].service, "shop.example");
  EXPECT_EQ(by_header.tags.at("http.url"), "https://shop.example/users/9");
  const Trigger by_nothing = Detect(absl::StrReplaceAll(rest, {{R"("apiId":"abc",)", ""}}));
  EXPECT_EQ(by_nothing.spans[0].service, "api-gateway");
  EXPECT_FALSE(by_nothing.tags.contains("http.url"));
  const std::string http =
      absl::StrReplaceAll(kHttpApi, {{R"("domainName":"abc.execute-api.eu-west-1.amazonaws.com",)", ""}});
  EXPECT_EQ(Detect(http).source, "api-gateway");
  EXPECT_EQ(Detect(http).tags, Detect(kHttpApi).tags);
  EXPECT_EQ(Detect(http).spans[0].service, "abc.execute-api.eu-west-1.amazonaws.com");
  EXPECT_EQ(Detect(R"({"version":"2.0","rawQueryString":"","headers":{"host":"x.lambda-url.eu-west-1.on.aws"},
                       "rawPath":"/x","requestContext":{"http":{"method":"GET"}}})")
                .source,
            "lambda-function-url");
}

// Each member may be missing, null or of another type. The sender's trace depends on none of them.
TEST(TriggerTest, AnyMemberThatIsMissingCostsOnlyItself) {
  const std::string notification = absl::StrCat(
      R"({"Type":"Notification","TopicArn":"arn:aws:sns:eu-west-1:1:news","MessageId":"m","Timestamp":"2026-01-01T00:00:00.100Z",
      "Message":"hi","MessageAttributes":{"_datadog":{"Type":"String","Value":)",
      Quoted(kDatadog), "}}}");
  const std::pair<std::string, std::string> events[] = {
      {"api-gateway", kHttpApi},
      {"api-gateway", kRestApi},
      {"sqs",
       SqsEvent(absl::StrCat(
           R"("attributes":{"SentTimestamp":"1767225600123","ApproximateReceiveCount":"2","SenderId":"me"},"body":)",
           Quoted(notification)))},
      {"sns", absl::StrCat("{\"Records\":[{\"EventSubscriptionArn\":\"sub\",\"Sns\":", notification, "}]}")},
      {"eventbridge", EventBridgeEvent()},
      {"kinesis", absl::StrCat(R"({"Records":[{"eventID":"shard-1:495","eventName":"n","eventVersion":"1",
          "eventSourceARN":"arn:aws:kinesis:eu-west-1:1:stream/clicks","kinesis":{"partitionKey":"p",
          "approximateArrivalTimestamp":1767225600.123,"data":")",
                               absl::Base64Escape(absl::StrCat("{\"_datadog\":", kDatadog, "}")), "\"}}]}")},
      {"msk", R"({"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:eu-west-1:1:cluster/main/uuid",
          "records":{"t-0":[{"topic":"t","partition":0,"timestamp":1,"headers":[{"x-datadog-trace-id":[55]}]}]}})"},
  };
  // Without these members there is no trace, or the source can't be recognised.
  const std::set<std::string_view> needed = {"Records",
                                             "records",
                                             "t-0",
                                             "headers",
                                             "X-Datadog-Trace-Id",
                                             "x-datadog-trace-id",
                                             "_datadog",
                                             "Sns",
                                             "kinesis",
                                             "data",
                                             "detail",
                                             "detail-type",
                                             "body",
                                             "MessageAttributes",
                                             "Value",
                                             "requestContext",
                                             "version"};
  for (const auto& [source, text] : events) {
    const boost::json::value whole = Json(text);
    std::function<void(boost::json::value&, const boost::json::value&)> spoil =
        [&](boost::json::value& at, const boost::json::value& root) {
          if (boost::json::array* items = at.if_array()) {
            for (boost::json::value& item : *items) spoil(item, root);
          } else if (boost::json::object* members = at.if_object()) {
            for (boost::json::key_value_pair& member : *members) {
              spoil(member.value(), root);
              if (needed.contains(member.key())) continue;
              const boost::json::value before = member.value();
              for (const char* other : {"null", "7", "[]", "{}", "\"x\"", "true"}) {
                member.value() = Json(other);
                const Trigger trigger = DetectTrigger(root, Options());
                const std::optional<TraceContext> context = ExtractInvocationContext(root, trigger, {}, {});
                EXPECT_TRUE(context && context->trace_id == 7u)
                    << source << ": " << std::string_view(member.key()) << " = " << other;
                EXPECT_NE(trigger.source, "")
                    << source << ": " << std::string_view(member.key()) << " = " << other;
              }
              member.value() = before;
            }
          }
        };
    boost::json::value event = whole;
    spoil(event, event);
    EXPECT_EQ(event, whole);
  }
}

TEST(TriggerTest, LaterRecordsStandInForBadFirstOnes) {
  const std::string record = absl::StrCat(
      R"({"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:orders","messageAttributes":
      {"_datadog":{"stringValue":)",
      Quoted(kDatadog), "}}}");
  for (const char* bad :
       {"null", "{}", "7",
        R"({"messageAttributes":{"_datadog":{"stringValue":"{\"x-datadog-trace-id\":\"0\"}"}}})"}) {
    const std::string event = absl::StrCat("{\"Records\":[", bad, ",", record, "]}");
    EXPECT_EQ(Detect(event).source, "sqs") << bad;
    EXPECT_EQ(Detect(event).spans.at(0).resource, "orders") << bad;
    EXPECT_EQ(Context(event)->trace_id, 7u) << bad;
  }
  EXPECT_EQ(Context(absl::StrCat(R"({"Records":{"0":)", record, "}}"))->trace_id, 7u) << "as a map";
}

TEST(TriggerTest, TimesAsRuntimesWriteThem) {
  EXPECT_EQ(Detect(R"({"Records":[{"Sns":{"Timestamp":1767225600100}}]})").spans[0].start,
            Millis(1767225600100));
  EXPECT_EQ(
      Detect(R"({"Records":[{"dynamodb":{"ApproximateCreationDateTime":1767225600123}}]})").spans[0].start,
      Millis(1767225600123));
  EXPECT_EQ(Detect(R"({"Records":[{"dynamodb":{"ApproximateCreationDateTime":"2026-01-01T00:00:00.5Z"}}]})")
                .spans[0]
                .start,
            Millis(1767225600500));
  EXPECT_EQ(Detect(R"({"Records":[{"Sns":{"Timestamp":"infinite-future"}}]})").spans[0].start,
            absl::InfinitePast());
}

TEST(TriggerTest, HeadersOfAnyEventAndThenOfTheCall) {
  EXPECT_EQ(
      Context(R"({"request":{"headers":{"X-Datadog-Trace-Id":"5"}},"headers":{"x-datadog-trace-id":"6"}})")
          ->trace_id,
      5u);
  EXPECT_EQ(Context(R"({"headers":{"x-datadog-trace-id":6}})", {{"x-datadog-trace-id", "4"}})->trace_id, 6u);
  EXPECT_EQ(Context("{}", {{"x-datadog-trace-id", "4"}})->trace_id, 4u);
  EXPECT_EQ(Context("null", {{"x-datadog-trace-id", "4"}})->trace_id, 4u);
  EXPECT_FALSE(Context("{}"));
}

TEST(TriggerTest, MatchOrder) {
  // An event with the marks of two sources counts as the earlier one.
  EXPECT_EQ(
      Detect(R"({"requestContext":{"stage":"s","messageDirection":"IN"},"httpMethod":"GET","resource":"/"})")
          .spans[0]
          .resource,
      "GET");
  EXPECT_EQ(Detect(R"({"Records":[{"eventSource":"aws:sqs","Sns":{},"s3":{}}]})").source, "sqs");
  EXPECT_EQ(Detect(R"({"Records":[{"dynamodb":{},"s3":{}}]})").source, "dynamodb");
  EXPECT_EQ(Detect(R"({"Records":[{"kinesis":{}}],"detail-type":"a","source":"b"})").source, "eventbridge");
}

TEST(TriggerTest, WrongTypesEverywhere) {
  for (const char* event :
       {"null", "[]", "7", "\"x\"", "{}", R"({"Records":[]})", R"({"Records":{}})", R"({"Records":[null]})",
        R"({"Records":[[]]})", R"({"records":[]})", R"({"records":{}})", R"({"records":{"a":[]}})",
        R"({"records":{"a":7}})", R"({"requestContext":[]})", R"({"requestContext":{"elb":null}})",
        R"({"detail-type":7,"source":7})", R"({"Execution":{"Id":7},"State":[]})"}) {
    const Trigger trigger = Detect(event);
    EXPECT_EQ(trigger.source, "") << event;
    EXPECT_THAT(trigger.spans, IsEmpty()) << event;
  }
  for (
      const char* event :
      {R"({"Records":[{"eventSource":"aws:sqs","body":7,"attributes":[],"messageAttributes":{"_datadog":[]}}]})",
       R"({"Records":[{"Sns":7}]})",
       R"({"Records":[{"Sns":{"Message":{},"MessageAttributes":7,"Timestamp":7}}]})",
       R"({"Records":[{"dynamodb":[]}]})", R"({"Records":[{"s3":null}]})",
       R"({"Records":[{"kinesis":{"data":[]}}]})", R"({"detail-type":"a","source":{},"detail":[]})",
       R"({"records":{"a":[{"topic":7,"headers":{}}]}})",
       R"({"requestContext":{"elb":{"targetGroupArn":null}}})",
       R"({"requestContext":{"messageDirection":{}}})"})
    EXPECT_NE(Detect(event).source, "") << event;
}

TEST(TriggerTest, TimesThatNoClockSays) {
  for (const char* time : {"0", "-1", "1e300", "null", "\"x\"", "[]"}) {
    const std::string event =
        absl::StrCat(R"({"Records":[{"dynamodb":{"ApproximateCreationDateTime":)", time, "}}]}");
    EXPECT_EQ(Detect(event).spans[0].start, absl::InfinitePast()) << time;
  }
}

TEST(TriggerTest, ServiceMapping) {
  const std::string event = SqsEvent("\"body\":\"\"");
  TriggerOptions options = Options();
  options.aws_service_representation = false;
  EXPECT_EQ(Detect(event, options).spans[0].service, "sqs");
  options.service_mapping = {{"lambda_sqs", "queues"}};
  EXPECT_EQ(Detect(event, options).spans[0].service, "queues");
  options.service_mapping.emplace("orders", "order-queue");
  EXPECT_EQ(Detect(event, options).spans[0].service, "order-queue");
}

}  // namespace
}  // namespace thaw
