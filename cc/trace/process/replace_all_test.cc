#include "cc/trace/process/replace_all.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cc/base/fake_byte_account.h"
#include "cc/clock/linear_work.h"
#include "cc/trace/process/pattern.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace thaw {
namespace {

std::unique_ptr<const re2::RE2> Compiled(std::string_view pattern) {
  auto compiled = CompilePattern(pattern);
  EXPECT_TRUE(compiled.ok());
  return *std::move(compiled);
}

TEST(ReplaceAll, MakesWhatGlobalReplaceMakes) {
  const char* const patterns[] = {"a",    "a*",  "",   "^",      "$",    "(a)(b)?", "b|",
                                  ".",    "\\b", "é*", "x?é?",   "a+b+", "(?s).*",  "[^a]",
                                  "\\pL", "\\C", "^a", "(a|ab)", "b$",   "()",      "a{2}"};
  const char* const texts[] = {
      "", "a", "aab", "bbb", "é", "aéb é", "ab ab", "zé\nab", "\xf0\x9f\x98\x80x", "  a  ", "aaaa", "b"};
  const char* const rewrites[] = {"", "x", "<\\0>", "\\\\", "é\\0\\0", "\\\\\\0"};
  for (const char* pattern : patterns) {
    const auto compiled = Compiled(pattern);
    for (const char* text : texts) {
      for (const char* rewrite : rewrites) {
        std::string expected = text;
        const bool replaced = re2::RE2::GlobalReplace(&expected, *compiled, rewrite) > 0;
        ReplaceLimits limits;
        std::string out = "before";
        const ReplaceOutcome outcome = ReplaceAll(text, *compiled, rewrite, limits, out);
        EXPECT_EQ(outcome, replaced ? ReplaceOutcome::kReplaced : ReplaceOutcome::kUnchanged);
        EXPECT_EQ(replaced ? out : text, expected) << pattern << " in " << text << " by " << rewrite;
      }
    }
  }
}

TEST(ReplaceAll, GroupsStandInTheResult) {
  ReplaceLimits limits;
  std::string out;
  EXPECT_EQ(ReplaceAll("k=1, l=2", *Compiled("(\\w)=(\\d)"), "\\2:\\1", limits, out),
            ReplaceOutcome::kReplaced);
  EXPECT_EQ(out, "1:k, 2:l");
}

TEST(ReplaceAll, AResultIsNoLongerThanItsLimit) {
  ReplaceLimits limits{.most_bytes = 1'000};
  std::string out;
  EXPECT_EQ(ReplaceAll("x" + std::string(10'000, '1'), *Compiled("\\d"), "[hidden]", limits, out),
            ReplaceOutcome::kCutShort);
  EXPECT_LE(out.size(), 1'000u);
  EXPECT_GT(out.size(), 900u);
  EXPECT_EQ(out.find('1'), std::string::npos) << "nothing that was to be replaced is in it";
}

TEST(ReplaceAll, MemoryIsChargedBeforeItIsUsed) {
  FakeByteAccount account(1 << 20);
  ByteCharge charge(&account);
  ReplaceLimits limits{.charge = &charge};
  std::string out;
  EXPECT_EQ(ReplaceAll(std::string(100'000, '1'), *Compiled("\\d"), std::string(1'000, 'x'), limits, out),
            ReplaceOutcome::kCutShort);
  EXPECT_LE(out.capacity(), size_t{1} << 20);
  EXPECT_GE(charge.bytes(), out.size());
}

TEST(ReplaceAll, WorkEndsWhereItsLimitIs) {
  ReplaceLimits limits{.work = 10'000};
  std::string out;
  // The text is too short for a look at the processor's time.
  EXPECT_EQ(ReplaceAll(std::string(700, '1'), *Compiled("\\d"), "x", limits, out), ReplaceOutcome::kCutShort);
  EXPECT_LT(out.size(), 200u);
  EXPECT_GT(out.size(), 100u);
  EXPECT_LT(limits.work, 0);
}

// For each character RE2 looks for the end of the run, so that the time is the square of the length.
TEST(ReplaceAll, TimeThatMatchesDoNotShowCountsAsWork) {
  constexpr int64_t kWork = 2'000'000;  // about 5 ms
  const auto pattern = Compiled("x+y|x");
  const std::string text(200'000, 'x');
  int64_t least = 1'000'000'000;
  for (int i = 0; i < 3; ++i) {
    ReplaceLimits limits{.work = kWork};
    std::string out;
    const int64_t before = ThreadCpuMicroseconds();
    EXPECT_EQ(ReplaceAll(text, *pattern, "", limits, out), ReplaceOutcome::kCutShort);
    least = std::min(least, ThreadCpuMicroseconds() - before);
  }
  EXPECT_LT(least, 50'000);
}

}  // namespace
}  // namespace thaw
