#include "cc/config/tag_list.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(TagListTest, CommasOrElseWhiteSpaceSeparateTags) {
  EXPECT_THAT(ParseTagList("key1:val1,key2:val2").tags,
              ElementsAre(Pair("key1", "val1"), Pair("key2", "val2")));
  EXPECT_THAT(ParseTagList("key1:val1, key2 : val2").tags,
              ElementsAre(Pair("key1", "val1"), Pair("key2", "val2")));
  EXPECT_THAT(ParseTagList("key1:val1 \t key2:val2\n").tags,
              ElementsAre(Pair("key1", "val1"), Pair("key2", "val2")));
  EXPECT_THAT(ParseTagList("env:test,aKey:aVal bKey:bVal cKey:").tags,
              ElementsAre(Pair("env", "test"), Pair("aKey", "aVal bKey:bVal cKey:")));
  EXPECT_THAT(ParseTagList("env :test, aKey : aVal bKey:bVal cKey:").tags,
              ElementsAre(Pair("env", "test"), Pair("aKey", "aVal bKey:bVal cKey:")));
  EXPECT_THAT(ParseTagList("team:data eng,").tags, ElementsAre(Pair("team", "data eng")));
}

TEST(TagListTest, ATagWithoutAValueIsKept) {
  EXPECT_THAT(ParseTagList("team:data eng").tags, ElementsAre(Pair("team", "data"), Pair("eng", "")));
  EXPECT_THAT(ParseTagList("a:b,c,d").tags, ElementsAre(Pair("a", "b"), Pair("c", ""), Pair("d", "")));
  EXPECT_THAT(ParseTagList("key:").tags, ElementsAre(Pair("key", "")));
  EXPECT_THAT(ParseTagList("env:test     bKey :bVal dKey: dVal cKey:").nameless, ElementsAre(":bVal"));
}

TEST(TagListTest, OnlyTheFirstColonSeparates) {
  EXPECT_THAT(ParseTagList("a:b:c:d").tags, ElementsAre(Pair("a", "b:c:d")));
  EXPECT_THAT(ParseTagList("env:keyWith:  , ,   Lots:Of:Semicolons ").tags,
              ElementsAre(Pair("env", "keyWith:"), Pair("Lots", "Of:Semicolons")));
  EXPECT_THAT(ParseTagList("url:http://x/y z").tags, ElementsAre(Pair("url", "http://x/y"), Pair("z", "")));
}

TEST(TagListTest, TagsWithoutANameAreReported) {
  const TagList list = ParseTagList(":a, b:c, : ,");
  EXPECT_THAT(list.tags, ElementsAre(Pair("b", "c")));
  EXPECT_THAT(list.nameless, ElementsAre(":a", ":"));
  EXPECT_THAT(ParseTagList("").tags, IsEmpty());
  EXPECT_THAT(ParseTagList(" , ,\t").tags, IsEmpty());
}

}  // namespace
}  // namespace thaw
