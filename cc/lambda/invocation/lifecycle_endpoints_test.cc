#include "cc/lambda/invocation/lifecycle_endpoints.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/protobuf_reader.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/seeded_random.h"
#include "cc/clock/fake_clock.h"
#include "cc/trace/trace_fields.h"
#include "cc/trace/trace_payload.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

const absl::Time kStart = absl::FromUnixMillis(1767225600500);

struct SentSpan {
  std::string name;
  std::string service;
  uint64_t trace_id = 0, span_id = 0, parent_id = 0, duration = 0;
  bool is_error = false;
  std::map<std::string, std::string> meta;
};

std::vector<SentSpan> SpansOf(std::string_view body) {
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(body);
  EXPECT_TRUE(payload.ok()) << payload.status();
  std::vector<SentSpan> spans;
  if (!payload.ok()) return spans;
  EXPECT_EQ(payload->counts().spans_left_out, 0);
  ProtobufReader chunks(payload->chunk_fields());
  while (chunks.Next()) {
    ProtobufReader chunk(chunks.bytes());
    while (chunk.Next()) {
      if (chunk.field() != TraceChunkField::kSpans) continue;
      SentSpan& span = spans.emplace_back();
      ProtobufReader field(chunk.bytes());
      while (field.Next()) {
        switch (field.field()) {
          case SpanField::kName:
            span.name = field.bytes();
            break;
          case SpanField::kService:
            span.service = field.bytes();
            break;
          case SpanField::kTraceId:
            span.trace_id = field.value();
            break;
          case SpanField::kSpanId:
            span.span_id = field.value();
            break;
          case SpanField::kParentId:
            span.parent_id = field.value();
            break;
          case SpanField::kDuration:
            span.duration = field.value();
            break;
          case SpanField::kError:
            span.is_error = field.value() != 0;
            break;
          case SpanField::kMeta: {
            ProtobufReader entry(field.bytes());
            std::string key, value;
            while (entry.Next()) (entry.field() == 1 ? key : value) = entry.bytes();
            span.meta.emplace(key, value);
            break;
          }
          default:
            break;
        }
      }
    }
  }
  return spans;
}

class FakeSink : public LifecycleSink {
 public:
  void TakeTrace(std::string body, bool client_computed_stats) override {
    for (SentSpan& span : SpansOf(body)) spans.push_back(std::move(span));
    stats_flags.push_back(client_computed_stats);
  }
  void InvocationFinished(const FinishedInvocation& invocation) override { finished.push_back(invocation); }

  std::vector<SentSpan> spans;
  std::vector<bool> stats_flags;
  std::vector<FinishedInvocation> finished;
};

class LifecycleTest : public testing::Test {
 protected:
  static LifecycleOptions Options() {
    LifecycleOptions options;
    options.span.function_name = "Shop";
    return options;
  }

  explicit LifecycleTest(LifecycleOptions options = Options()) { Restart(std::move(options)); }

  void Restart(LifecycleOptions options) {
    lifecycle_.emplace(std::move(options), clock_, [this] { return ++drawn_ + 1000; }, sink_);
  }

  LifecycleReply Call(std::string_view path, HttpHeaders headers = {}, std::string_view body = "{}",
                      std::string_view method = "POST") {
    return lifecycle_->Handle({.method = method, .path = path, .headers = headers, .body = body});
  }
  LifecycleReply Start(std::string_view id, HttpHeaders headers = {}, std::string_view body = "{}") {
    if (!id.empty()) headers.emplace_back("Lambda-Runtime-Aws-Request-Id", id);
    return Call("/lambda/start-invocation", std::move(headers), body);
  }
  LifecycleReply End(std::string_view id, HttpHeaders headers = {}, std::string_view body = "{}") {
    if (!id.empty()) headers.emplace_back("lambda-runtime-aws-request-id", id);
    return Call("/lambda/end-invocation", std::move(headers), body);
  }
  // Sends the end call of a tracer that has a trace.
  LifecycleReply EndOfTrace(std::string_view id, uint64_t trace_id = 70, HttpHeaders headers = {}) {
    headers.emplace_back("x-datadog-trace-id", absl::StrCat(trace_id));
    headers.emplace_back("x-datadog-span-id", absl::StrCat(trace_id + 1));
    return End(id, std::move(headers));
  }
  void Invoke(std::string_view id) { lifecycle_->OnInvoke(id, {}); }
  void PlatformEnded(std::string_view id, PlatformEnd end = {}) {
    end.start = kStart;
    end.duration = absl::Milliseconds(100);
    lifecycle_->OnEnd(id, std::move(end));
  }
  const LifecycleCounts& counts() const { return lifecycle_->counts(); }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeSink sink_;
  uint64_t drawn_ = 0;
  std::optional<InvocationLifecycle> lifecycle_;
};

TEST_F(LifecycleTest, OneInvocation) {
  Invoke("r1");
  const LifecycleReply start = Start("r1");
  EXPECT_EQ(start.status, 200);
  EXPECT_EQ(start.body, "{}");
  EXPECT_THAT(start.headers, ElementsAre(Pair("Content-Type", "application/json")));
  EXPECT_EQ(EndOfTrace("r1").body, "{}");
  EXPECT_THAT(sink_.spans, IsEmpty());
  PlatformEnded("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].name, "aws.lambda");
  EXPECT_EQ(sink_.spans[0].trace_id, 70u);
  EXPECT_EQ(sink_.spans[0].span_id, 71u);
  EXPECT_EQ(sink_.spans[0].duration, 100'000'000u);
  EXPECT_EQ(sink_.spans[0].meta.at("request_id"), "r1");
  ASSERT_THAT(sink_.finished, SizeIs(1));
  EXPECT_EQ(sink_.finished[0].request_id, "r1");
  EXPECT_FALSE(sink_.finished[0].is_error);
  EXPECT_EQ(lifecycle_->size(), 0u);
  EXPECT_EQ(lifecycle_->bytes(), 0u);
}

TEST_F(LifecycleTest, ReplySaysTheContext) {
  Invoke("r1");
  EXPECT_THAT(Start("r1", {{"x-datadog-trace-id", "7"}},
                    R"({"headers":{"x-datadog-trace-id":"9","x-datadog-sampling-priority":"2",
                        "x-datadog-tags":"_dd.p.tid=640cfd8d00000000"}})")
                  .headers,
              ElementsAre(Pair("Content-Type", "application/json"), Pair("x-datadog-trace-id", "9"),
                          Pair("x-datadog-sampling-priority", "2"),
                          Pair("x-datadog-tags", "_dd.p.tid=640cfd8d00000000")));
}

// Every order of an invocation's parts gives the same span.
TEST_F(LifecycleTest, AnyOrderOfArrivalGivesTheSameSpan) {
  std::vector<int> order = {0, 1, 2, 3};
  int orders = 0;
  do {
    // The platform's end never comes before its start: both come by one channel.
    if (std::find(order.begin(), order.end(), 3) < std::find(order.begin(), order.end(), 0)) continue;
    for (const bool with_id : {true, false}) {
      // Without a request id, an end before its start belongs to no known invocation.
      if (!with_id && std::find(order.begin(), order.end(), 2) < std::find(order.begin(), order.end(), 1))
        continue;
      Restart(Options());
      sink_ = FakeSink();
      for (const int part : order) {
        if (part == 0) Invoke("r1");
        if (part == 1)
          Start(with_id ? "r1" : "", {{"x-datadog-trace-id", "9"}, {"x-datadog-parent-id", "8"}});
        if (part == 2) EndOfTrace(with_id ? "r1" : "");
        if (part == 3) PlatformEnded("r1");
      }
      lifecycle_->OnReport("r1");
      ++orders;
      const std::string what = absl::StrCat(order[0], order[1], order[2], order[3], with_id);
      // Before a tracer's first call, the extension can't expect one.
      const bool unforeseen =
          std::find(order.begin(), order.end(), 3) < std::find(order.begin(), order.end(), 1) &&
          std::find(order.begin(), order.end(), 0) < std::find(order.begin(), order.end(), 3);
      ASSERT_THAT(sink_.finished, SizeIs(1)) << what;
      if (unforeseen) continue;
      ASSERT_THAT(sink_.spans, SizeIs(1)) << what;
      EXPECT_EQ(sink_.spans[0].trace_id, 9u) << what;
      EXPECT_EQ(sink_.spans[0].parent_id, 8u) << what;
      EXPECT_EQ(sink_.spans[0].span_id, 71u) << what;
      EXPECT_EQ(lifecycle_->size(), 0u) << what;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_GE(orders, 15);
}

TEST_F(LifecycleTest, PlatformsEndThatOvertakesTheTracersIsNoOrphan) {
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1");
  EXPECT_THAT(sink_.spans, IsEmpty());
  EndOfTrace("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].trace_id, 70u);
}

TEST_F(LifecycleTest, WhatHasNotComeByTheReportWillNot) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  PlatformEnded("r1");
  lifecycle_->OnReport("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].trace_id, 9u);
  EXPECT_EQ(counts().trace_ids_made, 0);
}

TEST_F(LifecycleTest, CallsWithoutAnIdFollowEachOther) {
  for (int i = 0; i < 3; ++i) {
    const std::string id = absl::StrCat("r", i);
    // The tracer is faster than /next here.
    if (i == 1) Start("");
    Invoke(id);
    if (i != 1) Start("");
    EndOfTrace("", 70 + 10 * i);
    PlatformEnded(id);
  }
  ASSERT_THAT(sink_.spans, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sink_.spans[i].trace_id, 70u + 10 * i);
    EXPECT_EQ(sink_.spans[i].meta.at("request_id"), absl::StrCat("r", i));
  }
  EXPECT_EQ(counts().waited, 1);
  EXPECT_EQ(counts().unpaired, 0);
}

TEST_F(LifecycleTest, CallBeforeAFreezeIsNotOfTheInvocationAfterIt) {
  Start("", {{"x-datadog-trace-id", "9"}});
  clock_.Advance({.wall = absl::Minutes(5)});
  Invoke("r2");
  Start("");
  EndOfTrace("");
  PlatformEnded("r2");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].trace_id, 70u);
  EXPECT_EQ(counts().unpaired, 1);
}

TEST_F(LifecycleTest, ConcurrentInvocationsDoNotMix) {
  LifecycleOptions options = Options();
  options.concurrent = true;
  Restart(options);
  for (int i = 0; i < 10; ++i) Invoke(absl::StrCat("r", i));
  for (int i = 9; i >= 0; --i)
    Start(absl::StrCat("r", i), {{"x-datadog-trace-id", absl::StrCat(100 + i)}},
          absl::StrCat(R"({"Records":[{"s3":{"bucket":{"name":"b)", i, "\"}}}]}"));
  for (int i = 0; i < 10; i += 2) EndOfTrace(absl::StrCat("r", i));
  for (int i = 0; i < 10; ++i) PlatformEnded(absl::StrCat("r", i));
  for (int i = 1; i < 10; i += 2) EndOfTrace(absl::StrCat("r", i));
  ASSERT_THAT(sink_.spans, SizeIs(20));
  for (size_t i = 0; i < 20; i += 2) {
    const int n = static_cast<int>(sink_.spans[i + 1].trace_id) - 100;
    EXPECT_EQ(sink_.spans[i + 1].meta.at("request_id"), absl::StrCat("r", n));
    EXPECT_EQ(sink_.spans[i].service, absl::StrCat("b", n));
  }
  EXPECT_EQ(counts().environment_starts, 0);
}

TEST_F(LifecycleTest, WhereSeveralAreMeantACallWithoutAnIdIsOfNone) {
  LifecycleOptions options = Options();
  options.concurrent = true;
  Restart(options);
  Invoke("r1");
  Start("");
  Invoke("r2");
  Invoke("r3");
  EXPECT_THAT(Start("", {{"x-datadog-trace-id", "9"}}).headers, Contains(Pair("x-datadog-trace-id", "9")));
  EXPECT_EQ(counts().unpaired, 1);
  EndOfTrace("");
  PlatformEnded("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].meta.at("request_id"), "r1");
}

TEST_F(LifecycleTest, ErrorIsCountedOnceWhoeverSaysIt) {
  Invoke("r1");
  Start("r1");
  EndOfTrace("r1", 70,
             {{"x-datadog-invocation-error", "true"},
              {"x-datadog-invocation-error-msg", absl::Base64Escape("it broke")},
              {"x-datadog-invocation-error-type", "not base64!"},
              {"x-datadog-invocation-error-stack", absl::Base64Escape("\xff\xfe")}});
  PlatformEnded("r1", {.failed = true, .error_type = "Function.Error"});
  ASSERT_THAT(sink_.finished, SizeIs(1));
  EXPECT_TRUE(sink_.finished[0].is_error);
  EXPECT_EQ(counts().errors, 1);
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_TRUE(sink_.spans[0].is_error);
  EXPECT_EQ(sink_.spans[0].meta.at("error.msg"), "it broke");
  EXPECT_EQ(sink_.spans[0].meta.at("error.type"), "not base64!");
  EXPECT_EQ(sink_.spans[0].meta.at("error.stack"), "//4=");
}

TEST_F(LifecycleTest, AnyErrorHeaderIsAnError) {
  for (const char* header : {"x-datadog-invocation-error-msg", "x-datadog-invocation-error-type",
                             "x-datadog-invocation-error-stack"}) {
    Invoke("r1");
    Start("r1");
    EndOfTrace("r1", 70, {{header, "x"}});
    PlatformEnded("r1");
    EXPECT_TRUE(sink_.spans.back().is_error) << header;
  }
}

TEST_F(LifecycleTest, StatusCodeOfTheResponse) {
  const auto status = [this](std::string_view response) {
    Invoke("r1");
    Start("r1", {{"x-datadog-trace-id", "9"}});
    End("r1", {}, response);
    PlatformEnded("r1");
    const SentSpan& span = sink_.spans.back();
    const auto code = span.meta.find("http.status_code");
    return std::pair(code == span.meta.end() ? "" : code->second, span.is_error);
  };
  EXPECT_THAT(status(R"({"statusCode":200})"), Pair("200", false));
  EXPECT_THAT(status(R"({"statusCode":"503"})"), Pair("503", true));
  for (const char* bad : {"{}", "[]", "5", R"({"statusCode":"50"})", R"({"statusCode":5000})",
                          R"({"statusCode":"5xx"})", R"({"statusCode":null})", "{", ""})
    EXPECT_THAT(status(bad), Pair("", false)) << bad;
}

TEST_F(LifecycleTest, TimeoutNeedsNoEnd) {
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1", {.failed = true, .timed_out = true});
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].meta.at("error.type"), "Timeout");
  EXPECT_NE(sink_.spans[0].trace_id, 0u);
  EXPECT_TRUE(sink_.finished[0].timed_out);
  EXPECT_EQ(counts().trace_ids_made, 1);
}

TEST_F(LifecycleTest, OutOfMemoryBeforeTheTracersCallIsToldAllTheSame) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  EndOfTrace("r1");
  PlatformEnded("r1");
  Invoke("r2");
  PlatformEnded("r2", {.failed = true, .out_of_memory = true});
  ASSERT_THAT(sink_.spans, SizeIs(2));
  EXPECT_EQ(sink_.spans[1].meta.at("error.type"), "Runtime.OutOfMemory");
  EXPECT_TRUE(sink_.finished[1].out_of_memory);
}

TEST_F(LifecycleTest, WithoutATracersCallTheTracerMakesTheSpan) {
  Invoke("r1");
  PlatformEnded("r1", {.failed = true});
  EXPECT_THAT(sink_.spans, IsEmpty());
  ASSERT_THAT(sink_.finished, SizeIs(1));
  EXPECT_TRUE(sink_.finished[0].is_error);
  EXPECT_EQ(drawn_, 0u);
}

TEST_F(LifecycleTest, LargestEventIsTakenAndALargerOneLosesOnlyItsBody) {
  const std::string head = R"({"headers":{"x-datadog-trace-id":"9"},"a":")";
  std::string event = absl::StrCat(head, std::string(kMaxLifecycleBody - head.size() - 2, 'x'), "\"}");
  Invoke("r1");
  EXPECT_THAT(Start("r1", {}, event).headers, Contains(Pair("x-datadog-trace-id", "9")));
  EXPECT_EQ(counts().bodies_over_limit, 0);

  event.insert(head.size(), 1, 'x');
  EndOfTrace("r1");
  PlatformEnded("r1");
  Invoke("r2");
  const LifecycleReply reply = Start("r2", {{"x-datadog-trace-id", "4"}}, event);
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.headers, Contains(Pair("x-datadog-trace-id", "4")));
  const HttpHeaders headers = {{"lambda-runtime-aws-request-id", "r2"}, {"x-datadog-span-id", "5"}};
  lifecycle_->Handle(
      {.method = "POST", .path = "/lambda/end-invocation", .headers = headers, .body_over_limit = true});
  PlatformEnded("r2");
  EXPECT_EQ(counts().bodies_over_limit, 2);
  EXPECT_EQ(sink_.spans.back().trace_id, 4u);
  EXPECT_EQ(sink_.spans.back().span_id, 5u);
}

TEST_F(LifecycleTest, BodiesThatAreNoJson) {
  Invoke("r1");
  for (const char* body : {"{", "\xff", "text", "[1,", "{}{}"})
    EXPECT_THAT(Start("r1", {{"x-datadog-trace-id", "4"}}, body).headers,
                Contains(Pair("x-datadog-trace-id", "4")));
  EXPECT_EQ(counts().bodies_not_json, 5);
  EXPECT_EQ(Start("r1", {}, std::string(100'000, '[')).status, 200);
  EXPECT_EQ(Start("r1", {}, "").status, 200);
  EXPECT_EQ(counts().bodies_not_json, 6);
}

TEST_F(LifecycleTest, SecondCallsChangeNothing) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  Start("r1", {{"x-datadog-trace-id", "10"}});
  EndOfTrace("r1", 70);
  EndOfTrace("r1", 80);
  PlatformEnded("r1");
  PlatformEnded("r1");
  lifecycle_->OnReport("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].trace_id, 9u);
  EXPECT_EQ(sink_.spans[0].span_id, 71u);
  EXPECT_EQ(counts().repeated, 2);
  EXPECT_THAT(sink_.finished, SizeIs(1));
}

TEST_F(LifecycleTest, RetryUnderTheSameIdIsAnotherInvocation) {
  for (int i = 0; i < 2; ++i) {
    Invoke("r1");
    Start("r1");
    EndOfTrace("r1", 70 + 10 * i);
    PlatformEnded("r1", {.failed = true});
  }
  ASSERT_THAT(sink_.spans, SizeIs(2));
  EXPECT_EQ(sink_.spans[1].trace_id, 80u);
}

TEST_F(LifecycleTest, Routes) {
  EXPECT_EQ(Call("/lambda/hello", {}, "", "GET").body, "{}");
  EXPECT_EQ(counts().hellos, 1);
  EXPECT_EQ(Call("/lambda/flush").status, 404);
  EXPECT_EQ(Call("/").status, 404);
  const LifecycleReply reply = Call("/lambda/start-invocation", {}, "", "GET");
  EXPECT_EQ(reply.status, 405);
  EXPECT_THAT(reply.headers, Contains(Pair("Allow", "POST")));
  EXPECT_THAT(Call("/lambda/hello").headers, Contains(Pair("Allow", "GET")));
  EXPECT_EQ(counts().refused, 4);
}

TEST_F(LifecycleTest, StoreIsBoundedInNumber) {
  LifecycleOptions options = Options();
  options.max_invocations = 3;
  Restart(options);
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  PlatformEnded("r1");
  for (int i = 2; i < 10; ++i) {
    Invoke(absl::StrCat("r", i));
    EXPECT_LE(lifecycle_->size(), 3u);
  }
  // The ended one is sent as it is; the oldest of the others are given up.
  EXPECT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(counts().sent_early, 1);
  EXPECT_EQ(counts().given_up, 5);
}

TEST_F(LifecycleTest, StoreIsBoundedInBytes) {
  LifecycleOptions options = Options();
  options.payload_tags.enabled = true;
  options.max_bytes = 1 << 20;
  Restart(options);
  const std::string event = absl::StrCat(
      "{\"a\":[",
      [] {
        std::string all;
        for (int i = 0; i < 60; ++i)
          absl::StrAppend(&all, i == 0 ? "" : ",", "\"", std::string(4000, 'x'), "\"");
        return all;
      }(),
      "]}");
  for (int i = 0; i < 50; ++i) {
    // Any process of the function may call, with any id.
    Start(absl::StrCat("r", i), {}, event);
    EXPECT_LE(lifecycle_->bytes(), 1u << 20);
  }
  EXPECT_GT(counts().given_up, 40);
  clock_.Advance(absl::Seconds(3));
  Invoke("x");
  EXPECT_EQ(lifecycle_->size(), 1u);
}

TEST_F(LifecycleTest, LongRequestIdsAreRefused) {
  Start(std::string(1000, 'r'));
  EXPECT_EQ(lifecycle_->size(), 0u);
  EXPECT_EQ(counts().unpaired, 1);
}

TEST_F(LifecycleTest, ColdStartStandsBesideTheFirstInvocation) {
  lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart - absl::Seconds(1), std::nullopt);
  lifecycle_->OnInvoke("r1", {.cold_start = true});
  Start("r1", {{"x-datadog-trace-id", "9"}, {"x-datadog-parent-id", "8"}});
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  // The report may come late.
  lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart - absl::Seconds(1), absl::Milliseconds(900));
  lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart - absl::Seconds(1), absl::Milliseconds(900));
  ASSERT_THAT(sink_.spans, SizeIs(2));
  const SentSpan& cold = sink_.spans[1];
  EXPECT_EQ(cold.name, "aws.lambda.cold_start");
  EXPECT_EQ(cold.trace_id, 9u);
  EXPECT_EQ(cold.parent_id, 8u);
  EXPECT_EQ(cold.duration, 900'000'000u);
  EXPECT_THAT(sink_.stats_flags, ElementsAre(false, false));
  EXPECT_EQ(counts().environment_starts, 1);
  // It belonged to the first invocation alone.
  Invoke("r2");
  Start("r2");
  EndOfTrace("r2");
  PlatformEnded("r2");
  EXPECT_EQ(counts().environment_starts, 1);
}

TEST_F(LifecycleTest, AnotherStartStandsBesideTheInvocationAfterIt) {
  for (int i = 0; i < 2; ++i) {
    lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart + absl::Seconds(i), absl::Milliseconds(900));
    Invoke("r1");
    Start("r1");
    EndOfTrace("r1", 70 + 10 * i);
    PlatformEnded("r1");
  }
  ASSERT_THAT(sink_.spans, SizeIs(4));
  EXPECT_EQ(sink_.spans[1].trace_id, 70u);
  EXPECT_EQ(sink_.spans[3].trace_id, 80u);
}

TEST_F(LifecycleTest, RestoreTakesThePlaceOfTheColdStart) {
  lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart - absl::Hours(1), absl::Seconds(5));
  lifecycle_->OnEnvironmentStart(/*is_restore=*/true, kStart, absl::Milliseconds(300));
  lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart - absl::Hours(1), absl::Seconds(5));
  EXPECT_EQ(drawn_, 0u);
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  EXPECT_EQ(drawn_, 0u) << "clones of a snapshot would share what was drawn before it";
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(sink_.spans, SizeIs(2));
  EXPECT_EQ(sink_.spans[1].name, "aws.lambda.snapstart_restore");
  EXPECT_EQ(sink_.spans[1].duration, 300'000'000u);
}

TEST_F(LifecycleTest, ColdStartIsNotSentWithoutATrace) {
  lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart, absl::Seconds(1));
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1", {.failed = true, .timed_out = true});
  EXPECT_EQ(counts().environment_starts, 0);
}

TEST_F(LifecycleTest, LoadSpanGivesTheColdStartItsTrace) {
  EXPECT_EQ(lifecycle_->OnLoadSpan(9, 10), 0u);
  lifecycle_->OnEnvironmentStart(/*is_restore=*/false, kStart, absl::Seconds(1));
  const uint64_t parent = lifecycle_->OnLoadSpan(9, 10);
  EXPECT_NE(parent, 0u);
  EXPECT_THAT(sink_.spans, IsEmpty()) << "nothing can be processed while a request is";
  lifecycle_->SendReady();
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].name, "aws.lambda.cold_start");
  EXPECT_EQ(sink_.spans[0].span_id, parent);
  EXPECT_EQ(sink_.spans[0].trace_id, 9u);
  EXPECT_EQ(sink_.spans[0].service, "shop");
  EXPECT_EQ(lifecycle_->OnLoadSpan(11, 12), 0u);
}

TEST_F(LifecycleTest, TraceIdOfATracersSpanIsTakenIfNobodyGaveOne) {
  Invoke("r1");
  Start("r1");
  End("r1");
  PlatformEnded("r1");
  EXPECT_THAT(sink_.spans, IsEmpty());
  EXPECT_EQ(lifecycle_->ParentOf(55, 3), 3u);
  EXPECT_EQ(lifecycle_->ParentOf(56, 3), 3u);
  EXPECT_THAT(sink_.spans, IsEmpty());
  lifecycle_->SendReady();
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].trace_id, 55u);
}

TEST_F(LifecycleTest, PlaceholderIsTakenIn) {
  Invoke("r1");
  Start("r1");
  ProtobufWriter meta_struct;
  meta_struct.StringEntry(SpanField::kMetaStruct, "appsec", "\x80");
  const std::vector<SpanMeta> meta = {{"request_id", "r1"}, {"language", "jvm"}};
  const std::vector<SpanMetric> metrics = {{"x", 1.5}};
  const SpanView span{.meta = meta, .metrics = metrics};
  lifecycle_->OnPlaceholder(span, meta_struct.bytes(), /*client_computed_stats=*/true);
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].meta.at("language"), "jvm");
  EXPECT_THAT(sink_.stats_flags, ElementsAre(true));
  lifecycle_->OnPlaceholder(span, "\xff", false);
  EXPECT_EQ(counts().placeholders, 1);
  EXPECT_EQ(counts().placeholders_late, 1);
}

// Go drops the call at the end if an error's text has two lines, Java if it is not ASCII.
class WithoutAnEndCall : public LifecycleTest {
 protected:
  // Sends a placeholder as a span of a tracer, with children.
  void Placeholder(uint64_t trace_id, std::string_view request_id = "r1") {
    std::vector<SpanMeta> meta = {{"_dd.p.dm", "-4"}, {"error.msg", "a\nb"}};
    if (!request_id.empty()) meta.push_back({"request_id", request_id});
    const std::vector<SpanMetric> metrics = {{kSamplingPriorityMetric, 2}};
    lifecycle_->OnPlaceholder({.trace_id = trace_id,
                               .span_id = 71,
                               .parent_id = 8,
                               .duration = 30'000'000,
                               .error = 1,
                               .meta = meta,
                               .metrics = metrics},
                              "", /*client_computed_stats=*/false);
    lifecycle_->SendReady();
  }
  void ExpectItsIds(uint64_t trace_id, uint64_t parent_id) {
    ASSERT_THAT(sink_.spans, SizeIs(1));
    const SentSpan& span = sink_.spans[0];
    EXPECT_EQ(span.trace_id, trace_id);
    EXPECT_EQ(span.span_id, 71u) << "its children say so";
    EXPECT_EQ(span.parent_id, parent_id);
    EXPECT_TRUE(span.is_error);
    EXPECT_EQ(span.meta.at("error.msg"), "a\nb");
    EXPECT_EQ(counts().trace_ids_made, 0);
    EXPECT_EQ(lifecycle_->size(), 0u);
  }
};

TEST_F(WithoutAnEndCall, ThePlaceholdersIdsAreTheSpans) {
  Invoke("r1");
  Start("r1");
  Placeholder(70);
  PlatformEnded("r1");
  EXPECT_THAT(sink_.spans, IsEmpty()) << "the call may be on its way";
  lifecycle_->FinishIdentified();
  ExpectItsIds(70, 8);
  EXPECT_EQ(sink_.spans[0].meta.at("_dd.p.dm"), "-4");
  EXPECT_EQ(sink_.spans[0].duration, 100'000'000u) << "the platform knows better";
}

TEST_F(WithoutAnEndCall, TheReportEndsTheWaitForItToo) {
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1");
  Placeholder(70, "");
  lifecycle_->OnReport("r1");
  ExpectItsIds(70, 8);
}

TEST_F(WithoutAnEndCall, TheCallersTraceGoesOn) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}, {"x-datadog-parent-id", "5"}});
  Placeholder(9);
  PlatformEnded("r1");
  lifecycle_->FinishAll();
  ExpectItsIds(9, 5);
}

TEST_F(WithoutAnEndCall, TimeoutsAndCrashesKeepTheirChildren) {
  for (const PlatformEnd& end : {PlatformEnd{.failed = true, .timed_out = true},
                                 PlatformEnd{.failed = true, .error_type = "Runtime.ExitError"},
                                 PlatformEnd{.failed = true, .out_of_memory = true}}) {
    sink_ = FakeSink();
    Invoke("r1");
    Start("r1");
    Placeholder(70);
    lifecycle_->FinishIdentified();
    EXPECT_THAT(sink_.spans, IsEmpty()) << "it has not ended";
    lifecycle_->OnEnd("r1", end);
    ASSERT_THAT(sink_.spans, SizeIs(1));
    EXPECT_EQ(sink_.spans[0].trace_id, 70u);
    EXPECT_EQ(sink_.spans[0].span_id, 71u);
  }
}

TEST_F(WithoutAnEndCall, ALostStartLosesNoSpanEither) {
  Invoke("r1");
  Placeholder(70);
  PlatformEnded("r1");
  lifecycle_->FinishIdentified();
  ExpectItsIds(70, 8);
}

TEST_F(WithoutAnEndCall, AnEndThatComesSaysMore) {
  Invoke("r1");
  Start("r1");
  Placeholder(70);
  End("r1", {{"x-datadog-span-id", "99"}, {"x-datadog-trace-id", "98"}});
  PlatformEnded("r1");
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(sink_.spans[0].span_id, 99u);
  EXPECT_EQ(sink_.spans[0].trace_id, 98u);
}

// No record says how long an invocation took.
class WithoutRecords : public WithoutAnEndCall {
 protected:
  uint64_t DurationAfter(PlatformEnd end) {
    end.start = kStart;
    lifecycle_->OnEnd("r1", std::move(end));
    lifecycle_->FinishAll();
    EXPECT_THAT(sink_.spans, SizeIs(1));
    return sink_.spans.empty() ? 0 : sink_.spans[0].duration;
  }
};

TEST_F(WithoutRecords, ItLastsUntilTheTracersEnd) {
  Invoke("r1");
  clock_.Advance(absl::Milliseconds(5));
  Start("r1");
  Placeholder(70);
  clock_.Advance(absl::Milliseconds(20));
  EndOfTrace("r1");
  clock_.Freeze(absl::Hours(1));
  EXPECT_EQ(DurationAfter({.until_shutdown = absl::Seconds(3)}), 25'000'000u);
}

TEST_F(WithoutRecords, ItLastsAsLongAsThePlaceholder) {
  Invoke("r1");
  Start("r1");
  Placeholder(70);
  EXPECT_EQ(DurationAfter({.until_shutdown = absl::Seconds(3)}), 30'000'000u);
}

TEST_F(WithoutRecords, ItLastsUntilTheShutdown) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  EXPECT_EQ(DurationAfter({.failed = true, .timed_out = true, .until_shutdown = absl::Seconds(3)}),
            3'000'000'000u);
}

TEST_F(LifecycleTest, PayloadsAreCapturedOnlyIfAskedFor) {
  const auto run = [this] {
    Invoke("r1");
    Start("r1", {}, R"({"a":{"password":"x","b":1}})");
    HttpHeaders headers = {{"x-datadog-trace-id", "7"}};
    End("r1", headers, R"({"c":2})");
    PlatformEnded("r1");
    return sink_.spans.back().meta;
  };
  EXPECT_THAT(run(), Not(Contains(Pair("function.request.a.b", "1"))));
  LifecycleOptions options = Options();
  options.payload_tags.enabled = true;
  Restart(options);
  const std::map<std::string, std::string> meta = run();
  EXPECT_EQ(meta.at("function.request.a.b"), "1");
  EXPECT_EQ(meta.at("function.request.a.password"), "redacted");
  EXPECT_EQ(meta.at("function.response.c"), "2");
}

TEST_F(LifecycleTest, LaterInvocationDoesNotSendTheSenderOfTheOneBefore) {
  Invoke("r1");
  Start("r1", {}, R"({"Records":[{"s3":{"bucket":{"name":"b"}}}]})");
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(sink_.spans, SizeIs(2));
  Invoke("r2");
  PlatformEnded("r2", {.failed = true});
  EXPECT_THAT(sink_.spans, SizeIs(3));
}

TEST_F(LifecycleTest, EverythingThatEndedIsSentAtTheEnd) {
  for (const char* id : {"r1", "r2"}) {
    Invoke(id);
    Start(id, {{"x-datadog-trace-id", "9"}});
    PlatformEnded(id);
  }
  Invoke("r3");
  lifecycle_->FinishAll();
  EXPECT_THAT(sink_.spans, SizeIs(2));
  EXPECT_EQ(lifecycle_->size(), 1u);
}

// A seed draws calls and events. In any sequence, each ended invocation is reported once, no trace belongs to
// two, and nothing stays behind.
TEST_F(LifecycleTest, WhateverComesEachInvocationIsToldOfOnce) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Restart(Options());
    sink_ = FakeSink();
    SeededRandom random(seed);
    constexpr int kInvocations = 8;
    for (int i = 0; i < kInvocations; ++i) {
      const std::string id = absl::StrCat("r", i);
      const std::string called = random.Chance(0.5) ? id : "";
      if (random.Chance(0.3)) Start(called, {{"x-datadog-trace-id", absl::StrCat(100 + i)}});
      Invoke(id);
      if (random.Chance(0.8)) Start(called, {{"x-datadog-trace-id", absl::StrCat(100 + i)}});
      if (random.Chance(0.8)) End(called);
      if (random.Chance(0.2)) clock_.Advance({.wall = absl::Minutes(1)});
      PlatformEnded(id, {.failed = random.Chance(0.2)});
      if (random.Chance(0.3)) End(called);
      if (random.Chance(0.5)) lifecycle_->OnReport(id);
    }
    lifecycle_->FinishAll();
    ASSERT_THAT(sink_.finished, SizeIs(kInvocations)) << seed;
    std::map<std::string, int> by_id;
    for (const FinishedInvocation& finished : sink_.finished) ++by_id[finished.request_id];
    EXPECT_THAT(by_id, SizeIs(kInvocations)) << seed;
    EXPECT_EQ(counts().traces, static_cast<int64_t>(sink_.spans.size())) << seed;
    clock_.Advance(absl::Minutes(1));
    Start("last");
    EXPECT_EQ(lifecycle_->size(), 1u) << seed;
  }
}

}  // namespace
}  // namespace thaw
