#include "cc/logs/json_object.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<std::pair<std::string, std::string>> MembersOf(std::string_view object) {
  std::vector<std::pair<std::string, std::string>> members;
  ForEachMember(
      object, [&members](std::string_view key, std::string_view value) { members.emplace_back(key, value); });
  return members;
}

TEST(JsonObjectTest, MembersAreFoundAsTheyAreWritten) {
  EXPECT_THAT(MembersOf("{}"), IsEmpty());
  EXPECT_THAT(MembersOf(" { } "), IsEmpty());
  EXPECT_THAT(MembersOf(R"({"a":1,"b":"x,}\"","c":{"d":[1,{"e":"]"}]},"f":null})"),
              ElementsAre(Pair("\"a\"", "1"), Pair("\"b\"", R"("x,}\"")"),
                          Pair("\"c\"", R"({"d":[1,{"e":"]"}]})"), Pair("\"f\"", "null")));
  EXPECT_THAT(MembersOf("{ \"a\" :\n 1 , \"b\"\t:[ ] }"),
              ElementsAre(Pair("\"a\"", "1"), Pair("\"b\"", "[ ]")));
}

TEST(JsonObjectTest, TextThatIsNoJsonIsRefused) {
  for (const char* good : {"{}", "[1]", "7", R"({"a":"\ud83d"})", " {} "})
    EXPECT_TRUE(IsWellFormedJson(good)) << good;
  for (const char* bad : {"", "{", "{}x", "{a:1}", "{\"a\":1,}", "{\"a\" 1}", "\"\n\""})
    EXPECT_FALSE(IsWellFormedJson(bad)) << bad;
  EXPECT_FALSE(IsWellFormedJson(absl::StrCat(std::string(10'000, '['), std::string(10'000, ']'))));
}

}  // namespace
}  // namespace thaw
