#include "cc/base/split_to_fit.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Halves(const std::string& body) {
  if (body.size() < 2 || body[0] == '!') return {};
  return {body.substr(0, body.size() / 2), body.substr(body.size() / 2)};
}

TEST(CutToFit, PartsFitAndComeInOrder) {
  EXPECT_THAT(*CutToFit("abcdefgh", 3, Halves), ElementsAre("ab", "cd", "ef", "gh"));
  EXPECT_THAT(*CutToFit("abc", 3, Halves), ElementsAre("abc"));
}

TEST(CutToFit, ABodyThatCanNotBeSplitStaysLarge) {
  EXPECT_THAT(*CutToFit("!bcdefgh", 3, Halves), ElementsAre("!bcdefgh"));
}

TEST(FitCutter, AStepIsOneCutOrOnePart) {
  FitCutter cutter("abcd");
  std::vector<std::string> steps;
  while (!cutter.done()) steps.push_back(cutter.Step(1, Halves)->value_or("cut"));
  EXPECT_THAT(steps, ElementsAre("cut", "cut", "a", "b", "cut", "c", "d"));
}

}  // namespace
}  // namespace thaw
