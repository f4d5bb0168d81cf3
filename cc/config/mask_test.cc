#include "cc/config/mask.h"

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(MaskTest, SecretShowsItsEndOnlyIfMostStaysHidden) {
  EXPECT_EQ(MaskSecret(""), "");
  EXPECT_EQ(MaskSecret("1234567"), "****");
  EXPECT_EQ(MaskSecret("12345678"), "****5678");
  EXPECT_EQ(MaskSecret("0123456789abcdef0123456789abcdef"), "****cdef");
}

TEST(MaskTest, UrlKeepsAllButTheCredentials) {
  EXPECT_EQ(MaskUrl("http://proxy:3128"), "http://proxy:3128");
  EXPECT_EQ(MaskUrl("http://user:password@proxy:3128"), "http://****@proxy:3128");
  EXPECT_EQ(MaskUrl("user:password@proxy:3128"), "****@proxy:3128");
  EXPECT_EQ(MaskUrl("http://user:p@ss/w#rd@proxy"), "http://****@proxy");
  EXPECT_EQ(MaskUrl("user:p@://x"), "****@://x");
}

TEST(MaskTest, QuotedIsShortAndPrintable) {
  EXPECT_EQ(Quoted("a\nb\"\xff"), R"("a\nb\"\xff")");
  EXPECT_EQ(Quoted(std::string(100, 'a')), "\"" + std::string(100, 'a') + "\"");
  EXPECT_EQ(Quoted(std::string(101, 'a')), "\"" + std::string(100, 'a') + "…\"");
}

}  // namespace
}  // namespace thaw
