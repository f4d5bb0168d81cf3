#include "cc/lambda/invocation/invocation_span.h"

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/seeded_random.h"
#include "cc/trace/agent_payload.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_payload.h"
#include "cc/trace/trace_request_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::SizeIs;

const absl::Time kStart = absl::FromUnixMillis(1767225600500);

// Returns the ids 1001, 1002, …
RandomId Counting(uint64_t first = 1001) {
  return [next = first]() mutable { return next++; };
}

InvocationSpanOptions Options() { return {.function_name = "Shop", .runtime = "java21"}; }

InvocationRecord Record() {
  InvocationRecord record{.request_id = "r1", .cold_start = true};
  record.platform = {.start = kStart, .duration = absl::Milliseconds(120)};
  record.end = TracerEnd{.trace_id = 70,
                         .span_id = 71,
                         .parent_id = 72,
                         .sampling_priority = 2,
                         .propagation_tags = {{"_dd.p.dm", "-4"}}};
  return record;
}

TraceContext Upstream() {
  return {.trace_id = 7,
          .trace_id_high = 0x640cfd8d00000000,
          .parent_id = 8,
          .sampling_priority = 1,
          .origin = "synthetics",
          .tags = {{"_dd.p.tid", "640cfd8d00000000"}}};
}

std::vector<OwnedSpan> Make(const InvocationRecord& record,
                            const InvocationSpanOptions& options = Options()) {
  RandomId random = Counting();
  return MakeInvocationTrace(record, options, random);
}

TEST(InvocationSpanTest, TheSpanHasTheFactsOfTheTracersCall) {
  const std::vector<OwnedSpan> trace = Make(Record());
  ASSERT_THAT(trace, SizeIs(1));
  const OwnedSpan& span = trace[0];
  EXPECT_EQ(span.name, "aws.lambda");
  EXPECT_EQ(span.type, "serverless");
  EXPECT_EQ(span.resource, "Shop");
  EXPECT_EQ(span.service, "shop");
  EXPECT_EQ(span.trace_id, 70u);
  EXPECT_EQ(span.span_id, 71u);
  EXPECT_EQ(span.parent_id, 72u);
  EXPECT_EQ(span.start, kStart);
  EXPECT_EQ(span.duration, absl::Milliseconds(120));
  EXPECT_FALSE(span.is_error);
  EXPECT_THAT(span.tags,
              ElementsAre(Pair("_dd.p.dm", "-4"), Pair("cold_start", "true"), Pair("request_id", "r1"),
                          Pair("runtime", "java21"), Pair("span.kind", "server")));
  EXPECT_THAT(span.metrics, ElementsAre(Pair("_sampling_priority_v1", 2)));
}

TEST(InvocationSpanTest, UpstreamContextCountsMoreButForTheSpansIdAndPriority) {
  InvocationRecord record = Record();
  record.upstream = Upstream();
  record.upstream->baggage = {{"user", "a"}, {"request_id", "not mine"}};
  const OwnedSpan span = Make(record)[0];
  EXPECT_EQ(span.trace_id, 7u);
  EXPECT_EQ(span.span_id, 71u);
  EXPECT_EQ(span.parent_id, 8u);
  EXPECT_EQ(span.tags.at("_dd.p.tid"), "640cfd8d00000000");
  EXPECT_EQ(span.tags.at("_dd.origin"), "synthetics");
  EXPECT_FALSE(span.tags.contains("_dd.p.dm"));
  EXPECT_EQ(span.tags.at("user"), "a");
  EXPECT_EQ(span.tags.at("request_id"), "r1");
  EXPECT_THAT(span.metrics, ElementsAre(Pair("_sampling_priority_v1", 2)));
  record.end->sampling_priority.reset();
  EXPECT_THAT(Make(record)[0].metrics, ElementsAre(Pair("_sampling_priority_v1", 1)));
}

TEST(InvocationSpanTest, MissingIdsAreNewAndFit63Bits) {
  InvocationRecord record = Record();
  record.end.reset();
  RandomId random = [calls = 0]() mutable { return ++calls == 1 ? UINT64_MAX : 0; };
  const OwnedSpan span = MakeInvocationTrace(record, Options(), random)[0];
  EXPECT_EQ(span.trace_id, static_cast<uint64_t>(INT64_MAX));
  EXPECT_EQ(span.span_id, 1u);
  EXPECT_EQ(span.parent_id, 0u);
}

TEST(InvocationSpanTest, Services) {
  const auto service = [](InvocationSpanOptions options) { return Make(Record(), options)[0].service; };
  EXPECT_EQ(service({.function_name = "F", .service = "My-Shop"}), "my-shop");
  EXPECT_EQ(service({.function_name = "F"}), "f");
  EXPECT_EQ(service({.function_name = "F", .aws_service_representation = false}), "aws.lambda");
  EXPECT_EQ(service({}), "aws.lambda");
  EXPECT_EQ(Make(Record(), {})[0].resource, "aws.lambda");
}

TEST(InvocationSpanTest, Errors) {
  InvocationRecord record = Record();
  record.end->is_error = true;
  record.end->error_tags = {{"error.msg", "boom"}, {"error.type", "Oops"}};
  OwnedSpan span = Make(record)[0];
  EXPECT_TRUE(span.is_error);
  EXPECT_THAT(span.tags, IsSupersetOf<SpanTags::value_type>({{"error.msg", "boom"}, {"error.type", "Oops"}}));

  record = Record();
  record.end->http_status_code = "404";
  EXPECT_FALSE(Make(record)[0].is_error);
  record.end->http_status_code = "502";
  span = Make(record)[0];
  EXPECT_TRUE(span.is_error);
  EXPECT_EQ(span.tags.at("http.status_code"), "502");

  record = Record();
  record.platform.failed = true;
  record.platform.error_type = "Runtime.ExitError";
  span = Make(record)[0];
  EXPECT_TRUE(span.is_error);
  EXPECT_EQ(span.tags.at("error.type"), "Runtime.ExitError");
}

TEST(InvocationSpanTest, TimeoutAndOutOfMemory) {
  InvocationRecord record = Record();
  record.end.reset();
  record.platform.timed_out = true;
  OwnedSpan span = Make(record)[0];
  EXPECT_TRUE(span.is_error);
  EXPECT_EQ(span.tags.at("error.type"), "Timeout");
  EXPECT_EQ(span.tags.at("error.msg"), "Datadog detected a Timeout");
  record.platform.timed_out = false;
  record.platform.out_of_memory = true;
  span = Make(record)[0];
  EXPECT_TRUE(span.is_error);
  EXPECT_EQ(span.tags.at("error.type"), "Runtime.OutOfMemory");
}

TEST(InvocationSpanTest, ProactiveTagIsOnlyThereWhenTrue) {
  InvocationRecord record = Record();
  EXPECT_FALSE(Make(record)[0].tags.contains("proactive_initialization"));
  record.cold_start = false;
  record.proactive_initialization = true;
  const OwnedSpan span = Make(record)[0];
  EXPECT_EQ(span.tags.at("proactive_initialization"), "true");
  EXPECT_EQ(span.tags.at("cold_start"), "false");
}

TEST(InvocationSpanTest, PlaceholderAddsAndDoesNotOverride) {
  InvocationRecord record = Record();
  record.placeholder = PlaceholderSpan{.tags = {{"request_id", "other"}, {"language", "jvm"}},
                                       .metrics = {{"_sampling_priority_v1", 0}, {"x", 1.5}},
                                       .meta_struct = {{"appsec", "\x80"}}};
  const OwnedSpan span = Make(record)[0];
  EXPECT_EQ(span.tags.at("request_id"), "r1");
  EXPECT_EQ(span.tags.at("language"), "jvm");
  EXPECT_THAT(span.metrics, ElementsAre(Pair("_sampling_priority_v1", 2), Pair("x", 1.5)));
  EXPECT_THAT(span.meta_struct, ElementsAre(Pair("appsec", "\x80")));
}

TEST(InvocationSpanTest, SenderStandsBetweenUpstreamAndInvocation) {
  InvocationRecord record = Record();
  record.upstream = Upstream();
  record.platform.failed = true;
  record.trigger.source = "api-gateway";
  record.trigger.source_arn = "arn:api";
  record.trigger.tags = {{"http.method", "GET"}};
  record.trigger.spans = {{.name = "aws.httpapi",
                           .type = "web",
                           .resource = "GET /",
                           .service = "d.example",
                           .start = kStart - absl::Milliseconds(30),
                           .tags = {{"endpoint", "/"}}}};
  const std::vector<OwnedSpan> trace = Make(record);
  ASSERT_THAT(trace, SizeIs(2));
  EXPECT_EQ(trace[0].trace_id, 7u);
  EXPECT_EQ(trace[0].span_id, 1001u);
  EXPECT_EQ(trace[0].parent_id, 8u);
  EXPECT_EQ(trace[0].duration, absl::Milliseconds(150));  // the sender waits for the invocation's end
  EXPECT_TRUE(trace[0].is_error);
  EXPECT_THAT(
      trace[0].tags,
      ElementsAre(Pair("_dd.origin", "synthetics"), Pair("_dd.p.tid", "640cfd8d00000000"),
                  Pair("_inferred_span.synchronicity", "sync"), Pair("_inferred_span.tag_source", "self"),
                  Pair("endpoint", "/"), Pair("peer.service", "shop"), Pair("span.kind", "server")));
  EXPECT_THAT(trace[0].metrics, ElementsAre(Pair("_sampling_priority_v1", 2)));
  EXPECT_EQ(trace[1].parent_id, 1001u);
  EXPECT_EQ(trace[1].tags.at("function_trigger.event_source"), "api-gateway");
  EXPECT_EQ(trace[1].tags.at("function_trigger.event_source_arn"), "arn:api");
  EXPECT_EQ(trace[1].tags.at("http.method"), "GET");
  EXPECT_FALSE(trace[1].tags.contains("_dd.p.tid"));
}

TEST(InvocationSpanTest, TheStatusOfTheResponseIsOnTheSenderAndOnTheInvocation) {
  InvocationRecord record = Record();
  record.end->http_status_code = "404";
  // An API in front of another sender: the response goes to the nearest one.
  record.trigger.spans = {{.name = "aws.sns", .start = kStart - absl::Milliseconds(50)},
                          {.name = "aws.httpapi", .start = kStart - absl::Milliseconds(30)}};
  const std::vector<OwnedSpan> trace = Make(record);
  ASSERT_THAT(trace, SizeIs(3));
  EXPECT_FALSE(trace[0].tags.contains("http.status_code"));
  EXPECT_EQ(trace[1].tags.at("http.status_code"), "404");
  EXPECT_EQ(trace[2].tags.at("http.status_code"), "404");
}

TEST(InvocationSpanTest, TopicQueueInvocation) {
  InvocationRecord record = Record();
  record.trigger.spans = {
      {.name = "aws.sns", .service = "news", .start = kStart - absl::Milliseconds(50), .is_async = true},
      {.name = "aws.sqs", .service = "orders", .start = kStart - absl::Milliseconds(30), .is_async = true}};
  std::vector<OwnedSpan> trace = Make(record);
  ASSERT_THAT(trace, SizeIs(3));
  EXPECT_EQ(trace[0].parent_id, 72u);
  EXPECT_EQ(trace[0].duration, absl::Milliseconds(20));
  EXPECT_EQ(trace[0].tags.at("peer.service"), "orders");
  EXPECT_EQ(trace[1].parent_id, trace[0].span_id);
  EXPECT_EQ(trace[1].duration, absl::Milliseconds(30));
  EXPECT_EQ(trace[1].tags.at("peer.service"), "shop");
  EXPECT_EQ(trace[2].parent_id, trace[1].span_id);
  EXPECT_EQ(trace[0].tags.at("_dd.p.dm"), "-4");

  // Spans without times, or with clocks that disagree, are kept.
  record.trigger.spans[0].start = absl::InfinitePast();
  record.trigger.spans[1].start = kStart + absl::Seconds(9);
  trace = Make(record);
  EXPECT_EQ(trace[0].duration, absl::ZeroDuration());
  EXPECT_EQ(trace[1].duration, absl::ZeroDuration());
}

TEST(InvocationSpanTest, SpanPointersAreLinksOfTheRoot) {
  InvocationRecord record = Record();
  record.span_pointers = {{"aws.s3.object", "ab"}};
  record.placeholder = PlaceholderSpan{.tags = {{"_dd.span_links", R"([{"a":1}])"}}};
  EXPECT_THAT(Make(record)[0].tags.at("_dd.span_links"), testing::HasSubstr(R"([{"a":1},{)"));
  record.trigger.spans = {{.name = "aws.s3"}};
  const std::vector<OwnedSpan> trace = Make(record);
  EXPECT_THAT(trace[0].tags.at("_dd.span_links"), testing::HasSubstr("\"ptr.hash\":\"ab\""));
  EXPECT_EQ(trace[1].tags.at("_dd.span_links"), R"([{"a":1}])");
}

TEST(InvocationSpanTest, EnvironmentStart) {
  const OwnedSpan invocation = Make(Record())[0];
  const OwnedSpan cold =
      MakeEnvironmentStartSpan({.start = kStart, .duration = absl::Seconds(1)}, invocation, 5);
  EXPECT_EQ(cold.name, "aws.lambda.cold_start");
  EXPECT_EQ(cold.trace_id, 70u);
  EXPECT_EQ(cold.span_id, 5u);
  EXPECT_EQ(cold.parent_id, 72u);
  EXPECT_EQ(cold.service, invocation.service);
  EXPECT_EQ(cold.resource, invocation.resource);
  EXPECT_EQ(cold.duration, absl::Seconds(1));
  EXPECT_EQ(MakeEnvironmentStartSpan({.is_restore = true}, invocation, 5).name,
            "aws.lambda.snapstart_restore");
}

// The request is processed as all traces are.
TEST(InvocationSpanTest, GoesTheWayOfATracersRequest) {
  InvocationRecord record = Record();
  record.upstream = Upstream();
  record.payload_tags = {{"function.request.text", "not \xff UTF-8"}};
  record.placeholder = PlaceholderSpan{.metrics = {{"x", 1.5}}, .meta_struct = {{"appsec", "\x81\xff"}}};
  record.trigger.spans = {{.name = "aws.sqs", .start = kStart, .is_async = true}};
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(EncodeTraceRequest(Make(record)));
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ(payload->counts().spans, 2);
  EXPECT_EQ(payload->counts().spans_left_out, 0);
  EXPECT_EQ(payload->counts().chunks, 1);

  ProtobufReader chunks(payload->chunk_fields());
  ASSERT_TRUE(chunks.Next());
  ProtobufReader chunk(chunks.bytes());
  std::vector<std::string_view> spans;
  std::string_view origin;
  uint64_t priority = 0;
  while (chunk.Next()) {
    if (chunk.field() == TraceChunkField::kSpans) spans.push_back(chunk.bytes());
    if (chunk.field() == TraceChunkField::kOrigin) origin = chunk.bytes();
    if (chunk.field() == TraceChunkField::kPriority) priority = chunk.value();
  }
  EXPECT_EQ(priority, 2u);
  EXPECT_EQ(origin, "synthetics");
  ASSERT_THAT(spans, SizeIs(2));
  uint64_t start = 0, duration = 0, id = 0;
  int meta_structs = 0, metrics = 0;
  ProtobufReader span(spans[1]);
  while (span.Next()) {
    if (span.field() == SpanField::kStart) start = span.value();
    if (span.field() == SpanField::kDuration) duration = span.value();
    if (span.field() == SpanField::kSpanId) id = span.value();
    meta_structs += span.field() == SpanField::kMetaStruct;
    metrics += span.field() == SpanField::kMetrics;
  }
  EXPECT_EQ(start, 1767225600500000000u);
  EXPECT_EQ(duration, 120'000'000u);
  EXPECT_EQ(id, 71u);
  EXPECT_EQ(meta_structs, 1);
  EXPECT_EQ(metrics, 2);

  AgentPayloadBuilder builder;
  builder.Add(*payload);
  EXPECT_THAT(SplitAgentPayload(builder.Finish()), SizeIs(2));
}

}  // namespace
}  // namespace thaw
