#include "cc/base/normalize_tag.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(NormalizeTag, TheAgentsRules) {
  EXPECT_EQ(NormalizeTag("Production"), "production");
  EXPECT_EQ(NormalizeTag("a.b/c-d:e9"), "a.b/c-d:e9");
  EXPECT_EQ(NormalizeTag("9to5.x"), "to5.x");  // a digit is no first character
  EXPECT_EQ(NormalizeTag("--x"), "x");
  EXPECT_EQ(NormalizeTag("a  &&  b"), "a_b");
  EXPECT_EQ(NormalizeTag("__a__b__"), "a_b");
  EXPECT_EQ(NormalizeTag("a!"), "a");
  EXPECT_EQ(NormalizeTag(""), "");
  EXPECT_EQ(NormalizeTag("!?"), "");
  EXPECT_EQ(NormalizeTag("Caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(NormalizeTag(std::string(500, 'a')), std::string(200, 'a'));
  std::string wide, cut;
  for (int i = 0; i < 300; ++i) wide += "\xC3\xA9";
  for (int i = 0; i < 200; ++i) cut += "\xC3\xA9";
  EXPECT_EQ(NormalizeTag(wide), cut);
  std::string wider, cut_wider;
  for (int i = 0; i < 150; ++i) wider += "\xF0\xA0\x80\x80";
  for (int i = 0; i < 100; ++i) cut_wider += "\xF0\xA0\x80\x80";
  EXPECT_EQ(NormalizeTag(wider), cut_wider);
  EXPECT_EQ(NormalizeTag(std::string(5000, '\xBF')).size(), 403);  // no UTF-8, but bounded
}

TEST(NormalizeTag, ANormalTagIsNotCopied) {
  std::string buffer;
  for (const std::string_view tag : {"", "a.b/c-d:e9", ":x", "caf\xC3\xA9_au_lait"}) {
    EXPECT_EQ(NormalizeTag(tag, buffer).data(), tag.data());
    EXPECT_EQ(NormalizeTag(tag), tag);
  }
  for (const std::string_view tag : {"_a", "a__b", "a_", "9a", "a b", "A"})
    EXPECT_EQ(NormalizeTag(tag, buffer).data(), buffer.data()) << tag;
}

}  // namespace
}  // namespace thaw
