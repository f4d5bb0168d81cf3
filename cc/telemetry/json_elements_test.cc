#include "cc/telemetry/json_elements.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using Found = JsonElements::Found;

constexpr std::string_view kMembers[] = {"\"time\"", "\"type\""};

struct Walk {
  std::vector<std::string> elements;
  int broken = 0;
  Found end = Found::kElement;
};

Walk WalkOver(std::string_view body) {
  Walk walk;
  JsonElements elements(body, kMembers);
  while (true) {
    switch (walk.end = elements.Next()) {
      case Found::kElement:
        walk.elements.emplace_back(elements.text());
        EXPECT_EQ(body.substr(elements.begin(), elements.text().size()), elements.text());
        break;
      case Found::kBroken:
        ++walk.broken;
        break;
      default:
        EXPECT_EQ(elements.Next(), walk.end);
        return walk;
    }
  }
}

TEST(JsonElementsTest, FindsEachElement) {
  const Walk walk = WalkOver(R"( [ {"a": [1, "]"]} ,"b,\"]", 3,null,[{}], "\ud800" ] behind it)");
  EXPECT_EQ(walk.end, Found::kEnd);
  EXPECT_EQ(walk.broken, 0);
  EXPECT_THAT(walk.elements,
              ElementsAre(R"({"a": [1, "]"]})", R"("b,\"]")", "3", "null", "[{}]", R"("\ud800")"));
}

TEST(JsonElementsTest, ABodyThatIsNoArrayHasNoElements) {
  for (const std::string_view body : {"", "  ", "{}", "\"[1]\"", "1"}) {
    EXPECT_EQ(WalkOver(body).end, Found::kNoArray) << body;
  }
  EXPECT_EQ(WalkOver("[]").end, Found::kEnd);
}

TEST(JsonElementsTest, AnArrayThatIsNotClosedKeepsItsWholeElements) {
  const Walk walk = WalkOver(R"([{"a": 1}, 2, )");
  EXPECT_EQ(walk.end, Found::kNotClosed);
  EXPECT_THAT(walk.elements, ElementsAre(R"({"a": 1})", "2"));
}

TEST(JsonElementsTest, ABrokenElementCostsItselfOnly) {
  const Walk walk = WalkOver(R"([{"a": nul}, {"b": 1}, {"c" 2}, tru, {"d": "\x"}, {"e": 3}])");
  EXPECT_EQ(walk.end, Found::kEnd);
  EXPECT_EQ(walk.broken, 4);
  EXPECT_THAT(walk.elements, ElementsAre(R"({"b": 1})", R"({"e": 3})"));
}

TEST(JsonElementsTest, SaysWhereAnElementIsBroken) {
  JsonElements elements(R"([1, {"a": nul}])", kMembers);
  ASSERT_EQ(elements.Next(), Found::kElement);
  ASSERT_EQ(elements.Next(), Found::kBroken);
  EXPECT_EQ(elements.begin(), 4u);
  EXPECT_EQ(elements.broken_at(), 6u);
  EXPECT_THAT(elements.error(), HasSubstr("syntax"));
}

// Its quotes or brackets don't match: what follows is found by the members that an element begins with.
TEST(JsonElementsTest, WithoutAnEndTheNextElementIsLookedFor) {
  for (const std::string_view broken : {R"({"a": "no end)", R"({"a": [})", R"({"a": {)"}) {
    const Walk walk = WalkOver(absl::StrCat("[", broken, R"(, {"x": 1}, { "type": 2}, {"y": 3}])"));
    EXPECT_EQ(walk.broken, 1) << broken;
    EXPECT_THAT(walk.elements, ElementsAre(R"({ "type": 2})", R"({"y": 3})")) << broken;
    EXPECT_EQ(walk.end, Found::kEnd) << broken;
  }
}

TEST(JsonElementsTest, ElementsNestedTooDeepAreBroken) {
  const auto nested = [](int depth) {
    return absl::StrCat("[", std::string(depth, '['), std::string(depth, ']'), ", 1]");
  };
  EXPECT_EQ(WalkOver(nested(128)).broken, 0);
  const Walk walk = WalkOver(nested(129));
  EXPECT_EQ(walk.broken, 1);
  EXPECT_THAT(walk.elements, ElementsAre("1"));
}

TEST(JsonElementsTest, GivesUpWhereTooMuchIsReadInVain) {
  std::string body = "[";
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&body, R"({"type": [}, )");
  const Walk walk = WalkOver(body);
  EXPECT_EQ(walk.end, Found::kTooBroken);
  EXPECT_GT(walk.broken, 32);
  EXPECT_LT(walk.broken, 2000);
  EXPECT_THAT(walk.elements, IsEmpty());
}

TEST(JsonElementsTest, MembersAreGivenAsWritten) {
  std::vector<std::pair<std::string, std::string>> members;
  ForEachJsonMember(
      R"({ "a" : 1 ,"b\"":{"c": [2, "}"]}, "a": "x,\"" })",
      [&members](std::string_view key, std::string_view value) { members.emplace_back(key, value); });
  EXPECT_THAT(members, ElementsAre(Pair(R"("a")", "1"), Pair(R"("b\"")", R"({"c": [2, "}"]})"),
                                   Pair(R"("a")", R"("x,\"")")));
  ForEachJsonMember("{ }", [](std::string_view, std::string_view) { ADD_FAILURE(); });
}

TEST(JsonElementsTest, MembersMayBeOfAnyTypeAndHaveBlanksAroundThem) {
  const auto members_of = [](std::string_view object) {
    std::vector<std::pair<std::string, std::string>> members;
    ForEachJsonMember(object, [&members](std::string_view key, std::string_view value) {
      members.emplace_back(key, value);
    });
    return members;
  };
  EXPECT_THAT(members_of("{}"), IsEmpty());
  EXPECT_THAT(members_of(R"({"a":1,"b":"x,}\"","c":{"d":[1,{"e":"]"}]},"f":null})"),
              ElementsAre(Pair("\"a\"", "1"), Pair("\"b\"", R"("x,}\"")"),
                          Pair("\"c\"", R"({"d":[1,{"e":"]"}]})"), Pair("\"f\"", "null")));
  EXPECT_THAT(members_of("{ \"a\" :\n 1 , \"b\"\t:[ ] }"),
              ElementsAre(Pair("\"a\"", "1"), Pair("\"b\"", "[ ]")));
}

TEST(JsonElementsTest, TextThatIsNoJsonIsNotWellFormed) {
  for (const char* good : {"{}", "[1]", "7", R"({"a":"\ud83d"})", " {} "})
    EXPECT_TRUE(IsWellFormedJson(good)) << good;
  for (const char* bad : {"", "{", "{}x", "{a:1}", "{\"a\":1,}", "{\"a\" 1}", "\"\n\"", "\"\xff\""})
    EXPECT_FALSE(IsWellFormedJson(bad)) << bad;
  EXPECT_FALSE(IsWellFormedJson(absl::StrCat(std::string(10'000, '['), std::string(10'000, ']'))));
}

}  // namespace
}  // namespace thaw
