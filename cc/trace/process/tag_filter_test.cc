#include "cc/trace/process/tag_filter.h"

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Tags = std::map<std::string_view, std::string_view>;

// Returns whether a root with these tags is kept; its fields are the same in every test.
bool Keeps(const TagFilter& filter, const Tags& tags) {
  const auto find = [&tags](std::string_view key) {
    const auto found = tags.find(key);
    return found == tags.end() ? nullptr : &found->second;
  };
  return filter.Keeps(
      {.service = "shop", .name = "http.request", .resource = "GET /health", .type = "", .meta = find});
}

bool Keeps(const TagFilter::Settings& settings, const Tags& tags) {
  std::vector<std::string> warnings;
  const TagFilter filter(settings, warnings);
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  return Keeps(filter, tags);
}

TEST(TagFilter, WithoutEntriesKeepsEverything) {
  EXPECT_TRUE(TagFilter().empty());
  EXPECT_TRUE(Keeps(TagFilter(), {}));
  EXPECT_TRUE(Keeps({.require = " \n", .reject = "\t"}, {}));
}

TEST(TagFilter, AllRequiredMustHold) {
  EXPECT_TRUE(Keeps({.require = "env:prod  a:b:c"}, {{"env", "prod"}, {"a", "b:c"}}));
  EXPECT_FALSE(Keeps({.require = "env:prod a:b"}, {{"env", "prod"}}));
  EXPECT_FALSE(Keeps({.require = "env:prod"}, {{"env", "production"}}));
  EXPECT_TRUE(Keeps({.regex_require = "env:^pr a:b+"}, {{"env", "prod"}, {"a", "abbc"}}));
  EXPECT_FALSE(Keeps({.require = "env:prod", .regex_require = "a:^b"}, {{"env", "prod"}, {"a", "ab"}}));
}

TEST(TagFilter, AnyRejectedMayNotHold) {
  EXPECT_FALSE(Keeps({.reject = "x:y env:dev"}, {{"env", "dev"}}));
  EXPECT_TRUE(Keeps({.reject = "x:y env:dev"}, {{"env", "prod"}}));
  EXPECT_FALSE(Keeps({.regex_reject = "env:d.v$"}, {{"env", "my-dev"}}));
  EXPECT_FALSE(Keeps({.require = "env:dev", .reject = "a"}, {{"env", "dev"}, {"a", ""}}));
}

TEST(TagFilter, AKeyAloneIsPresence) {
  EXPECT_TRUE(Keeps({.require = "env"}, {{"env", ""}}));
  EXPECT_FALSE(Keeps({.require = "env"}, {}));
  EXPECT_TRUE(Keeps({.regex_require = "env"}, {{"env", "x"}}));
  EXPECT_TRUE(Keeps({.require = "env:"}, {{"env", ""}}));
  EXPECT_FALSE(Keeps({.require = "env:"}, {{"env", "x"}}));
}

TEST(TagFilter, FieldsOfTheSpanCountAsTheirTags) {
  EXPECT_TRUE(Keeps({.require = "service:shop name:http.request"}, {}));
  EXPECT_FALSE(Keeps({.regex_reject = "resource:^GET\\s/health"}, {}));
  EXPECT_TRUE(Keeps({.require = "service:tag"}, {{"service", "tag"}}));
  EXPECT_TRUE(Keeps({.require = "service:shop"}, {{"service", "tag"}}));
  EXPECT_TRUE(Keeps({.require = "service"}, {}));
  EXPECT_FALSE(Keeps({.require = "type"}, {}));
  EXPECT_TRUE(Keeps({.require = "type:"}, {}));
}

TEST(TagFilter, AnEntryWithoutTheNameOfATagIsAWarning) {
  for (const auto& [settings, setting, shown] :
       {std::tuple(TagFilter::Settings{.reject = ":"}, "DD_APM_FILTER_TAGS_REJECT", "\":\""),
        {TagFilter::Settings{.require = ":a env:b"}, "DD_APM_FILTER_TAGS_REQUIRE", "\":a\""},
        {TagFilter::Settings{.regex_require = "{\"a"}, "DD_APM_FILTER_TAGS_REGEX_REQUIRE", "{"},
        {TagFilter::Settings{.regex_reject = "[\"a:b\"]"}, "DD_APM_FILTER_TAGS_REGEX_REJECT", "["}}) {
    std::vector<std::string> warnings;
    const TagFilter filter(settings, warnings);
    ASSERT_FALSE(warnings.empty()) << setting;
    EXPECT_THAT(warnings[0], testing::StartsWith(absl::StrCat(setting, ": ")));
    EXPECT_THAT(warnings[0], testing::HasSubstr(shown));
    EXPECT_THAT(warnings[0], testing::HasSubstr("does not begin with the name of a tag"));
  }
}

TEST(TagFilter, AnInvalidExpressionIsAWarningAndMatchesNothing) {
  std::vector<std::string> warnings;
  const TagFilter rejecting({.regex_reject = "env:( a:b"}, warnings);
  EXPECT_TRUE(Keeps(rejecting, {{"env", "("}}));
  EXPECT_FALSE(Keeps(rejecting, {{"a", "abc"}}));
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_TRUE(
      absl::StartsWith(warnings[0], "DD_APM_FILTER_TAGS_REGEX_REJECT: \"(\" is not a regular expression: "));

  const TagFilter requiring({.regex_require = "env:["}, warnings);
  EXPECT_FALSE(Keeps(requiring, {{"env", "["}}));
  ASSERT_EQ(warnings.size(), 2);
  EXPECT_TRUE(absl::StrContains(warnings[1], "no trace is kept"));
}

}  // namespace
}  // namespace thaw
