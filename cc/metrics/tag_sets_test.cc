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

Tags Sorted(Tags tags) {
  SortAndDeduplicate(tags);
  return tags;
}

TEST(SortAndDeduplicate, RepeatsNeedNotBeNeighbours) {
  EXPECT_THAT(Sorted({"b", "a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(Sorted({"a", "a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(Sorted({"a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(Sorted({}), ElementsAre());
}

TEST(TagSets, EqualSetsAreOneAndOthersAreNot) {
  TagSets sets;
  const std::shared_ptr<const TagSet> ab = sets.Intern(Tags{"a:1", "b"});
  EXPECT_EQ(sets.Intern(Tags{"a:1", "b"}), ab);
  EXPECT_NE(sets.Intern(Tags{"a:1b"}), ab);
  EXPECT_NE(sets.Intern(Tags{"a:1"}), ab);
  EXPECT_NE(sets.Intern(Tags{}), ab);
  ASSERT_EQ(ab->size(), 2u);
  EXPECT_EQ((*ab)[0], "a:1");
  EXPECT_EQ((*ab)[1], "b");
  EXPECT_EQ(sets.size(), 4u);
}

TEST(TagSets, OnlySetsThatAreUsedStay) {
  TagSets sets;
  const std::shared_ptr<const TagSet> used = sets.Intern(Tags{"used"});
  const size_t memory = sets.memory();
  sets.Intern(Tags{"a", "b", "c"});
  EXPECT_GT(sets.memory(), memory);
  sets.FreeUnused();
  EXPECT_EQ(sets.size(), 1u);
  EXPECT_EQ(sets.memory(), memory);
  EXPECT_EQ(sets.Intern(Tags{"used"}), used);
}

TEST(TagSets, AHundredThousandTagsAreASet) {
  std::vector<std::string> texts;
  for (int i = 0; i < 100'000; ++i) texts.push_back(std::to_string(i));
  Tags tags(texts.begin(), texts.end());
  SortAndDeduplicate(tags);
  const TagSet set(tags);
  EXPECT_TRUE(set.Equals(tags));
  tags.back() = "x";
  EXPECT_FALSE(set.Equals(tags));
}

}  // namespace
}  // namespace thaw
