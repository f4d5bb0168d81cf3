#include "cc/config/environment.h"

#include <cstdlib>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(EnvironmentTest, TellsUnsetFromEmpty) {
  const Environment environment({{"EMPTY", ""}, {"SET", "a=b"}});
  EXPECT_EQ(environment.Get("SET"), "a=b");
  EXPECT_EQ(environment.Get("EMPTY"), "");
  EXPECT_EQ(environment.Get("UNSET"), std::nullopt);
  EXPECT_EQ(environment.Get("SE"), std::nullopt);
}

TEST(EnvironmentTest, OfProcessIsACopyOfNow) {
  ASSERT_EQ(setenv("THAW_ENVIRONMENT_TEST", "before=1", /*overwrite=*/1), 0);
  const Environment before = Environment::OfProcess();
  ASSERT_EQ(setenv("THAW_ENVIRONMENT_TEST", "after", /*overwrite=*/1), 0);
  EXPECT_EQ(before.Get("THAW_ENVIRONMENT_TEST"), "before=1");
  EXPECT_EQ(Environment::OfProcess().Get("THAW_ENVIRONMENT_TEST"), "after");
  ASSERT_EQ(unsetenv("THAW_ENVIRONMENT_TEST"), 0);
  EXPECT_EQ(Environment::OfProcess().Get("THAW_ENVIRONMENT_TEST"), std::nullopt);
}

}  // namespace
}  // namespace thaw
