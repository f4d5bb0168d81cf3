#include "cc/lambda/invocation/environment_start.h"

#include <cstdint>

#include "absl/time/time.h"
#include "cc/lambda/invocation/invocation_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class EnvironmentStartTest : public InvocationFixture {};

TEST_F(EnvironmentStartTest, ColdStartStandsBesideTheFirstInvocation) {
  assembler_->OnEnvironmentStart(/*is_restore=*/false, start_ - absl::Seconds(1), std::nullopt);
  assembler_->OnInvoke("r1", {.cold_start = true});
  Start("r1", {{"x-datadog-trace-id", "9"}, {"x-datadog-parent-id", "8"}});
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(spans(), SizeIs(1));
  // The report may come late.
  assembler_->OnEnvironmentStart(/*is_restore=*/false, start_ - absl::Seconds(1), absl::Milliseconds(900));
  assembler_->OnEnvironmentStart(/*is_restore=*/false, start_ - absl::Seconds(1), absl::Milliseconds(900));
  ASSERT_THAT(spans(), SizeIs(2));
  const SentSpan& cold = spans()[1];
  EXPECT_EQ(cold.name, "aws.lambda.cold_start");
  EXPECT_EQ(cold.trace_id, 9u);
  EXPECT_EQ(cold.parent_id, 8u);
  EXPECT_EQ(cold.duration, 900'000'000u);
  EXPECT_THAT(stats_flags(), ElementsAre(false, false));
  EXPECT_EQ(counts().environment_starts, 1);
  // It belonged to the first invocation alone.
  Invoke("r2");
  Start("r2");
  EndOfTrace("r2");
  PlatformEnded("r2");
  EXPECT_EQ(counts().environment_starts, 1);
}

TEST_F(EnvironmentStartTest, AnotherStartStandsBesideTheInvocationAfterIt) {
  for (int i = 0; i < 2; ++i) {
    assembler_->OnEnvironmentStart(/*is_restore=*/false, start_ + absl::Seconds(i), absl::Milliseconds(900));
    Invoke("r1");
    Start("r1");
    EndOfTrace("r1", 70 + 10 * i);
    PlatformEnded("r1");
  }
  ASSERT_THAT(spans(), SizeIs(4));
  EXPECT_EQ(spans()[1].trace_id, 70u);
  EXPECT_EQ(spans()[3].trace_id, 80u);
}

TEST_F(EnvironmentStartTest, RestoreTakesThePlaceOfTheColdStart) {
  assembler_->OnEnvironmentStart(/*is_restore=*/false, start_ - absl::Hours(1), absl::Seconds(5));
  assembler_->OnEnvironmentStart(/*is_restore=*/true, start_, absl::Milliseconds(300));
  assembler_->OnEnvironmentStart(/*is_restore=*/false, start_ - absl::Hours(1), absl::Seconds(5));
  EXPECT_EQ(drawn_, 0u);
  Invoke("r1");
  Start("r1", {{"x-datadog-trace-id", "9"}});
  EXPECT_EQ(drawn_, 0u) << "clones of a snapshot would share what was drawn before it";
  EndOfTrace("r1");
  PlatformEnded("r1");
  ASSERT_THAT(spans(), SizeIs(2));
  EXPECT_EQ(spans()[1].name, "aws.lambda.snapstart_restore");
  EXPECT_EQ(spans()[1].duration, 300'000'000u);
}

TEST_F(EnvironmentStartTest, ColdStartIsNotSentWithoutATrace) {
  assembler_->OnEnvironmentStart(/*is_restore=*/false, start_, absl::Seconds(1));
  Invoke("r1");
  Start("r1");
  PlatformEnded("r1", {.failed = true, .timed_out = true});
  EXPECT_EQ(counts().environment_starts, 0);
}

TEST_F(EnvironmentStartTest, LoadSpanGivesTheColdStartItsTrace) {
  EXPECT_EQ(assembler_->OnLoadSpan(9, 10), 0u);
  assembler_->OnEnvironmentStart(/*is_restore=*/false, start_, absl::Seconds(1));
  const uint64_t parent = assembler_->OnLoadSpan(9, 10);
  EXPECT_NE(parent, 0u);
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_EQ(spans()[0].name, "aws.lambda.cold_start");
  EXPECT_EQ(spans()[0].span_id, parent);
  EXPECT_EQ(spans()[0].trace_id, 9u);
  EXPECT_EQ(spans()[0].service, "shop");
  EXPECT_EQ(assembler_->OnLoadSpan(11, 12), 0u);
}

}  // namespace
}  // namespace thaw
