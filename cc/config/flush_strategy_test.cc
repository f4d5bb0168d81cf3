#include "cc/config/flush_strategy.h"

#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

using Kind = FlushStrategy::Kind;

FlushStrategy Parsed(std::string_view text) {
  const absl::StatusOr<FlushStrategy> strategy = ParseFlushStrategy(text);
  EXPECT_TRUE(strategy.ok()) << text << ": " << strategy.status();
  return strategy.value_or(FlushStrategy{});
}

TEST(FlushStrategyTest, EachForm) {
  EXPECT_EQ(Parsed("default"), FlushStrategy{});
  EXPECT_EQ(Parsed("end"), FlushStrategy{.kind = Kind::kEnd});
  EXPECT_EQ(Parsed("end,1"), (FlushStrategy{Kind::kEndPeriodically, absl::Milliseconds(1)}));
  EXPECT_EQ(Parsed("periodically,20000"), (FlushStrategy{Kind::kPeriodically, absl::Seconds(20)}));
  EXPECT_EQ(Parsed("continuously,60000"), (FlushStrategy{Kind::kContinuously, absl::Minutes(1)}));
}

TEST(FlushStrategyTest, MillisecondsAreKeptAsWritten) {
  EXPECT_EQ(Parsed("end,500").interval, absl::Milliseconds(500));
  EXPECT_EQ(Parsed("continuously,1999").interval, absl::Milliseconds(1999));
  EXPECT_EQ(Parsed("end,9223372036854775807").interval, absl::Milliseconds(INT64_MAX));
}

TEST(FlushStrategyTest, ASpaceAfterTheCommaIsNoError) {
  for (const char* text : {"end, 20000", "end ,20000", " end,20000 ", "\tend , 20000\n"}) {
    EXPECT_EQ(Parsed(text), (FlushStrategy{Kind::kEndPeriodically, absl::Seconds(20)})) << text;
  }
}

TEST(FlushStrategyTest, ZeroMillisecondsAreRefused) {
  for (const char* text : {"end,0", "periodically,0", "continuously,000"}) {
    EXPECT_EQ(ParseFlushStrategy(text).status(),
              absl::InvalidArgumentError("0 milliseconds are no interval; it must be at least 1"))
        << text;
  }
}

TEST(FlushStrategyTest, InvalidStrategiesAreRefused) {
  for (const char* text : {"",
                           ",",
                           "End",
                           "END",
                           "ends",
                           "end,",
                           "end,,",
                           "end,1,2",
                           "end,-1",
                           "end,+1",
                           "end,1.5",
                           "end,1s",
                           "end,0x10",
                           "end,1 2",
                           "end,9223372036854775808",
                           "periodically",
                           "continuously",
                           "default,1",
                           "continuously;1",
                           "periodically,soon",
                           "\xff,1"}) {
    EXPECT_EQ(ParseFlushStrategy(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(FlushStrategyTest, TextAndBack) {
  for (const char* text : {"default", "end", "end,20000", "periodically,1", "continuously,86400000"}) {
    EXPECT_EQ(ToString(Parsed(text)), text);
  }
}

}  // namespace
}  // namespace thaw
