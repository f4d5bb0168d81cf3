// Invocations whose tracer never calls at the end, or of which no record tells how long they took.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/lambda/invocation/invocation_fixture.h"
#include "cc/trace/span_tags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// Go drops the call at the end if an error's text has two lines, Java if it is not ASCII.
class WithoutAnEndCall : public InvocationFixture {
 protected:
  // Sends a placeholder as a span of a tracer, with children.
  void Placeholder(uint64_t trace_id, std::string_view request_id = "r1") {
    std::vector<SpanMeta> meta = {{"_dd.p.dm", "-4"}, {"error.msg", "a\nb"}};
    if (!request_id.empty()) meta.push_back({"request_id", request_id});
    const std::vector<SpanMetric> metrics = {{kSamplingPriorityMetric, 2}};
    assembler_->OnPlaceholder({.trace_id = trace_id,
                               .span_id = 71,
                               .parent_id = 8,
                               .duration = 30'000'000,
                               .error = 1,
                               .meta = meta,
                               .metrics = metrics},
                              "", /*client_computed_stats=*/false);
  }
  void ExpectItsIds(uint64_t trace_id, uint64_t parent_id) {
    ASSERT_THAT(spans(), SizeIs(1));
    const SentSpan& span = spans()[0];
    EXPECT_EQ(span.trace_id, trace_id);
    EXPECT_EQ(span.span_id, 71u) << "its children say so";
    EXPECT_EQ(span.parent_id, parent_id);
    EXPECT_TRUE(span.is_error);
    EXPECT_EQ(span.meta.at("error.msg"), "a\nb");
    EXPECT_EQ(counts().trace_ids_made, 0);
    EXPECT_EQ(assembler_->unfinished(), 0u);
  }
};

TEST_F(WithoutAnEndCall, ThePlaceholdersIdsAreTheSpans) {
  Invoke("r1");
  Start("r1");
  Placeholder(70);
  PlatformEnded("r1");
  EXPECT_THAT(spans(), IsEmpty()) << "the call may be on its way";
  assembler_->FinishIdentified();
  ExpectItsIds(70, 8);
  EXPECT_EQ(spans()[0].meta.at("_dd.p.dm"), "-4");
  EXPECT_EQ(spans()[0].duration, 100'000'000u) << "the platform knows better";
}

TEST_F(WithoutAnEndCall, TheReportEndsTheWaitForItToo) {
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1");
  Placeholder(70, "");
  assembler_->OnReport("r1");
  ExpectItsIds(70, 8);
}

TEST_F(WithoutAnEndCall, TheCallersTraceGoesOn) {
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}, {"x-datadog-parent-id", "5"}});
  Placeholder(9);
  PlatformEnded("r1");
  assembler_->FinishAll();
  ExpectItsIds(9, 5);
}

TEST_F(WithoutAnEndCall, TimeoutsAndCrashesKeepTheirChildren) {
  for (const PlatformEnd& end : {PlatformEnd{.failed = true, .timed_out = true},
                                 PlatformEnd{.failed = true, .error_type = "Runtime.ExitError"},
                                 PlatformEnd{.failed = true, .out_of_memory = true}}) {
    ForgetSpans();
    Invoke("r1");
    Start("r1");
    Placeholder(70);
    assembler_->FinishIdentified();
    EXPECT_THAT(spans(), IsEmpty()) << "it has not ended";
    assembler_->OnEnd("r1", end);
    ASSERT_THAT(spans(), SizeIs(1));
    EXPECT_EQ(spans()[0].trace_id, 70u);
    EXPECT_EQ(spans()[0].span_id, 71u);
  }
}

TEST_F(WithoutAnEndCall, ALostStartLosesNoSpanEither) {
  Invoke("r1");
  Placeholder(70);
  PlatformEnded("r1");
  assembler_->FinishIdentified();
  ExpectItsIds(70, 8);
}

TEST_F(WithoutAnEndCall, AnEndThatComesSaysMore) {
  Invoke("r1");
  Start("r1");
  Placeholder(70);
  End("r1", {{"x-datadog-span-id", "99"}, {"x-datadog-trace-id", "98"}});
  PlatformEnded("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].span_id, 99u);
  EXPECT_EQ(spans()[0].trace_id, 98u);
}

// No record says how long an invocation took.
class WithoutRecords : public WithoutAnEndCall {
 protected:
  uint64_t DurationAfter(PlatformEnd end) {
    end.start = start_;
    assembler_->OnEnd("r1", std::move(end));
    assembler_->FinishAll();
    EXPECT_THAT(spans(), SizeIs(1));
    return spans().empty() ? 0 : spans()[0].duration;
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

TEST_F(WithoutRecords, AReportThatHasTheExtensionsTimeIsNoReasonToLastLongerThanTheTracersEnd) {
  Invoke("r1");
  Start("r1");
  clock_.Advance(absl::Milliseconds(20));
  EndOfTrace("r1");
  EXPECT_EQ(DurationAfter({.duration = absl::Milliseconds(520), .duration_of_report = true}), 20'000'000u);
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

}  // namespace
}  // namespace thaw
