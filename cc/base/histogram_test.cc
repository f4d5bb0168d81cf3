#include "cc/base/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "cc/base/seeded_random.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Returns the value of that rank among all values.
absl::Duration Exact(std::vector<absl::Duration> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[std::max<size_t>(rank, 1) - 1];
}

// Draws from 1 us to 1 h, evenly over the orders of magnitude.
std::vector<absl::Duration> Draw(SeededRandom& random, int count) {
  std::vector<absl::Duration> values;
  for (int i = 0; i < count; ++i)
    values.push_back(absl::Microseconds(std::exp(random.Fraction() * std::log(3.6e9))));
  return values;
}

TEST(HistogramTest, QuantilesAreWithinASixteenthOfTheExactOnes) {
  SeededRandom random(7);
  for (int round = 0; round < 50; ++round) {
    const std::vector<absl::Duration> values = Draw(random, 1 + 20 * round);
    Histogram histogram;
    absl::Duration sum;
    for (const absl::Duration value : values) {
      histogram.Record(value);
      sum += value;
    }
    EXPECT_EQ(histogram.count(), static_cast<int64_t>(values.size()));
    EXPECT_EQ(histogram.sum(), sum);
    EXPECT_EQ(histogram.max(), *std::max_element(values.begin(), values.end()));
    EXPECT_EQ(histogram.last(), values.back());
    for (const double q : {0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
      const absl::Duration exact = Exact(values, q);
      EXPECT_LE(absl::AbsDuration(histogram.Quantile(q) - exact), exact / 15.9)
          << q << " of " << values.size();
    }
  }
}

TEST(HistogramTest, EachPowerOfTwoAndItsNeighboursAreWithinTheError) {
  for (int64_t power = 1024; power <= 3'600'000'000'000; power *= 2) {
    for (const int64_t value : {power - 1, power, power + 1, power + power / 8 - 1, power + power / 8}) {
      Histogram histogram;
      histogram.Record(absl::Nanoseconds(value));
      histogram.Record(absl::Hours(1));  // else the maximum bounds the answer
      EXPECT_NEAR(absl::ToDoubleNanoseconds(histogram.Quantile(0.5)), static_cast<double>(value),
                  static_cast<double>(value) / 15.9);
    }
  }
}

TEST(HistogramTest, MergingIsRecordingAll) {
  SeededRandom random(8);
  Histogram all, merged;
  for (int part = 0; part < 5; ++part) {
    Histogram one;
    for (const absl::Duration value : Draw(random, part * 100)) {
      all.Record(value);
      one.Record(value);
    }
    merged.Merge(one);
    merged.Merge(Histogram());
  }
  EXPECT_EQ(merged.state().buckets, all.state().buckets);
  EXPECT_EQ(merged.count(), all.count());
  EXPECT_EQ(merged.sum(), all.sum());
  EXPECT_EQ(merged.max(), all.max());
  EXPECT_EQ(merged.last(), all.last());
  const Histogram copy = Histogram::FromState(all.state());
  EXPECT_EQ(copy.count(), all.count());
  EXPECT_EQ(copy.Quantile(0.9), all.Quantile(0.9));
  EXPECT_EQ(copy.last(), all.last());
}

TEST(HistogramTest, ValuesOutsideTheBucketsAreCounted) {
  Histogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), absl::ZeroDuration());
  histogram.Record(absl::ZeroDuration());
  histogram.Record(absl::Seconds(-1));
  EXPECT_EQ(histogram.Quantile(0.99), absl::ZeroDuration());
  histogram.Record(absl::Hours(20));
  histogram.Record(absl::InfiniteDuration());
  EXPECT_EQ(histogram.count(), 4);
  EXPECT_EQ(histogram.max(), absl::InfiniteDuration());
  EXPECT_LE(histogram.Quantile(0.5), absl::Microseconds(1.1));
  EXPECT_GE(histogram.Quantile(1), absl::Hours(1));
}

struct KitchenTimes {
#define THAW_KITCHEN_HISTOGRAMS(X) X(baking_time, "time in the oven") X(mixing_time, "time in the bowl")
  THAW_DECLARE_HISTOGRAMS(THAW_KITCHEN_HISTOGRAMS)
};

TEST(HistogramTest, DeclaredOnesAreVisitedInOrder) {
  KitchenTimes times;
  times.mixing_time.Record(absl::Seconds(3));
  std::string visited;
  times.VisitHistograms([&visited](std::string_view name, const Histogram& histogram, std::string_view text) {
    visited.append(name).append(1, ' ').append(text).append(std::to_string(histogram.count())).append("; ");
  });
  EXPECT_EQ(visited, "baking_time time in the oven0; mixing_time time in the bowl1; ");
  static_assert(sizeof(Histogram) <= 1100);
}

TEST(HistogramTest, VisitSincePassesValuesRecordedAfterAnEarlierCopy) {
  Histogram times;
  times.Record(absl::Milliseconds(5));
  const Histogram earlier = times;
  std::vector<std::pair<absl::Duration, int64_t>> seen;
  const auto note = [&seen](absl::Duration value, int64_t count) { seen.emplace_back(value, count); };
  times.VisitSince(earlier, note);
  EXPECT_TRUE(seen.empty());

  times.Record(absl::Microseconds(12345));
  times.VisitSince(earlier, note);
  ASSERT_EQ(seen.size(), 1);
  EXPECT_EQ(seen[0].first, absl::Microseconds(12345));
  EXPECT_EQ(seen[0].second, 1);

  seen.clear();
  times.Record(absl::Microseconds(12346));
  times.Record(absl::Seconds(1));
  times.VisitSince(earlier, note);
  ASSERT_EQ(seen.size(), 2);
  EXPECT_NEAR(absl::ToDoubleSeconds(seen[0].first), 0.0123, 0.0123 / 16);
  EXPECT_EQ(seen[0].second, 2);
  EXPECT_NEAR(absl::ToDoubleSeconds(seen[1].first), 1, 1.0 / 16);
}

}  // namespace
}  // namespace thaw
