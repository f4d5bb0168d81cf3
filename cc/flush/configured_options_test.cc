#include "cc/flush/configured_options.h"

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

const Environment kEnvironment = {{"DD_FLUSH_TIMEOUT", "7"},
                                  {"DD_COMPRESSION_LEVEL", "9"},
                                  {"DD_SERVERLESS_FLUSH_STRATEGY", "periodically,5000"},
                                  {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"}};

TEST(ConfiguredOptionsTest, EachPipelineHasItsDefaultsAndWhatIsConfigured) {
  const Config config = LoadConfig(kEnvironment, "");
  const FlusherOptions traces = MakeFlusherOptions(config, Pipeline::kTraces);
  EXPECT_EQ(traces.flush_timeout, absl::Seconds(7));
  EXPECT_EQ(traces.outbox_bytes, size_t{32} << 20);
  EXPECT_EQ(traces.compression_level, 9);
  EXPECT_TRUE(traces.retry_ambiguous);
  EXPECT_TRUE(traces.Validate().ok());
  const FlusherOptions stats = MakeFlusherOptions(config, Pipeline::kStats);
  EXPECT_EQ(stats.flush_timeout, absl::Seconds(7));
  EXPECT_EQ(stats.compression_level, 1);
  EXPECT_FALSE(stats.retry_ambiguous);
  EXPECT_TRUE(stats.Validate().ok());
}

TEST(ConfiguredOptionsTest, LimitsScheduleAndCoordinator) {
  const Config config = LoadConfig(kEnvironment, "");
  ManualExecutor executor;
  FakeClock clock(executor);
  const SharedLimits limits = MakeSharedLimits(executor, clock, config);
  EXPECT_EQ(limits.bytes->limit(), size_t{32} << 20);
  EXPECT_TRUE(limits.outage->limits());
  EXPECT_EQ(MakeCoordinatorOptions(config).flush_timeout, absl::Seconds(7));
  FlushSchedule schedule = MakeFlushSchedule(config, clock.Now());
  clock.Advance(absl::Milliseconds(5001));
  EXPECT_EQ(schedule.OnInvoke(clock.Now(), false), FlushDecision::kBlocking);
}

}  // namespace
}  // namespace thaw
