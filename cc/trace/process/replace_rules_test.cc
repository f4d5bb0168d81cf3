#include "cc/trace/process/replace_rules.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

ReplaceRules Rules(std::string_view json) {
  std::vector<std::string> warnings;
  ReplaceRules rules(json, warnings);
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  return rules;
}

std::string Tag(const ReplaceRules& rules, std::string_view key, std::string_view value) {
  std::string buffer = "before";
  return std::string(rules.ApplyToTag(key, value, buffer));
}

std::string Resource(const ReplaceRules& rules, std::string_view resource) {
  std::string buffer = "before";
  return std::string(rules.ApplyToResource(resource, buffer));
}

// Applies one rule to a text.
std::string Replaced(std::string_view pattern, std::string_view replacement, std::string_view text) {
  return Tag(Rules(absl::StrCat(R"([{"name": "t", "pattern": ")", pattern, R"(", "repl": ")", replacement,
                                R"("}])")),
             "t", text);
}

TEST(ReplaceRules, ApplyToATagAllTagsOrTheResource) {
  const ReplaceRules rules = Rules(R"json([
      {"name": "http.url", "pattern": "(token/)([^/]*)", "repl": "${1}?"},
      {"name": "*", "pattern": "this", "repl": "that"},
      {"name": "resource.name", "pattern": "prod", "repl": "stage"}])json");
  EXPECT_FALSE(rules.empty());
  EXPECT_EQ(Tag(rules, "http.url", "this/token/abc/token/def"), "that/token/?/token/?");
  EXPECT_EQ(Tag(rules, "other", "this/token/abc"), "that/token/abc");
  EXPECT_EQ(Tag(rules, "resource.name", "prod"), "prod");
  EXPECT_EQ(Resource(rules, "this is prod"), "this is stage");
}

TEST(ReplaceRules, AreAppliedInTheirOrder) {
  const ReplaceRules rules = Rules(R"json([
      {"name": "a", "pattern": "x", "repl": "y"},
      {"name": "*", "pattern": "y", "repl": "z"},
      {"name": "a", "pattern": "x|y", "repl": "!"}])json");
  EXPECT_EQ(Tag(rules, "a", "xy"), "zz");
}

TEST(ReplaceRules, WithoutAMatchNothingIsCopied) {
  const ReplaceRules rules = Rules(R"json([{"name": "*", "pattern": "x", "repl": "y"}])json");
  constexpr std::string_view kValue = "abc";
  std::string buffer;
  EXPECT_EQ(rules.ApplyToTag("a", kValue, buffer).data(), kValue.data());
  EXPECT_EQ(rules.ApplyToResource(kValue, buffer).data(), kValue.data());
}

TEST(ReplaceRules, ReferencesAreGos) {
  EXPECT_EQ(Replaced("(a)(b)", "$2$1", "ab"), "ba");
  EXPECT_EQ(Replaced("(a)(b)", "${2}x$0", "ab"), "bxab");
  EXPECT_EQ(Replaced("(?P<first>a)b", "$first-${first}c", "ab"), "a-ac");
  EXPECT_EQ(Replaced("a", "$$1", "a"), "$1");
  EXPECT_EQ(Replaced("a", "x$", "a"), "x$");
  EXPECT_EQ(Replaced("(a)", "${1", "a"), "${1");
  EXPECT_EQ(Replaced("a", R"(\\1\\\\)", "a"), R"(\1\\)");
  EXPECT_EQ(Replaced("", "-", "ab"), "-a-b-");
  EXPECT_EQ(Replaced("é|b", "", "aéb"), "a");
}

TEST(ReplaceRules, AReferenceToNoGroupStandsForNothingAndIsAWarning) {
  std::vector<std::string> warnings;
  const ReplaceRules rules(R"json([{"name": "t", "pattern": "(a)", "repl": "[$1x]"}])json", warnings);
  EXPECT_EQ(Tag(rules, "t", "a"), "[]");
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_TRUE(absl::StartsWith(warnings[0], "replace rule 0: ")) << warnings[0];
  EXPECT_TRUE(absl::StrContains(warnings[0], "\"1x\"")) << warnings[0];
}

TEST(ReplaceRules, OneBadRuleDoesNotDiscardTheOthers) {
  std::vector<std::string> warnings;
  const ReplaceRules rules(R"json([
      {"name": "t", "pattern": "(", "repl": ""},
      {"name": "t", "pattern": "a", "repl": "b"},
      {"pattern": "a", "repl": "c"},
      {"name": "t", "pattern": 7, "repl": "c"},
      {"name": "t", "pattern": "b"},
      {"name": "", "pattern": "b", "repl": ""},
      "text",
      {"name": "t", "pattern": "(((((((((((a)))))))))))", "repl": "$11"},
      {"name": "t", "pattern": "b", "repl": "d"}])json",
                           warnings);
  EXPECT_EQ(Tag(rules, "t", "a"), "d");
  ASSERT_EQ(warnings.size(), 7);
  constexpr std::string_view kBeginnings[] = {
      "replace rule 0 can't be used: \"(\" is not a regular expression: ",
      "replace rule 2 can't be used: it has no \"name\"",
      "replace rule 3 can't be used: its \"pattern\" is not a string",
      "replace rule 4 can't be used: it has no \"repl\"",
      "replace rule 5 can't be used: its \"name\" is empty",
      "replace rule 6 can't be used: it is not an object",
      "replace rule 7 can't be used: \"repl\" refers to group 11",
  };
  for (size_t i = 0; i < warnings.size(); ++i)
    EXPECT_TRUE(absl::StartsWith(warnings[i], kBeginnings[i])) << warnings[i];
}

TEST(ReplaceRules, AnythingButAListIsOneWarning) {
  for (const char* json : {"", "{}", "[", "7", "[] x"}) {
    std::vector<std::string> warnings;
    EXPECT_TRUE(ReplaceRules(json, warnings).empty());
    EXPECT_EQ(warnings.size(), 1) << json;
  }
  EXPECT_TRUE(Rules("[]").empty());
  EXPECT_EQ(Tag(ReplaceRules(), "t", "a"), "a");
}

}  // namespace
}  // namespace thaw
