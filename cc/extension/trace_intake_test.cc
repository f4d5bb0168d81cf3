#include "cc/extension/trace_intake.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cc/extension/pipelines_fixture.h"
#include "cc/trace/trace_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using trace_test::Body;
using trace_test::Span;

class TraceIntakeTest : public PipelinesFixture {
 protected:
  void MakeIntake(bool stats = false, Environment::Variables variables = {}) {
    Make(std::move(variables));
    TraceProcessorOptions processing;
    processing.compute_stats_on_extension = stats;
    intake_ = std::make_unique<TraceIntake>(
        std::move(processing), LifecycleOptions(),
        stats ? std::optional<ConcentratorOptions>(ConcentratorOptions()) : std::nullopt, clock_,
        [this] { return ++last_id_; }, *pipelines_);
  }
  absl::Status Give(const std::string& body, TracerHeaders headers = {}) {
    return intake_->TakeTraces(body, TraceFormat::kV04, headers);
  }
  int64_t kept() const { return pipelines_->traces().kept_payloads(); }

  uint64_t last_id_ = 1000;
  std::unique_ptr<TraceIntake> intake_;
};

TEST_F(TraceIntakeTest, TracesAreHandedToTheirPipeline) {
  MakeIntake();
  EXPECT_TRUE(Give(Body({{Span(1, 0), Span(2, 1)}})).ok());
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(intake_->counts().payloads, 1);
}

TEST_F(TraceIntakeTest, WhatIsNoTraceIsRefusedAndNothingComesOfIt) {
  MakeIntake();
  EXPECT_EQ(Give("\xC1").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Give(Body({{Span(1, 0)}}).substr(0, 20)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(kept(), 0);
}

TEST_F(TraceIntakeTest, ATraceThatCameBeforeTakesNoRoom) {
  MakeIntake();
  const std::string body = Body({{Span(1, 0)}});
  EXPECT_TRUE(Give(body).ok());
  EXPECT_TRUE(Give(body).ok());
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(intake_->counts().empty, 1);
}

TEST_F(TraceIntakeTest, WhatWasTurnedAwayIsTakenWhenItComesAgain) {
  MakeIntake(false, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  uint64_t id = 1;
  absl::Status status;
  std::string last;
  while (status.ok()) {
    ASSERT_LT(id, 10'000'000);
    std::vector<trace_test::Write> spans;
    for (int i = 0; i < 1000; ++i) spans.push_back(Span(id++, 0));
    last = Body({spans});
    status = Give(last);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Give(last).code(), absl::StatusCode::kResourceExhausted) << "not taken for a duplicate";
}

TEST_F(TraceIntakeTest, AnInvocationsOwnSpanGoesTheSameWay) {
  MakeIntake();
  intake_->lifecycle().OnInvoke("a", {});
  intake_->lifecycle().Handle({.method = "POST",
                               .path = "/lambda/start-invocation",
                               .headers = {{"lambda-runtime-aws-request-id", "a"}},
                               .body = "{}"});
  intake_->lifecycle().Handle({.method = "POST",
                               .path = "/lambda/end-invocation",
                               .headers = {{"lambda-runtime-aws-request-id", "a"},
                                           {"x-datadog-trace-id", "5"},
                                           {"x-datadog-span-id", "6"}},
                               .body = "{}"});
  intake_->lifecycle().OnEnd("a", {.start = clock_.Now().wall, .duration = absl::Milliseconds(3)});
  intake_->lifecycle().OnReport("a");
  EXPECT_EQ(intake_->counts().own_traces, 1);
  EXPECT_EQ(intake_->counts().own_traces_lost, 0);
  EXPECT_EQ(kept(), 1);
}

TEST_F(TraceIntakeTest, StatsCountedHereAreHandedOverOnce) {
  MakeIntake(/*stats=*/true);
  EXPECT_TRUE(Give(Body({{Span(1, 0)}})).ok());
  EXPECT_EQ(pipelines_->stats().kept_payloads(), 0);
  intake_->HandOverStats(FlushScope::kAll);
  EXPECT_EQ(pipelines_->stats().kept_payloads(), 1);
  intake_->HandOverStats(FlushScope::kAll);
  EXPECT_EQ(pipelines_->stats().kept_payloads(), 1);
}

TEST_F(TraceIntakeTest, StatsThatTheTracerCountsAreNotCountedAgain) {
  MakeIntake(/*stats=*/true);
  TracerHeaders headers;
  headers.client_computed_stats = true;
  EXPECT_TRUE(Give(Body({{Span(1, 0)}}), headers).ok());
  intake_->HandOverStats(FlushScope::kAll);
  EXPECT_EQ(pipelines_->stats().kept_payloads(), 0);
}

}  // namespace
}  // namespace thaw
