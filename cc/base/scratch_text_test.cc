#include "cc/base/scratch_text.h"

#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(ScratchText, StringsStayWhereTheyAreUntilTheReset) {
  ScratchText scratch;
  std::string& first = scratch.Take();
  first = "first";
  for (int i = 0; i < 1000; ++i) scratch.Take() = std::to_string(i);
  EXPECT_EQ(first, "first");
  scratch.Reset();
  EXPECT_EQ(&scratch.Take(), &first);
  EXPECT_EQ(first, "");
}

TEST(ScratchText, MemoryIsKeptUnlessItIsMuch) {
  ScratchText scratch;
  scratch.Take().reserve(1000);
  scratch.Take().reserve(1'000'000);
  scratch.Reset();
  EXPECT_GE(scratch.Take().capacity(), 1000);
  EXPECT_LT(scratch.Take().capacity(), 1000);
}

}  // namespace
}  // namespace thaw
