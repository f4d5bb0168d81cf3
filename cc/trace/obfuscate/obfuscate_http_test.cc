#include "cc/trace/obfuscate/obfuscate_http.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Obfuscated(std::string_view url, HttpObfuscation options = {}) {
  std::string buffer = "before";
  return std::string(ObfuscateUrl(url, options, buffer));
}

constexpr HttpObfuscation kNoQuery = {.remove_query_string = true};
constexpr HttpObfuscation kNoDigits = {.remove_paths_with_digits = true};
constexpr HttpObfuscation kBoth = {.remove_query_string = true, .remove_paths_with_digits = true};

TEST(ObfuscateUrl, UserAndPasswordAlwaysGo) {
  EXPECT_EQ(Obfuscated("http://user:password@foo.com/1/2?q=james"), "http://foo.com/1/2?q=james");
  EXPECT_EQ(Obfuscated("//user@foo.com"), "//foo.com");
  EXPECT_EQ(Obfuscated("http://a@b@foo.com/"), "http://foo.com/");
  EXPECT_EQ(Obfuscated("http://user:pw@[::1]:8080/x"), "http://[::1]:8080/x");
  EXPECT_EQ(Obfuscated("http://user:pass@foo.com/%zz\x01"), "http://foo.com/%zz\x01");
  EXPECT_EQ(Obfuscated("http://foo.com/a@b?c=d@e#f@g"), "http://foo.com/a@b?c=d@e#f@g");
}

TEST(ObfuscateUrl, APasswordWithASlashGoesToo) {
  EXPECT_EQ(Obfuscated("http://user:pa/ss@foo.com/x?y"), "http://foo.com/x?y");
  EXPECT_EQ(Obfuscated("http://user:pa?s#s@foo.com:80/x?y"), "http://foo.com:80/x?y");
  EXPECT_EQ(Obfuscated("http://foo.com:80/x@y"), "http://foo.com:80/x@y");
}

TEST(ObfuscateUrl, QueryStrings) {
  EXPECT_EQ(Obfuscated("http://foo.com/id/1?a=b&c=d", kNoQuery), "http://foo.com/id/1?");
  EXPECT_EQ(Obfuscated("http://foo.com/id/1?a=b#frag", kNoQuery), "http://foo.com/id/1?#frag");
  EXPECT_EQ(Obfuscated("http://foo.com/id#a?b", kNoQuery), "http://foo.com/id#a?b");
  EXPECT_EQ(Obfuscated("/x?y", kNoQuery), "/x?");
}

TEST(ObfuscateUrl, SegmentsWithDigits) {
  EXPECT_EQ(Obfuscated("http://h2.com:81/id/a1/page/12?p=2#f3", kNoDigits),
            "http://h2.com:81/id/?/page/??p=2#f3");
  EXPECT_EQ(Obfuscated("http://foo.com/a%3Fb/c%31/d/", kNoDigits), "http://foo.com/a%3Fb/?/d/");
  EXPECT_EQ(Obfuscated("/1//x", kNoDigits), "/?//x");
  EXPECT_EQ(Obfuscated("http://foo.com/1/2/3?q=james", kBoth), "http://foo.com/?/?/??");
}

TEST(ObfuscateUrl, TextThatIsNoUrlIsHiddenIfAnythingIsToBe) {
  for (const std::string_view text :
       {"%", "http://foo.com/%4", "#%g", ":", "\x01", "http://foo.com:port/x"}) {
    EXPECT_EQ(Obfuscated(text, kNoQuery), "?") << text;
    EXPECT_EQ(Obfuscated(text, kNoDigits), "?") << text;
    EXPECT_EQ(Obfuscated(text), text);
  }
}

TEST(ObfuscateUrl, ANormalUrlIsNotCopied) {
  constexpr std::string_view kUrl = "https://foo.com/users/me?";
  std::string buffer;
  EXPECT_EQ(ObfuscateUrl(kUrl, kBoth, buffer).data(), kUrl.data());
  EXPECT_EQ(Obfuscated(""), "");
  EXPECT_EQ(Obfuscated("http://foo.com/#"), "http://foo.com/");
}

}  // namespace
}  // namespace thaw
