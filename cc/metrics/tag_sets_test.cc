#include "cc/metrics/tag_sets.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;
using Tags = std::vector<std::string_view>;

Tags TagsOf(const TagSet& set) {
  Tags tags;
  for (size_t i = 0; i < set.size(); ++i) tags.push_back(set[i]);
  return tags;
}

TEST(TagSet, RepeatsNeedNotBeNeighbours) {
  EXPECT_THAT(TagsOf(TagSet({"b", "a", "b"})), ElementsAre("a", "b"));
  EXPECT_THAT(TagsOf(TagSet({"a", "a", "b"})), ElementsAre("a", "b"));
  EXPECT_THAT(TagsOf(TagSet({"a", "b"})), ElementsAre("a", "b"));
  EXPECT_THAT(TagsOf(TagSet()), ElementsAre());
}

TEST(TagSet, OnlyEqualTagsAreEqual) {
  const TagSet set({"a:1", "b"});
  EXPECT_TRUE(set == TagSet({"b", "a:1", "b"}));
  EXPECT_EQ(set.hash(), TagSet({"b", "a:1"}).hash());
  EXPECT_FALSE(set == TagSet({"a:1b"}));
  EXPECT_FALSE(set == TagSet({"a:", "1b"}));
  EXPECT_FALSE(set == TagSet({"a:1"}));
  EXPECT_FALSE(set == TagSet());
  EXPECT_TRUE(TagSet() == TagSet(Tags{}));
}

TEST(TagSet, OtherTagsReplaceAllOfThem) {
  TagSet set({"a", "b", "c"});
  set.Assign({"z", "d"});
  EXPECT_THAT(TagsOf(set), ElementsAre("d", "z"));
  EXPECT_TRUE(set == TagSet({"d", "z"}));
  set.Assign({});
  EXPECT_TRUE(set == TagSet());
}

TEST(TagSets, EqualSetsAreOneAndOthersAreNot) {
  TagSets sets;
  EXPECT_EQ(sets.Find(TagSet({"a:1", "b"})), nullptr);
  const std::shared_ptr<const TagSet> ab = sets.Intern(TagSet({"a:1", "b"}));
  EXPECT_EQ(sets.Find(TagSet({"b", "a:1"})), ab.get());
  EXPECT_EQ(sets.Intern(TagSet({"a:1", "b"})), ab);
  EXPECT_NE(sets.Intern(TagSet({"a:1b"})), ab);
  EXPECT_NE(sets.Intern(TagSet({"a:1"})), ab);
  EXPECT_NE(sets.Intern(TagSet()), ab);
  EXPECT_THAT(TagsOf(*ab), ElementsAre("a:1", "b"));
  EXPECT_EQ(sets.size(), 4u);
}

TEST(TagSets, OnlySetsThatAreUsedStay) {
  TagSets sets;
  const std::shared_ptr<const TagSet> used = sets.Intern(TagSet({"used"}));
  const size_t memory = sets.memory();
  sets.Intern(TagSet({"a", "b", "c"}));
  EXPECT_GT(sets.memory(), memory);
  sets.FreeUnused();
  EXPECT_EQ(sets.size(), 1u);
  EXPECT_EQ(sets.memory(), memory);
  EXPECT_EQ(sets.Intern(TagSet({"used"})), used);
}

TEST(TagSets, AHundredThousandTagsAreASet) {
  std::vector<std::string> texts;
  for (int i = 0; i < 100'000; ++i) texts.push_back(std::to_string(i));
  Tags tags(texts.begin(), texts.end());
  const TagSet set(tags);
  EXPECT_EQ(set.size(), 100'000u);
  tags.back() = "x";
  EXPECT_FALSE(set == TagSet(tags));
}

}  // namespace
}  // namespace thaw
