#include "cc/trace/process/pattern.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace thaw {
namespace {

TEST(CompilePattern, MatchesAnyPart) {
  const auto pattern = CompilePattern("b+c$");
  ASSERT_TRUE(pattern.ok());
  EXPECT_TRUE(Matches(**pattern, "aabbc"));
  EXPECT_FALSE(Matches(**pattern, "aabbcd"));
}

TEST(CompilePattern, NamesTheFault) {
  for (const char* text : {"(", "a{2,1}", "\\8", "(?=x)", "[z-a]"}) {
    const auto pattern = CompilePattern(text);
    ASSERT_FALSE(pattern.ok()) << text;
    EXPECT_TRUE(absl::StrContains(pattern.status().message(), "is not a regular expression: "));
  }
}

TEST(CompilePattern, OneThatNeedsTooMuchMemoryIsRefused) {
  EXPECT_FALSE(CompilePattern("((a{100}){100}){100}").ok());
  EXPECT_FALSE(CompilePattern(std::string(100'000, '(') + std::string(100'000, ')')).ok());
}

// A backtracking matcher would not finish in time.
TEST(CompilePattern, MatchesInLinearTime) {
  const auto pattern = CompilePattern("(a*)*b");
  ASSERT_TRUE(pattern.ok());
  EXPECT_FALSE(Matches(**pattern, std::string(100'000, 'a')));
}

}  // namespace
}  // namespace thaw
