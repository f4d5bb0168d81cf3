#include "cc/base/mask.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(MaskTest, SecretShowsItsEndOnlyIfMostStaysHidden) {
  EXPECT_EQ(MaskSecret(""), "");
  EXPECT_EQ(MaskSecret("1234567"), "****");
  EXPECT_EQ(MaskSecret("12345678"), "****5678");
  EXPECT_EQ(MaskSecret("0123456789abcdef0123456789abcdef"), "****cdef");
}

TEST(MaskTest, QuotedIsShortAndPrintable) {
  EXPECT_EQ(Quoted("a\nb\"\xff"), R"("a\nb\"\xff")");
  EXPECT_EQ(Quoted(std::string(100, 'a')), "\"" + std::string(100, 'a') + "\"");
  EXPECT_EQ(Quoted(std::string(101, 'a')), "\"" + std::string(100, 'a') + "…\"");
}

}  // namespace
}  // namespace thaw
