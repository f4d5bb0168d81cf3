#include "cc/metrics/histogram_values.h"

#include <limits>

#include "gtest/gtest.h"

namespace thaw {
namespace {

using Aggregate = HistogramAggregate;

TEST(HistogramValues, FewValuesHaveExactPercentiles) {
  HistogramValues values;
  for (const double value : {10.0, 20.0}) values.Add(value);
  EXPECT_EQ(values.Aggregate(Aggregate::kMedian), 10);
  EXPECT_EQ(values.Percentile(95), 20);
  EXPECT_EQ(values.Aggregate(Aggregate::kAverage), 15);
  EXPECT_EQ(values.Aggregate(Aggregate::kMin), 10);
  EXPECT_EQ(values.Aggregate(Aggregate::kMax), 20);
  EXPECT_EQ(values.Aggregate(Aggregate::kSum), 30);
  EXPECT_EQ(values.Aggregate(Aggregate::kCount), 2);
}

TEST(HistogramValues, ManyValuesHavePercentilesWithinOneOf128) {
  HistogramValues values;
  for (int i = 1; i <= 10'000; ++i) values.Add(i);
  for (const int percent : {1, 50, 95, 99, 100})
    EXPECT_NEAR(values.Percentile(percent), percent * 100, percent * 100 / 128.0 + 1);
  EXPECT_EQ(values.Aggregate(Aggregate::kMax), 10'000);
  EXPECT_EQ(values.Aggregate(Aggregate::kAverage), 5000.5);
  EXPECT_EQ(values.count(), 10'000);
  EXPECT_LT(values.memory(), 10'000u);
}

TEST(HistogramValues, AValueCountsAsOftenAsItsWeightSays) {
  HistogramValues values;
  values.Add(1, 99);
  values.Add(100, 1);
  EXPECT_EQ(values.Percentile(99), 1);
  EXPECT_EQ(values.Percentile(100), 100);
  EXPECT_EQ(values.count(), 100);
  EXPECT_EQ(values.Aggregate(Aggregate::kSum), 199);
}

TEST(HistogramValues, WithoutRoomMemoryStaysAndSumsAreRight) {
  HistogramValues values;
  values.Add(1);
  const size_t before = values.memory();
  for (int i = 0; i < 10'000; ++i) values.Add(i, 1, /*may_grow=*/false);
  EXPECT_LE(values.memory(), before + 2048);
  EXPECT_EQ(values.count(), 10'001);
  EXPECT_EQ(values.Aggregate(Aggregate::kMax), 9999);
}

TEST(HistogramValues, AggregatesOfTheLargestNumbersAreFinite) {
  HistogramValues values;
  for (int i = 0; i < 3; ++i) values.Add(std::numeric_limits<double>::max(), 10);
  EXPECT_EQ(values.Aggregate(Aggregate::kSum), std::numeric_limits<double>::max());
  EXPECT_LE(values.Aggregate(Aggregate::kAverage), std::numeric_limits<double>::max());
}

}  // namespace
}  // namespace thaw
