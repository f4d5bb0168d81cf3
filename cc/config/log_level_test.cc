#include "cc/config/log_level.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(LogLevelTest, EachIsReadBackFromItsName) {
  for (const LogLevel level : kLogLevels) {
    ASSERT_TRUE(ParseLogLevel(ToString(level)).ok()) << ToString(level);
    EXPECT_EQ(*ParseLogLevel(ToString(level)), level);
  }
  EXPECT_EQ(*ParseLogLevel("WARNING"), LogLevel::kWarn);
}

TEST(LogLevelTest, OthersAreRefused) {
  EXPECT_FALSE(ParseLogLevel("loud").ok());
  EXPECT_FALSE(ParseLogLevel("").ok());
}

}  // namespace
}  // namespace thaw
