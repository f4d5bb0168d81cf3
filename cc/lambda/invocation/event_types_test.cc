// Replaces each member of each source's event by values of every type of JSON: each invocation still has its
// span, whatever a sender or a runtime writes.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "cc/base/manual_executor.h"
#include "cc/base/seeded_random.h"
#include "cc/clock/fake_clock.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/trace/trace_payload.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

namespace json = boost::json;

constexpr char kSender[] =
    R"({"x-datadog-trace-id":"7","x-datadog-parent-id":"8","x-datadog-sampling-priority":"1",
        "x-datadog-tags":"_dd.p.tid=640cfd8d00000000","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate":"dd=s:1;o:rum","baggage":"user.id=1"})";
constexpr char kStep[] =
    R"({"Execution":{"Id":"arn:aws:states:r:1:execution:a:b","RedriveCount":1,"Input":{"_datadog":{"RootExecutionId":"c"}}},
        "State":{"Name":"Charge","EnteredTime":"2026-01-01T00:00:00.123Z","RetryCount":2},"StateMachine":{"Id":"m"}})";

std::string Quoted(std::string_view text) { return json::serialize(json::string(text)); }

std::string Bus() {
  return absl::StrCat(
      R"({"detail-type":"paid","source":"shop","time":"2026-01-01T00:00:00Z","detail":{"_datadog":)", kSender,
      "}}");
}

std::string Topic() {
  return absl::StrCat(
      R"({"Type":"Notification","TopicArn":"arn:aws:sns:r:1:news","MessageId":"m","Subject":"s","Message":)",
      Quoted(Bus()),
      R"(,"Timestamp":"2026-01-01T00:00:00Z","MessageAttributes":{"_datadog":{"Type":"String","Value":)",
      Quoted(kSender), "}}}");
}

std::vector<std::string> Events() {
  const std::string headers = absl::StrCat("\"headers\":", kSender);
  return {
      absl::StrCat(R"({"version":"2.0","routeKey":"GET /u/{id}","rawPath":"/u/1","rawQueryString":"a=b",)",
                   headers, R"(,"requestContext":{"apiId":"abc","domainName":"d.example","http":{
          "method":"GET","path":"/u/1","protocol":"HTTP/1.1","sourceIp":"1.2.3.4","userAgent":"curl"},
          "requestId":"r","stage":"prod","timeEpoch":1767225600123}})"),
      absl::StrCat(R"({"resource":"/u/{id}","path":"/u/9","httpMethod":"POST",)", headers,
                   R"(,"multiValueHeaders":{"Host":["h"]},"requestContext":{"stage":"prod","apiId":"abc",
          "resourcePath":"/u/{id}","requestTimeEpoch":1767225600123,"protocol":"HTTP/1.1","requestId":"r",
          "identity":{"sourceIp":"1.2.3.4","userAgent":"curl"}}})"),
      R"({"requestContext":{"messageDirection":"IN","apiId":"abc","domainName":"d.example","routeKey":"$connect",
          "stage":"prod","connectionId":"c","eventType":"CONNECT","requestTimeEpoch":1767225600123}})",
      R"({"requestContext":{"elb":{"targetGroupArn":"arn:tg"}},"httpMethod":"GET",
          "multiValueHeaders":{"x-datadog-trace-id":["7"]}})",
      absl::StrCat(R"({"version":"2.0","rawQueryString":"",)", headers, R"(,"requestContext":{"apiId":"abc",
          "domainName":"abc.lambda-url.r.on.aws","http":{"method":"GET","path":"/x"},"timeEpoch":1}})"),
      R"({"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:r:1:cluster/main/uuid","records":{"t-0":[
          {"topic":"t","partition":0,"timestamp":1767225600123,"headers":[{"x-datadog-trace-id":[49,55]},
          {"x-datadog-parent-id":{"0":49,"1":"56"}},{"baggage":{"type":"Buffer","data":[49]}},
          {"key":"traceparent","value":"MDA="}]}]}})",
      absl::StrCat(R"({"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:r:1:orders",
          "awsRegion":"r","receiptHandle":"h","attributes":{"SentTimestamp":"1767225600123","SenderId":"me",
          "ApproximateReceiveCount":"2","AWSTraceHeader":
          "Root=1-65f2d3a1-0123456789abcdef01234567;Parent=b7ad6b7169203331;Sampled=1"},"body":)",
                   Topic(), R"(,"messageAttributes":{"_datadog":{"dataType":"Binary","binaryValue":)",
                   Quoted(absl::Base64Escape(kSender)), "}}}]}"),
      absl::StrCat(R"({"Records":[{"EventSubscriptionArn":"sub","Sns":)", Topic(), "}]}"),
      Bus(),
      R"({"Records":[{"eventID":"e","eventName":"INSERT","eventVersion":"1.1",
          "eventSourceARN":"arn:aws:dynamodb:r:1:table/orders/stream/2026","dynamodb":{"SizeBytes":26,
          "ApproximateCreationDateTime":1767225600.5,"StreamViewType":"KEYS_ONLY","Keys":{"id":{"S":"1"}}}}]})",
      R"({"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventTime":"2026-01-01T00:00:00Z",
          "s3":{"bucket":{"name":"b","arn":"arn:aws:s3:::b"},"object":{"key":"k","size":5,"eTag":"t"}}}]})",
      absl::StrCat(R"({"Records":[{"eventID":"shard-1:495","eventName":"n","eventVersion":"1",
          "eventSourceARN":"arn:aws:kinesis:r:1:stream/clicks","kinesis":{"partitionKey":"p",
          "approximateArrivalTimestamp":1767225600.123,"data":{"_datadog":)",
                   kSender, ",\"detail-type\":\"a\",\"source\":\"b\"}}}]}"),
      kStep,
      absl::StrCat("{\"Payload\":{\"_datadog\":", kStep, "}}"),
      absl::StrCat(R"({"statusCode":200,)", headers, R"(,"body":"x","Records":null})"),
  };
}

std::vector<json::value> Replacements() {
  std::vector<json::value> values = {nullptr, true, 0, -1, 7, 1.5, -1e308, INT64_MIN, UINT64_MAX, "", "x"};
  values.emplace_back(std::string_view("\0\x1b\r\n\xff", 5));
  values.emplace_back(std::string(5'000, '9'));
  for (const char* text : {"[]", "{}", "[null]", "[[]]", "[{}]", "[1,2]", "[\"x\"]", R"({"0":1,"1":"2"})",
                           R"({"0":{},"length":1})", R"({"type":"Buffer","data":"x"})", R"({"_datadog":[]})"})
    values.push_back(json::parse(text));
  values.emplace_back(absl::StrCat(std::string(600, '['), std::string(600, ']')));
  return values;
}

class EventTypesTest : public ::testing::Test {
 protected:
  // Runs an invocation with this event and response; returns its number of spans, none of which was left out.
  int64_t SpansOf(std::string_view event) {
    const std::string request_id = absl::StrCat("request-", ++invocations_);
    assembler_.OnInvoke(request_id, {});
    for (const char* path : {"/lambda/start-invocation", "/lambda/end-invocation"}) {
      EXPECT_EQ(endpoints_.Handle({.method = "POST", .path = path, .headers = {}, .body = event}).status, 200)
          << event;
    }
    assembler_.OnEnd(request_id,
                     {.start = absl::UnixEpoch() + absl::Hours(500'000), .duration = absl::Seconds(1)});
    assembler_.OnReport(request_id);
    int64_t spans = 0;
    for (const OwnTrace& trace : assembler_.TakeOwnTraces()) {
      const absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(trace.body);
      EXPECT_TRUE(payload.ok()) << payload.status() << event;
      if (!payload.ok()) continue;
      EXPECT_EQ(payload->counts().spans_left_out, 0) << event;
      spans += payload->counts().spans;
    }
    return spans;
  }

  static LifecycleOptions Options() {
    LifecycleOptions options;
    options.payload_tags.enabled = true;
    options.propagation.http_baggage = true;
    return options;
  }

  int invocations_ = 0;
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  InvocationStore store_{{.max_bytes = 1 << 20}};
  InvocationAssembler assembler_{
      {}, store_, clock_, [random = SeededRandom(1)]() mutable { return random.Next(); }};
  LifecycleEndpoints endpoints_{Options(), assembler_};
};

TEST_F(EventTypesTest, NoMemberOfAnyTypeLosesAnInvocation) {
  const std::vector<json::value> replacements = Replacements();
  for (const std::string& text : Events()) {
    json::value event = json::parse(text);
    ASSERT_GE(SpansOf(json::serialize(event)), 1) << text;
    const std::function<void(json::value&)> replace = [&](json::value& at) {
      const json::value before = at;
      for (const json::value& other : replacements) {
        at = other;
        EXPECT_GE(SpansOf(json::serialize(event)), 1) << json::serialize(event);
      }
      at = before;
      if (json::array* items = at.if_array()) {
        for (json::value& item : *items) replace(item);
      } else if (json::object* members = at.if_object()) {
        for (json::key_value_pair& member : *members) replace(member.value());
      }
    };
    replace(event);
    EXPECT_EQ(event, json::parse(text));
  }
  EXPECT_GT(invocations_, 5'000);
  EXPECT_EQ(assembler_.counts().finished, invocations_);
  EXPECT_EQ(assembler_.unfinished(), 0);
  EXPECT_EQ(store_.bytes(), 0);
}

}  // namespace
}  // namespace thaw
