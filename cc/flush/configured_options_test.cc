#include "cc/flush/configured_options.h"

#include <utility>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/pipeline_table.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

const Environment kEnvironment = {{"DD_FLUSH_TIMEOUT", "7"},
                                  {"DD_COMPRESSION_LEVEL", "9"},
                                  {"DD_SERVERLESS_FLUSH_STRATEGY", "periodically,5000"},
                                  {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"}};

TEST(ConfiguredOptionsTest, EachPipelineHasItsDefaultsAndConfiguredValues) {
  const Config config = LoadConfig(kEnvironment, "");
  const FlusherOptions traces = FlusherOptionsFrom(config, PipelineNamed("traces"));
  EXPECT_EQ(traces.compression_level, 9);
  EXPECT_TRUE(traces.retry_ambiguous);
  EXPECT_TRUE(traces.Validate().ok());
  const FlusherOptions stats = FlusherOptionsFrom(config, PipelineNamed("stats"));
  EXPECT_EQ(stats.compression_level, 1);
  EXPECT_FALSE(stats.retry_ambiguous);
  EXPECT_TRUE(stats.Validate().ok());
}

TEST(ConfiguredOptionsTest, SmallFunctionsKeepNoMemoryToCompress) {
  ManualExecutor executor;
  FakeClock clock(executor);
  for (const auto& [memory, kept] :
       {std::pair("128", false), std::pair("255", false), std::pair("256", true)}) {
    const Config config = LoadConfig({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory}}, "");
    EXPECT_EQ(SharedResourcesFrom(executor, clock, config).zstd != nullptr, kept) << memory;
  }
}

TEST(ConfiguredOptionsTest, LimitsScheduleAndCoordinator) {
  const Config config = LoadConfig(kEnvironment, "");
  ManualExecutor executor;
  FakeClock clock(executor);
  const SharedResources limits = SharedResourcesFrom(executor, clock, config);
  EXPECT_EQ(limits.bytes->limit(), size_t{32} << 20);
  EXPECT_TRUE(limits.outage->limits());
  EXPECT_EQ(CoordinatorOptionsFrom(config).flush_timeout, absl::Seconds(7));
  FlushSchedule schedule = FlushScheduleFrom(config, clock.Now());
  clock.Advance(absl::Milliseconds(5001));
  EXPECT_EQ(schedule.OnInvoke(clock.Now(), false), FlushDecision::kBlocking);
}

}  // namespace
}  // namespace thaw
