#include "cc/base/percent.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(PercentTest, Decodes) {
  EXPECT_EQ(PercentDecode(""), "");
  EXPECT_EQ(PercentDecode("plain+text"), "plain+text");
  EXPECT_EQ(PercentDecode("a%20b%2Fc%2fd%25"), "a b/c/d%");
  EXPECT_EQ(PercentDecode("%00%ff"), std::string_view("\0\xff", 2));
}

TEST(PercentTest, RefusesInvalidEscapes) {
  for (const char* bad : {"%", "a%2", "%g0", "%+1", "% 1", "%%41"})
    EXPECT_EQ(PercentDecode(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace thaw
