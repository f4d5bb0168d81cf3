#include "cc/lambda/invocation/invocation_assembler.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/protobuf_writer.h"
#include "cc/base/seeded_random.h"
#include "cc/lambda/invocation/invocation_fixture.h"
#include "cc/trace/trace_fields.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class InvocationAssemblerTest : public InvocationFixture {};

TEST_F(InvocationAssemblerTest, OneInvocation) {
  Invoke("r1");
  const LifecycleReply start = Start("r1");
  EXPECT_EQ(start.status, 200);
  EXPECT_EQ(start.body, "{}");
  EXPECT_EQ(start.content_type, "application/json");
  EXPECT_THAT(start.headers, IsEmpty());
  EXPECT_EQ(EndOfTrace("r1").body, "{}");
  EXPECT_THAT(spans(), IsEmpty());
  PlatformEnded("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].name, "aws.lambda");
  EXPECT_EQ(spans()[0].trace_id, 70u);
  EXPECT_EQ(spans()[0].span_id, 71u);
  EXPECT_EQ(spans()[0].duration, 100'000'000u);
  EXPECT_EQ(spans()[0].meta.at("request_id"), "r1");
  EXPECT_EQ(counts().finished, 1);
  EXPECT_EQ(counts().errors, 0);
  EXPECT_EQ(assembler_->unfinished(), 0u);
  EXPECT_EQ(store_->bytes(), 0u);
}

// Every order of an invocation's parts gives the same span.
TEST_F(InvocationAssemblerTest, AnyOrderOfArrivalGivesTheSameSpan) {
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
      for (const int part : order) {
        if (part == 0) Invoke("r1");
        if (part == 1)
          Start(with_id ? "r1" : "", {{"x-datadog-trace-id", "9"}, {"x-datadog-parent-id", "8"}});
        if (part == 2) EndOfTrace(with_id ? "r1" : "");
        if (part == 3) PlatformEnded("r1");
      }
      assembler_->OnReport("r1");
      ++orders;
      const std::string what = absl::StrCat(order[0], order[1], order[2], order[3], with_id);
      // Before a tracer's first call, the extension can't expect one.
      const bool unforeseen =
          std::find(order.begin(), order.end(), 3) < std::find(order.begin(), order.end(), 1) &&
          std::find(order.begin(), order.end(), 0) < std::find(order.begin(), order.end(), 3);
      ASSERT_EQ(counts().finished, 1) << what;
      if (unforeseen) continue;
      ASSERT_THAT(spans(), SizeIs(1)) << what;
      EXPECT_EQ(spans()[0].trace_id, 9u) << what;
      EXPECT_EQ(spans()[0].parent_id, 8u) << what;
      EXPECT_EQ(spans()[0].span_id, 71u) << what;
      EXPECT_EQ(assembler_->unfinished(), 0u) << what;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_GE(orders, 15);
}

TEST_F(InvocationAssemblerTest, PlatformsEndThatOvertakesTheTracersIsNoOrphan) {
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1");
  EXPECT_THAT(spans(), IsEmpty());
  EndOfTrace("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].trace_id, 70u);
}

TEST_F(InvocationAssemblerTest, PartsMissingAtTheReportAreNotWaitedFor) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  PlatformEnded("r1");
  assembler_->OnReport("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].trace_id, 9u);
  EXPECT_EQ(counts().trace_ids_made, 0);
}

TEST_F(InvocationAssemblerTest, CallsWithoutAnIdFollowEachOther) {
  for (int i = 0; i < 3; ++i) {
    const std::string id = absl::StrCat("r", i);
    // The tracer is faster than /next here.
    if (i == 1) Start("");
    Invoke(id);
    if (i != 1) Start("");
    EndOfTrace("", 70 + 10 * i);
    PlatformEnded(id);
  }
  ASSERT_THAT(spans(), SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(spans()[i].trace_id, 70u + 10 * i);
    EXPECT_EQ(spans()[i].meta.at("request_id"), absl::StrCat("r", i));
  }
  EXPECT_EQ(counts().waited, 1);
  EXPECT_EQ(counts().unpaired, 0);
}

TEST_F(InvocationAssemblerTest, CallBeforeAFreezeIsNotOfTheInvocationAfterIt) {
  Start("", {{"x-datadog-trace-id", "9"}});
  clock_.Advance({.wall = absl::Minutes(5)});
  Invoke("r2");
  Start("");
  EndOfTrace("");
  PlatformEnded("r2");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].trace_id, 70u);
  EXPECT_EQ(counts().unpaired, 1);
}

TEST_F(InvocationAssemblerTest, ConcurrentInvocationsDoNotMix) {
  Options options;
  options.assembler.concurrent = true;
  Restart(options);
  for (int i = 0; i < 10; ++i) Invoke(absl::StrCat("r", i));
  for (int i = 9; i >= 0; --i)
    Start(absl::StrCat("r", i), {{"x-datadog-trace-id", absl::StrCat(100 + i)}},
          absl::StrCat(R"({"Records":[{"s3":{"bucket":{"name":"b)", i, "\"}}}]}"));
  for (int i = 0; i < 10; i += 2) EndOfTrace(absl::StrCat("r", i));
  for (int i = 0; i < 10; ++i) PlatformEnded(absl::StrCat("r", i));
  for (int i = 1; i < 10; i += 2) EndOfTrace(absl::StrCat("r", i));
  ASSERT_THAT(spans(), SizeIs(20));
  for (size_t i = 0; i < 20; i += 2) {
    const int n = static_cast<int>(spans()[i + 1].trace_id) - 100;
    EXPECT_EQ(spans()[i + 1].meta.at("request_id"), absl::StrCat("r", n));
    EXPECT_EQ(spans()[i].service, absl::StrCat("b", n));
  }
  EXPECT_EQ(counts().environment_starts, 0);
}

TEST_F(InvocationAssemblerTest, WhereSeveralAreMeantACallWithoutAnIdIsOfNone) {
  Options options;
  options.assembler.concurrent = true;
  Restart(options);
  Invoke("r1");
  Start("");
  Invoke("r2");
  Invoke("r3");
  EXPECT_THAT(Start("", {{"x-datadog-trace-id", "9"}}).headers, Contains(Pair("x-datadog-trace-id", "9")));
  EXPECT_EQ(counts().unpaired, 1);
  EndOfTrace("");
  PlatformEnded("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].meta.at("request_id"), "r1");
}

TEST_F(InvocationAssemblerTest, TimeoutNeedsNoEnd) {
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1", {.failed = true, .timed_out = true});
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].meta.at("error.type"), "Timeout");
  EXPECT_NE(spans()[0].trace_id, 0u);
  EXPECT_EQ(counts().errors, 1);
  EXPECT_EQ(counts().trace_ids_made, 1);
}

TEST_F(InvocationAssemblerTest, OutOfMemoryBeforeTheTracersCallIsToldAllTheSame) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  EndOfTrace("r1");
  PlatformEnded("r1");
  Invoke("r2");
  PlatformEnded("r2", {.failed = true, .out_of_memory = true});
  ASSERT_THAT(spans(), SizeIs(2));
  EXPECT_EQ(spans()[1].meta.at("error.type"), "Runtime.OutOfMemory");
  EXPECT_EQ(counts().errors, 1);
}

TEST_F(InvocationAssemblerTest, WithoutATracersCallTheTracerMakesTheSpan) {
  Invoke("r1");
  PlatformEnded("r1", {.failed = true});
  EXPECT_THAT(spans(), IsEmpty());
  EXPECT_EQ(counts().finished, 1);
  EXPECT_EQ(counts().errors, 1);
  EXPECT_EQ(drawn_, 0u);
}

TEST_F(InvocationAssemblerTest, SecondCallsChangeNothing) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  Start("r1", {{"x-datadog-trace-id", "10"}});
  EndOfTrace("r1", 70);
  EndOfTrace("r1", 80);
  PlatformEnded("r1");
  PlatformEnded("r1");
  assembler_->OnReport("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].trace_id, 9u);
  EXPECT_EQ(spans()[0].span_id, 71u);
  EXPECT_EQ(counts().repeated, 2);
  EXPECT_EQ(counts().finished, 1);
}

TEST_F(InvocationAssemblerTest, RetryUnderTheSameIdIsAnotherInvocation) {
  for (int i = 0; i < 2; ++i) {
    Invoke("r1");
    Start("r1");
    EndOfTrace("r1", 70 + 10 * i);
    PlatformEnded("r1", {.failed = true});
  }
  ASSERT_THAT(spans(), SizeIs(2));
  EXPECT_EQ(spans()[1].trace_id, 80u);
}

TEST_F(InvocationAssemblerTest, LongRequestIdsAreRefused) {
  Start(std::string(1000, 'r'));
  EXPECT_EQ(assembler_->unfinished(), 0u);
  EXPECT_EQ(counts().unpaired, 1);
}

TEST_F(InvocationAssemblerTest, TraceIdOfATracersSpanIsTakenIfNoCallGaveOne) {
  Invoke("r1");
  Start("r1");
  End("r1");
  PlatformEnded("r1");
  EXPECT_THAT(spans(), IsEmpty());
  EXPECT_EQ(assembler_->ParentOf(55, 3), 3u);
  EXPECT_EQ(assembler_->ParentOf(56, 3), 3u);
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].trace_id, 55u);
}

TEST_F(InvocationAssemblerTest, PlaceholderIsTakenIn) {
  Invoke("r1");
  Start("r1");
  ProtobufWriter meta_struct;
  meta_struct.StringEntry(SpanField::kMetaStruct, "appsec", "\x80");
  const std::vector<SpanMeta> meta = {{"request_id", "r1"}, {"language", "jvm"}};
  const std::vector<SpanMetric> metrics = {{"x", 1.5}};
  const SpanView span{.meta = meta, .metrics = metrics};
  assembler_->OnPlaceholder(span, meta_struct.bytes(), /*client_computed_stats=*/true);
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].meta.at("language"), "jvm");
  EXPECT_THAT(stats_flags(), ElementsAre(true));
  assembler_->OnPlaceholder(span, "\xff", false);
  EXPECT_EQ(counts().placeholders, 1);
  EXPECT_EQ(counts().placeholders_late, 1);
}

TEST_F(InvocationAssemblerTest, LaterInvocationDoesNotSendTheSenderOfTheOneBefore) {
  Invoke("r1");
  Start("r1", {}, R"({"Records":[{"s3":{"bucket":{"name":"b"}}}]})");
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(spans(), SizeIs(2));
  Invoke("r2");
  PlatformEnded("r2", {.failed = true});
  EXPECT_THAT(spans(), SizeIs(3));
}

TEST_F(InvocationAssemblerTest, EverythingThatEndedIsSentAtTheEnd) {
  for (const char* id : {"r1", "r2"}) {
    Invoke(id);
    Start(id, {{"x-datadog-trace-id", "9"}});
    PlatformEnded(id);
  }
  Invoke("r3");
  assembler_->FinishAll();
  EXPECT_THAT(spans(), SizeIs(2));
  EXPECT_EQ(assembler_->unfinished(), 1u);
}

// A seed draws calls and events. In any sequence, each ended invocation is reported once, no trace belongs to
// two, and nothing stays behind.
TEST_F(InvocationAssemblerTest, EachInvocationIsReportedOnceInAnyOrderOfItsParts) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Restart(Options());
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
      if (random.Chance(0.5)) assembler_->OnReport(id);
    }
    assembler_->FinishAll();
    ASSERT_EQ(counts().finished, kInvocations) << seed;
    std::set<std::string> ids;
    for (const SentSpan& span : spans()) EXPECT_TRUE(ids.insert(span.meta.at("request_id")).second) << seed;
    EXPECT_EQ(counts().traces, static_cast<int64_t>(spans().size())) << seed;
    clock_.Advance(absl::Minutes(1));
    Start("last");
    EXPECT_EQ(assembler_->unfinished(), 1u) << seed;
  }
}

}  // namespace
}  // namespace thaw
