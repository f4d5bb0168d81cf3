// The assembler and the trace processor together, as the extension wires them: the processor asks the
// assembler about each span that a tracer sends, and processes the spans that the assembler makes.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/trace/process/trace_processor.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_request_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Seen {
  std::string name, service;
  uint64_t trace_id = 0, span_id = 0, parent_id = 0;
  bool top_level = false;
  std::map<std::string, std::string> meta;
};

class LifecycleProcessingTest : public testing::Test, public SpanObserver {
 protected:
  LifecycleProcessingTest()
      : assembler_({.span = {.function_name = "shop"}}, store_, clock_, [this] { return ++drawn_ + 1000; }),
        processor_(ProcessorSettings(), clock_, &assembler_) {}

  static TraceProcessorOptions ProcessorSettings() {
    TraceProcessorOptions options;
    options.function_tags = FunctionTags({.region = "eu-west-1", .name = "shop", .env = "prod"}).map();
    options.function_name = "shop";
    options.compute_stats_on_extension = true;
    return options;
  }

  // Processes the spans made here.
  void TakeOwnTraces() {
    for (const OwnTrace& trace : assembler_.TakeOwnTraces()) {
      const absl::StatusOr<TracePayload> payload =
          processor_.ProcessOwn(trace.body, {.client_computed_stats = trace.client_computed_stats}, this);
      EXPECT_TRUE(payload.ok()) << payload.status();
    }
  }
  void PlatformEnded(std::string_view id) {
    assembler_.OnEnd(id, {.start = start_, .duration = absl::Seconds(1)});
    TakeOwnTraces();
  }
  void OnSpan(const TracerView&, const SpanView& span) override {
    Seen seen{.name = std::string(span.name),
              .service = std::string(span.service),
              .trace_id = span.trace_id,
              .span_id = span.span_id,
              .parent_id = span.parent_id,
              .top_level = span.top_level};
    for (const SpanMeta& meta : span.meta) seen.meta.emplace(meta.key, meta.value);
    seen_.push_back(std::move(seen));
  }

  void Process(std::string_view body, TracerHeaders headers = {}) {
    const absl::StatusOr<TracePayload> payload =
        processor_.Process(body, TraceFormat::kV04, std::move(headers), this);
    EXPECT_TRUE(payload.ok()) << payload.status();
  }
  void TracerSends(const OwnedSpan& span) {
    Process(EncodeTraceRequest({&span, 1}));
    TakeOwnTraces();
  }
  void Call(std::string_view path, HttpHeaders headers, std::string_view body = "{}") {
    EXPECT_EQ(endpoints_.Handle({.method = "POST", .path = path, .headers = headers, .body = body}).status,
              200);
    TakeOwnTraces();
  }

  const absl::Time start_ = absl::FromUnixMillis(1767225600500);
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  uint64_t drawn_ = 0;
  InvocationStore store_{{}};
  InvocationAssembler assembler_;
  LifecycleEndpoints endpoints_{{}, assembler_};
  TraceProcessor processor_;
  std::vector<Seen> seen_;
};

TEST_F(LifecycleProcessingTest, SpansMadeHereGetWhatAllGet) {
  assembler_.OnInvoke("r1", {.cold_start = true});
  Call("/lambda/start-invocation", {{"x-datadog-trace-id", "9"}},
       R"({"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:orders"}]})");
  Call("/lambda/end-invocation", {{"x-datadog-span-id", "71"}});
  PlatformEnded("r1");
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_EQ(seen_[0].name, "aws.sqs");
  EXPECT_EQ(seen_[0].meta.at("_dd.base_service"), "shop");
  EXPECT_EQ(seen_[1].name, "aws.lambda");
  EXPECT_EQ(seen_[1].span_id, 71u);
  EXPECT_EQ(seen_[1].parent_id, seen_[0].span_id);
  for (const Seen& span : seen_) {
    EXPECT_TRUE(span.top_level) << span.name;
    EXPECT_EQ(span.meta.at("env"), "prod") << span.name;
    EXPECT_EQ(span.meta.at("functionname"), "shop") << span.name;
    EXPECT_EQ(span.meta.at("_dd.origin"), "lambda") << span.name;
  }
}

TEST_F(LifecycleProcessingTest, PlaceholderGoesIntoTheSpanAndNowhereElse) {
  assembler_.OnInvoke("r1", {});
  Call("/lambda/start-invocation", {{"x-datadog-trace-id", "9"}});
  TracerSends({.name = "aws.lambda",
               .resource = std::string(kPlaceholderResource),
               .trace_id = 9,
               .span_id = 71,
               .start = start_,
               .tags = {{"request_id", "r1"}, {"language", "jvm"}}});
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_EQ(assembler_.counts().placeholders, 1);
  Call("/lambda/end-invocation", {{"x-datadog-span-id", "71"}});
  PlatformEnded("r1");
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_EQ(seen_[0].span_id, 71u);
  EXPECT_EQ(seen_[0].meta.at("language"), "jvm");
}

TEST_F(LifecycleProcessingTest, ColdStartTakesInTheLoadSpan) {
  assembler_.OnEnvironmentStart(/*is_restore=*/false, start_, absl::Seconds(1));
  TracerSends(
      {.service = "shop", .name = std::string(kLoadSpanName), .trace_id = 9, .span_id = 10, .start = start_});
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_EQ(seen_[1].name, "aws.lambda.cold_start");
  EXPECT_EQ(seen_[1].trace_id, 9u);
  EXPECT_EQ(seen_[0].parent_id, seen_[1].span_id);
}

TEST_F(LifecycleProcessingTest, TraceIdComesOfATracersSpan) {
  assembler_.OnInvoke("r1", {});
  Call("/lambda/start-invocation", {});
  Call("/lambda/end-invocation", {});
  PlatformEnded("r1");
  TracerSends({.service = "web", .name = "http.request", .trace_id = 55, .span_id = 56, .start = start_});
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_EQ(seen_[1].name, "aws.lambda");
  EXPECT_EQ(seen_[1].trace_id, 55u);
}

// The spans of one invocation say nothing about another, which still has no trace.
TEST_F(LifecycleProcessingTest, SpansMadeHereGiveNoInvocationATrace) {
  assembler_.OnInvoke("r1", {});
  Call("/lambda/start-invocation", {});
  assembler_.OnInvoke("r2", {});
  Call("/lambda/start-invocation", {{"x-datadog-trace-id", "9"}});
  Call("/lambda/end-invocation", {{"lambda-runtime-aws-request-id", "r2"}});
  PlatformEnded("r2");
  ASSERT_THAT(seen_, SizeIs(1));
  Call("/lambda/end-invocation", {{"lambda-runtime-aws-request-id", "r1"}});
  PlatformEnded("r1");
  EXPECT_THAT(seen_, SizeIs(1));
  assembler_.OnReport("r1");
  TakeOwnTraces();
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_NE(seen_[1].trace_id, 9u);
}

// The spans of a request come in any order, and the first may tell the trace id that an ended invocation lacks.
TEST_F(LifecycleProcessingTest, APlaceholderAfterAChildInTheSameRequestIsTakenIn) {
  assembler_.OnInvoke("r1", {});
  Call("/lambda/start-invocation", {});
  Call("/lambda/end-invocation", {});
  PlatformEnded("r1");
  const OwnedSpan child{.service = "web",
                        .name = "http.request",
                        .trace_id = 55,
                        .span_id = 72,
                        .parent_id = 71,
                        .start = start_};
  const OwnedSpan placeholder{.name = "aws.lambda",
                              .resource = std::string(kPlaceholderResource),
                              .trace_id = 55,
                              .span_id = 71,
                              .start = start_,
                              .tags = {{"request_id", "r1"}, {"language", "jvm"}}};
  const OwnedSpan spans[] = {child, placeholder};
  Process(EncodeTraceRequest(spans));
  TakeOwnTraces();
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_EQ(seen_[1].name, "aws.lambda");
  EXPECT_EQ(seen_[1].trace_id, 55u);
  EXPECT_EQ(seen_[1].span_id, 71u);
  EXPECT_EQ(seen_[1].meta.at("language"), "jvm");
  EXPECT_EQ(assembler_.counts().placeholders_late, 0);
}

// The processor asks about a tracer's spans while spans made here are queued: those that wait stay as they are,
// and the tracer's spans may finish further invocations.
TEST_F(LifecycleProcessingTest, TracersSpansMayComeWhileOwnSpansAreQueued) {
  for (const char* id : {"r1", "r2"}) {
    assembler_.OnInvoke(id, {});
    const HttpHeaders headers = {{"lambda-runtime-aws-request-id", id}};
    Call("/lambda/start-invocation", headers);
    if (id[1] == '2') Call("/lambda/end-invocation", headers);
  }
  assembler_.OnEnvironmentStart(/*is_restore=*/false, start_ - absl::Seconds(1), absl::Seconds(1));
  assembler_.OnEnd("r1", {.start = start_, .duration = absl::Seconds(1), .failed = true, .timed_out = true});
  assembler_.OnEnd("r2", {.start = start_, .duration = absl::Seconds(1)});
  ASSERT_THAT(seen_, IsEmpty());
  EXPECT_EQ(assembler_.counts().traces, 1) << "of r1, which is queued";
  const OwnedSpan placeholder{.name = "aws.lambda",
                              .resource = std::string(kPlaceholderResource),
                              .trace_id = 55,
                              .span_id = 71,
                              .start = start_,
                              .tags = {{"request_id", "r2"}}};
  const OwnedSpan child{.service = "web",
                        .name = "http.request",
                        .trace_id = 55,
                        .span_id = 72,
                        .parent_id = 71,
                        .start = start_};
  Process(EncodeTraceRequest({&child, 1}));
  Process(EncodeTraceRequest({&placeholder, 1}));
  ASSERT_THAT(seen_, SizeIs(1)) << "the tracer's span";
  EXPECT_EQ(assembler_.counts().traces, 2);
  TakeOwnTraces();
  ASSERT_THAT(seen_, SizeIs(4));
  EXPECT_EQ(seen_[1].meta.at("request_id"), "r1");
  EXPECT_NE(seen_[1].trace_id, 55u);
  EXPECT_EQ(seen_[2].meta.at("request_id"), "r2");
  EXPECT_EQ(seen_[2].trace_id, 55u);
  EXPECT_EQ(seen_[3].name, "aws.lambda.cold_start");
  TakeOwnTraces();
  EXPECT_THAT(seen_, SizeIs(4)) << "each is taken once";
}

}  // namespace
}  // namespace thaw
