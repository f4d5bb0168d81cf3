#include "cc/sim/choices.h"

#include <vector>

#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(Choices, RandomOnesCanBeRecordedAndTakenAgain) {
  RandomChoices random(7);
  std::vector<size_t> ways;
  for (int i = 0; i < 100; ++i) ways.push_back(random.Choose(ChoiceKind::kClose, 5));
  RecordedChoices again(random.taken());
  for (const size_t way : ways) EXPECT_EQ(again.Choose(ChoiceKind::kClose, 5), way);
  EXPECT_EQ(again.made().size(), 100);
}

TEST(Choices, AListThatIsTooShortEndsInFirstWays) {
  RecordedChoices choices({2, 0, 1, 0});
  EXPECT_EQ(choices.Choose(ChoiceKind::kLength, 3), 2);
  EXPECT_EQ(choices.Choose(ChoiceKind::kLength, 3), 0);
  EXPECT_EQ(choices.Choose(ChoiceKind::kLength, 3), 1);
  EXPECT_EQ(choices.Choose(ChoiceKind::kLength, 3), 0);
  EXPECT_EQ(choices.Choose(ChoiceKind::kLength, 3), 0);
  EXPECT_EQ(choices.taken(), (std::vector<uint32_t>{2, 0, 1}));
}

TEST(Choices, ANumberThatIsTooLargeIsTheLastWay) {
  RecordedChoices choices({9});
  EXPECT_EQ(choices.Choose(ChoiceKind::kClose, 3), 2);
}

TEST(Choices, OneWayIsNoChoice) {
  RecordedChoices choices({5});
  EXPECT_EQ(choices.Choose(ChoiceKind::kClose, 1), 0);
  EXPECT_TRUE(choices.made().empty());
}

TEST(Choices, FreezesAreRareInRandomHistories) {
  RandomChoices random(1);
  int freezes = 0;
  for (int i = 0; i < 10'000; ++i) freezes += random.Choose(ChoiceKind::kFreeze, 2) > 0;
  EXPECT_GT(freezes, 200);
  EXPECT_LT(freezes, 800);
}

}  // namespace
}  // namespace thaw
