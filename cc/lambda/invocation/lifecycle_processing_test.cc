// The lifecycle and the trace processor together, as the extension wires them: the processor asks the
// lifecycle about each span that a tracer sends, and processes the spans that the lifecycle makes.

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

class LifecycleProcessingTest : public testing::Test, public LifecycleSink, public SpanObserver {
 protected:
  LifecycleProcessingTest()
      : lifecycle_(
            LifecycleSettings(), clock_, [this] { return ++drawn_ + 1000; }, *this),
        processor_(ProcessorSettings(), clock_, &lifecycle_) {}

  static LifecycleOptions LifecycleSettings() {
    LifecycleOptions options;
    options.span = {.function_name = "shop"};
    return options;
  }
  static TraceProcessorOptions ProcessorSettings() {
    TraceProcessorOptions options;
    options.function_tags = FunctionTags({.region = "eu-west-1", .name = "shop", .env = "prod"}).map();
    options.function_name = "shop";
    options.compute_stats_on_extension = true;
    return options;
  }

  void TakeTrace(std::string body, bool client_computed_stats) override {
    Process(body, {.client_computed_stats = client_computed_stats});
  }
  void InvocationFinished(const FinishedInvocation&) override {}
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
    lifecycle_.SendReady();
  }
  void Call(std::string_view path, HttpHeaders headers, std::string_view body = "{}") {
    EXPECT_EQ(lifecycle_.Handle({.method = "POST", .path = path, .headers = headers, .body = body}).status,
              200);
  }

  const absl::Time start_ = absl::FromUnixMillis(1767225600500);
  ManualExecutor executor_;
  FakeClock clock_{executor_};
  uint64_t drawn_ = 0;
  InvocationLifecycle lifecycle_;
  TraceProcessor processor_;
  std::vector<Seen> seen_;
};

TEST_F(LifecycleProcessingTest, SpansMadeHereGetWhatAllGet) {
  lifecycle_.OnInvoke("r1", {.cold_start = true});
  Call("/lambda/start-invocation", {{"x-datadog-trace-id", "9"}},
       R"({"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:orders"}]})");
  Call("/lambda/end-invocation", {{"x-datadog-span-id", "71"}});
  lifecycle_.OnEnd("r1", {.start = start_, .duration = absl::Seconds(1)});
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
  lifecycle_.OnInvoke("r1", {});
  Call("/lambda/start-invocation", {{"x-datadog-trace-id", "9"}});
  TracerSends({.name = "aws.lambda",
               .resource = std::string(kPlaceholderResource),
               .trace_id = 9,
               .span_id = 71,
               .start = start_,
               .tags = {{"request_id", "r1"}, {"language", "jvm"}}});
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_EQ(lifecycle_.counts().placeholders, 1);
  Call("/lambda/end-invocation", {{"x-datadog-span-id", "71"}});
  lifecycle_.OnEnd("r1", {.start = start_, .duration = absl::Seconds(1)});
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_EQ(seen_[0].span_id, 71u);
  EXPECT_EQ(seen_[0].meta.at("language"), "jvm");
}

TEST_F(LifecycleProcessingTest, ColdStartTakesInTheLoadSpan) {
  lifecycle_.OnEnvironmentStart(/*is_restore=*/false, start_, absl::Seconds(1));
  TracerSends(
      {.service = "shop", .name = std::string(kLoadSpanName), .trace_id = 9, .span_id = 10, .start = start_});
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_EQ(seen_[1].name, "aws.lambda.cold_start");
  EXPECT_EQ(seen_[1].trace_id, 9u);
  EXPECT_EQ(seen_[0].parent_id, seen_[1].span_id);
}

TEST_F(LifecycleProcessingTest, TraceIdComesOfATracersSpan) {
  lifecycle_.OnInvoke("r1", {});
  Call("/lambda/start-invocation", {});
  Call("/lambda/end-invocation", {});
  lifecycle_.OnEnd("r1", {.start = start_, .duration = absl::Seconds(1)});
  TracerSends({.service = "web", .name = "http.request", .trace_id = 55, .span_id = 56, .start = start_});
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_EQ(seen_[1].name, "aws.lambda");
  EXPECT_EQ(seen_[1].trace_id, 55u);
}

// The spans of one invocation say nothing about another, which still has no trace.
TEST_F(LifecycleProcessingTest, SpansMadeHereGiveNobodyATrace) {
  lifecycle_.OnInvoke("r1", {});
  Call("/lambda/start-invocation", {});
  lifecycle_.OnInvoke("r2", {});
  Call("/lambda/start-invocation", {{"x-datadog-trace-id", "9"}});
  Call("/lambda/end-invocation", {{"lambda-runtime-aws-request-id", "r2"}});
  lifecycle_.OnEnd("r2", {.start = start_, .duration = absl::Seconds(1)});
  ASSERT_THAT(seen_, SizeIs(1));
  Call("/lambda/end-invocation", {{"lambda-runtime-aws-request-id", "r1"}});
  lifecycle_.OnEnd("r1", {.start = start_, .duration = absl::Seconds(1)});
  EXPECT_THAT(seen_, SizeIs(1));
  lifecycle_.OnReport("r1");
  ASSERT_THAT(seen_, SizeIs(2));
  EXPECT_NE(seen_[1].trace_id, 9u);
}

}  // namespace
}  // namespace thaw
