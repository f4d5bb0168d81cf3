#include "cc/flush/shared_resources.h"

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(SharedResourcesTest, ADefectNamesTheFieldAndItsValue) {
  EXPECT_TRUE(LimitOptions().Validate().ok());
  const auto says = [](const LimitOptions& options, std::string_view text) {
    return absl::StrContains(options.Validate().message(), text);
  };
  EXPECT_TRUE(says({.outbox_bytes = 0}, "outbox_bytes is 0"));
  EXPECT_TRUE(says({.outage = {.no_progress_limit = -absl::Seconds(1)}}, "no_progress_limit is -1s"));
  EXPECT_TRUE(says({.outage = {.probe_budget = absl::ZeroDuration()}}, "probe_budget is 0"));
  EXPECT_TRUE(says({.outage = {.breaker = {.strikes = 0}}}, "breaker_strikes is 0"));
  EXPECT_TRUE(
      says({.outage = {.breaker = {.probe_backoff_cap = absl::Milliseconds(1)}}}, "probe_backoff is 1s"));
}

TEST(SharedResourcesTest, BudgetsHaveTheLimitsOfTheOptions) {
  ManualExecutor executor;
  FakeClock clock(executor);
  const SharedResources limits =
      MakeSharedResources(executor, clock, {.outbox_bytes = 5000, .outage = {.total = absl::Seconds(9)}});
  EXPECT_EQ(limits.bytes->limit(), 5000);
  EXPECT_EQ(limits.outage->options().total, absl::Seconds(9));
}

}  // namespace
}  // namespace thaw
