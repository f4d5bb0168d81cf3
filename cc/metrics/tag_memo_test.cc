#include "cc/metrics/tag_memo.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "cc/base/counted_allocations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;

TEST(TagMemo, TagsAreNormalisedAndKeepTheirOrder) {
  TagMemo memo;
  for (int i = 0; i < 2; ++i) {
    const TagMemo::Tags& tags = memo.Read("route:r1,,Env:Prod,a b,route:r1");
    EXPECT_THAT(tags.list, ElementsAre("route:r1", "env:prod", "a_b", "route:r1"));
    EXPECT_TRUE(tags.set == TagSet({"route:r1", "env:prod", "a_b"}));
  }
  EXPECT_THAT(memo.Read("").list, ElementsAre());
  EXPECT_THAT(memo.Read(",").list, ElementsAre());
}

// There are fewer places than texts, so that texts share places.
TEST(TagMemo, EachOfManyTextsHasItsOwnTags) {
  TagMemo memo;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 200; ++i) {
      const std::string text = absl::StrCat("Number:", i);
      EXPECT_THAT(memo.Read(text).list, ElementsAre(absl::StrCat("number:", i)));
    }
  }
}

TEST(TagMemo, TheTextNeedNotStay) {
  TagMemo memo;
  std::string text = "env:prod,Flag";
  const TagMemo::Tags& tags = memo.Read(text);
  text.assign(text.size(), 'x');
  EXPECT_THAT(tags.list, ElementsAre("env:prod", "flag"));
}

TEST(TagMemo, LongTextsAreNotKept) {
  TagMemo memo;
  const std::string longer = absl::StrCat("a:", std::string(TagMemo::kMostBytes, 'b'));
  const std::string longest = absl::StrCat("c,a:", std::string(10'000, 'b'));
  EXPECT_THAT(memo.Read(longer).list, ElementsAre(longer));
  EXPECT_EQ(memo.Read(longest).list.size(), 2u);
  EXPECT_THAT(memo.Read(longer).list, ElementsAre(longer));
  memo.ReleaseLong();
  EXPECT_THAT(memo.Read(longer).list, ElementsAre(longer));
}

TEST(TagMemo, ATextThatIsKnownCostsNoAllocation) {
  TagMemo memo;
  memo.Read("env:prod,Route:R1");
  const int64_t before = CountedAllocations();
  memo.Read("env:prod,Route:R1");
  const int64_t allocations = CountedAllocations() - before;
  EXPECT_TRUE(allocations == 0 || !kAllocationsAreCounted) << allocations;
}

}  // namespace
}  // namespace thaw
