#include "cc/extension/trace_intake.h"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cc/base/byte_account.h"
#include "cc/base/msgpack_writer.h"
#include "cc/extension/pipelines_fixture.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
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
        std::move(processing),
        stats ? std::optional<ConcentratorOptions>(ConcentratorOptions()) : std::nullopt, executor_, clock_,
        assembler_, *pipelines_);
  }
  absl::Status Give(const std::string& body, TracerHeaders headers = {}) {
    return Give(TraceRequest{.body = body, .headers = std::move(headers)});
  }
  // Gives the request and counts the turns of the loop that it takes.
  absl::Status Give(const TraceRequest& request) {
    turns_ = 0;
    if (std::optional<absl::Status> status = intake_->TakeTracesAtOnce(request)) return *status;
    absl::Status result = absl::UnknownError("no answer");
    Cancellation never;
    Spawn<absl::Status>(executor_, intake_->TakeTraces(request, never),
                        [&result](absl::Status status) { result = std::move(status); });
    while (executor_.Step()) ++turns_;
    return result;
  }
  int64_t kept() const { return pipelines_->traces().kept_payloads(); }

  uint64_t last_id_ = 1000;
  int turns_ = 0;
  InvocationStore store_{{}};
  InvocationAssembler assembler_{{}, store_, clock_, [this] { return ++last_id_; }};
  std::unique_ptr<TraceIntake> intake_;
};

TEST_F(TraceIntakeTest, TracesAreHandedToTheirPipeline) {
  MakeIntake();
  EXPECT_TRUE(Give(Body({{Span(1, 0), Span(2, 1)}})).ok());
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(intake_->counts().payloads, 1);
}

TEST_F(TraceIntakeTest, ABodyThatIsNoTraceIsRefusedWithoutEffect) {
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

TEST_F(TraceIntakeTest, ARequestThatWasTurnedAwayIsTakenWhenItComesAgain) {
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

// Makes a v0.5 request whose spans share a string of a table.
std::string SpansThatShare(const std::string& text, int spans) {
  MsgpackWriter out;
  out.Array(2);
  out.Array(3);
  for (const std::string& entry : {std::string("svc"), std::string("error.stack"), text}) out.String(entry);
  out.Array(1);
  out.Array(spans);
  for (int i = 0; i < spans; ++i) {
    out.Array(12);
    for (const uint64_t value : {0, 0, 0, 7, 1 + i, i == 0 ? 0 : 1, 1'000'000'000, 5, 1}) out.Unsigned(value);
    out.Map(1);
    out.Unsigned(1);
    out.Unsigned(2);
    out.Map(0);
    out.Unsigned(0);
  }
  return out.Take();
}

TEST_F(TraceIntakeTest, ErrorsThatShareAStackFitIntoASmallFunction) {
  MakeIntake(false, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  const std::string body = SpansThatShare(std::string(10'000, 's'), 2'000);
  EXPECT_TRUE(Give({.body = body, .format = TraceFormat::kV05}).ok());
  EXPECT_GE(turns_, 20) << "others have their turns between";
  EXPECT_EQ(kept(), 1);
  EXPECT_GE(pipelines_->traces().pipeline().outbox().items(), 20);
  EXPECT_LT(pipelines_->bytes().used(), 1 << 20) << "alike spans compress well";
  EXPECT_EQ(intake_->counts().in_parts, 1);
  EXPECT_TRUE(pipelines_->traces().pipeline().CheckInvariantByWalking().ok());
  EXPECT_TRUE(Give({.body = body, .format = TraceFormat::kV05}).ok());
  EXPECT_EQ(intake_->counts().empty, 1) << "it came before";
}

TEST_F(TraceIntakeTest, ARequestThatNeverFitsIsRefusedForGoodAndHoldsNoMemory) {
  MakeIntake(false, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  const std::string body = SpansThatShare(std::string(1'000'000, 's'), 100'000);
  const absl::Status status = Give({.body = body, .format = TraceFormat::kV05});
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_EQ(kept(), 0);
  EXPECT_EQ(pipelines_->bytes().used(), 0);
}

TEST_F(TraceIntakeTest, ARequestWhoseBodyLeavesNoRoomToEncodeItIsRefusedForGood) {
  MakeIntake(false, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  const size_t body_memory = pipelines_->bytes().limit() - (size_t{3} << 20);
  ByteCharge received(&pipelines_->bytes());
  ASSERT_TRUE(received.Grow(body_memory).ok());
  const std::string body = SpansThatShare(std::string(10'000, 's'), 2'000);
  const absl::Status status = Give({.body = body, .format = TraceFormat::kV05, .body_memory = body_memory});
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_EQ(kept(), 0);
  EXPECT_EQ(pipelines_->bytes().used(), body_memory);
}

TEST_F(TraceIntakeTest, ALargeRequestThatFindsNoRoomIsTakenWhenItComesAgain) {
  MakeIntake(false, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  // Noise does not compress, so that its parts fill the remaining room.
  std::string noise;
  uint32_t state = 1;
  for (int i = 0; i < 3'000'000; ++i) noise.push_back(' ' + (state = state * 1664525 + 1013904223) % 94);
  std::vector<trace_test::Write> spans;
  for (int i = 0; i < 30; ++i)
    spans.push_back(
        Span(1 + i, 0,
             {{"meta", trace_test::Map({{"noise", trace_test::Text(noise.substr(i * 100'000, 100'000))}})}}));
  const std::string body = Body({spans});
  ByteCharge others(&pipelines_->bytes());
  ASSERT_TRUE(others.Grow(11 << 20).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Give(body)));
  EXPECT_EQ(kept(), 0) << "all or nothing";
  EXPECT_EQ(pipelines_->bytes().used(), 11 << 20);
  others.Release();
  EXPECT_TRUE(Give(body).ok()) << "not taken for a duplicate";
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(intake_->counts().payloads, 1);
}

TEST_F(TraceIntakeTest, ACancelledRequestLeavesNothing) {
  MakeIntake();
  const std::string body = SpansThatShare(std::string(10'000, 's'), 2'000);
  Cancellation cancellation;
  absl::Status result = absl::UnknownError("no answer");
  Spawn<absl::Status>(executor_,
                      intake_->TakeTraces({.body = body, .format = TraceFormat::kV05}, cancellation),
                      [&result](absl::Status status) { result = std::move(status); });
  for (int i = 0; i < 10; ++i) executor_.Step();
  cancellation.Request(absl::CancelledError("the server closes"));
  executor_.RunAll();
  EXPECT_TRUE(absl::IsUnavailable(result)) << result;
  EXPECT_EQ(kept(), 0);
  EXPECT_EQ(pipelines_->bytes().used(), 0);
  EXPECT_TRUE(Give({.body = body, .format = TraceFormat::kV05}).ok());
  EXPECT_EQ(kept(), 1);
}

TEST_F(TraceIntakeTest, AFlushWaitsForWhatIsBeingWorkedOn) {
  MakeIntake();
  const std::string body = SpansThatShare(std::string(10'000, 's'), 2'000);
  Cancellation never;
  bool answered = false, waited = false, idle = false;
  Spawn<absl::Status>(executor_, intake_->TakeTraces({.body = body, .format = TraceFormat::kV05}, never),
                      [&answered](absl::Status) { answered = true; });
  executor_.Step();
  Spawn(executor_, intake_->WaitForWork(absl::Seconds(1)), [&] {
    waited = true;
    EXPECT_EQ(kept(), 1);
  });
  executor_.RunAll();
  EXPECT_TRUE(answered && waited);
  Spawn(executor_, intake_->WaitForWork(absl::Seconds(1)), [&idle] { idle = true; });
  executor_.RunAll();
  EXPECT_TRUE(idle);
}

TEST_F(TraceIntakeTest, LargeStatsAreReadInTurnsAndACancelledRequestLeavesNothing) {
  MakeIntake();
  MsgpackWriter out;
  out.Map(1);
  out.String("Stats");
  out.Array(1);
  out.Map(3);
  for (const std::string_view key : {"Start", "Duration"}) {
    out.String(key);
    out.Unsigned(1);
  }
  out.String("Stats");
  out.Array(200'000);
  for (int i = 0; i < 200'000; ++i) out.Map(0);
  const std::string body = out.Take();
  const TraceRequest request = {.body = body};
  EXPECT_FALSE(intake_->TakeStatsAtOnce(request).has_value());
  const auto kept_stats = [this] { return pipelines_->stats().kept_payloads(); };
  Cancellation cancellation;
  absl::Status result = absl::UnknownError("no answer");
  const auto take = [&](Cancellation& scope) {
    Spawn<absl::Status>(executor_, intake_->TakeStats(request, scope),
                        [&result](absl::Status status) { result = std::move(status); });
  };
  take(cancellation);
  executor_.Step();
  cancellation.Request(absl::CancelledError("the server closes"));
  executor_.RunAll();
  EXPECT_TRUE(absl::IsUnavailable(result)) << result;
  EXPECT_EQ(kept_stats(), 0);
  EXPECT_EQ(pipelines_->bytes().used(), 0);
  Cancellation never;
  take(never);
  int turns = 0;
  while (executor_.Step()) ++turns;
  EXPECT_TRUE(result.ok()) << result;
  EXPECT_GE(turns, 2);
  EXPECT_EQ(kept_stats(), 1);
  const absl::Status small = intake_->TakeStatsAtOnce({.body = "\x80"}).value();
  EXPECT_TRUE(small.ok()) << small;
}

// Returns client stats of one bucket.
std::string StatsOf(uint32_t groups) {
  MsgpackWriter out;
  const auto unsigned_values = [&out](std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) {
      out.String(key);
      out.Unsigned(1);
    }
  };
  out.Map(1);
  out.String("Stats");
  out.Array(1);
  out.Map(3);
  unsigned_values({"Start", "Duration"});
  out.String("Stats");
  out.Array(groups);
  for (; groups > 0; --groups) {
    out.Map(11);
    unsigned_values({"HTTPStatusCode", "Hits", "Errors", "Duration", "TopLevelHits"});
    for (const std::string_view key : {"Service", "Name", "Resource", "OkSummary", "ErrorSummary"}) {
      out.String(key);
      out.String("GET /");
    }
    out.String("Synthetics");
    out.Bool(false);
  }
  return out.Take();
}

TEST_F(TraceIntakeTest, LargeStatsAreEncodedInTurnsAndHandedOverOnce) {
  MakeIntake();
  const std::string body = StatsOf(40'000);
  absl::Status result = absl::UnknownError("no answer");
  Cancellation never;
  Spawn<absl::Status>(executor_, intake_->TakeStats({.body = body}, never),
                      [&result](absl::Status status) { result = std::move(status); });
  int turns = 0;
  while (executor_.Step()) ++turns;
  EXPECT_TRUE(result.ok()) << result;
  // Each cut, and each megabyte that is encoded, has a turn of its own.
  const int parts = static_cast<int>(body.size() >> 20);
  ASSERT_GE(parts, 4);
  EXPECT_GE(turns, 2 * parts);
  const PipelineFlusher& stats = pipelines_->stats().pipeline();
  EXPECT_EQ(stats.kept_payloads(), 1);
  EXPECT_GE(static_cast<int>(stats.outbox().items()), parts);
  EXPECT_EQ(pipelines_->bytes().used(), stats.bytes());
}

TEST_F(TraceIntakeTest, HeadersOfTracersCountAgainstTheBudget) {
  MakeIntake(false, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  absl::Status status;
  int taken = 0;
  for (; status.ok() && taken < 10'000; ++taken) {
    TracerHeaders headers;
    headers.lang = std::to_string(taken) + std::string(60'000, 'l');
    status = Give(Body({{Span(1 + taken, 0)}}), std::move(headers));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_LT(taken, 300);
  EXPECT_LE(pipelines_->bytes().used(), pipelines_->bytes().limit());
}

TEST_F(TraceIntakeTest, HeadersAndTargetsOfProxiedRequestsCount) {
  MakeIntake(false, {{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  absl::Status status;
  int taken = 0;
  for (; status.ok() && taken < 10'000; ++taken) {
    ProxiedRequest request;
    request.host_prefix = ProxyRoutes()[0].host_prefix;
    request.request.target = std::string(20'000, 't');
    request.request.headers = {{"X-Long", std::string(40'000, 'h')}};
    request.request.body = std::make_shared<const std::string>("{}");
    status = intake_->TakeProxied(std::move(request));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_LT(taken, 300);
}

TEST_F(TraceIntakeTest, UnreadableSpansAreCounted) {
  MakeIntake();
  EXPECT_TRUE(Give(Body({{Span(1, 0), Span(2, 0, {{"duration", trace_test::Text("long")}})}})).ok());
  EXPECT_EQ(intake_->counts().spans_left_out, 1);
  EXPECT_EQ(kept(), 1);
}

TEST_F(TraceIntakeTest, MetricsThatAreNotFiniteAreCounted) {
  MakeIntake();
  EXPECT_TRUE(
      Give(Body({{Span(1, 0, {{"metrics", trace_test::Map({{"m", trace_test::Text("nan")}})}})}})).ok());
  EXPECT_EQ(intake_->counts().metrics_not_finite, 1);
  EXPECT_EQ(kept(), 1);
}

TEST_F(TraceIntakeTest, SpansWithoutIdsAreCounted) {
  MakeIntake();
  EXPECT_TRUE(Give(Body({{Span(1, 0), Span(0, 0)}})).ok());
  EXPECT_TRUE(Give(Body({{Span(2, 0, {{"trace_id", trace_test::Int(0)}})}})).ok());
  EXPECT_EQ(intake_->counts().spans_without_ids, 2);
  EXPECT_EQ(intake_->counts().spans_left_out, 0);
  EXPECT_EQ(kept(), 1);
}

TEST_F(TraceIntakeTest, AnInvocationsOwnSpanGoesTheSameWay) {
  MakeIntake();
  LifecycleEndpoints endpoints({}, assembler_);
  assembler_.OnInvoke("a", {});
  endpoints.Handle({.method = "POST",
                    .path = "/lambda/start-invocation",
                    .headers = {{"lambda-runtime-aws-request-id", "a"}},
                    .body = "{}"});
  endpoints.Handle({.method = "POST",
                    .path = "/lambda/end-invocation",
                    .headers = {{"lambda-runtime-aws-request-id", "a"},
                                {"x-datadog-trace-id", "5"},
                                {"x-datadog-span-id", "6"}},
                    .body = "{}"});
  assembler_.OnEnd("a", {.start = clock_.Now().wall, .duration = absl::Milliseconds(3)});
  EXPECT_EQ(intake_->counts().own_traces, 0) << "it is queued";
  intake_->TakeOwnTraces();
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
