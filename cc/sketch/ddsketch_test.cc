#include "cc/sketch/ddsketch.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/seeded_random.h"
#include "cc/sketch/ddsketch_reading.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using Bins = std::map<int32_t, double>;

std::string Encoded(const DDSketch& sketch) { return std::string(DDSketchReading::Encoded(sketch).bytes()); }

DDSketch Of(const std::vector<double>& values) {
  DDSketch sketch;
  for (const double value : values) EXPECT_TRUE(sketch.Insert(value));
  return sketch;
}

// Returns a value just above the lowest of a bin.
double In(int32_t index) { return std::exp((index + 0.01 - DDSketch::kIndexOffset) * std::log(1.015625)); }

// gamma 1.015625, indexOffset 1338.5
const std::string kMapping("\x0A\x12\x09\x00\x00\x00\x00\x00\x40\xF0\x3F\x11\x00\x00\x00\x00\x00\xEA\x94\x40",
                           20);

TEST(DDSketch, ItsBytesAreThoseOfTheSchema) {
  // Each sign has an empty store.
  EXPECT_EQ(Encoded(DDSketch()), kMapping + std::string("\x12\x00\x1A\x00", 4));
  // contiguousBinCounts {2, 0, 1} from bin 1338, whose zigzag is 2676; zeroCount 1.
  const std::string bins(
      "\x12\x1D\x12\x18"
      "\0\0\0\0\0\0\x00\x40"
      "\0\0\0\0\0\0\0\0"
      "\0\0\0\0\0\0\xF0\x3F"
      "\x18\xF4\x14"
      "\x1A\x00"
      "\x21\0\0\0\0\0\0\xF0\x3F",
      4 + 24 + 3 + 2 + 9);
  EXPECT_EQ(Encoded(Of({1, In(1340), 0, 1})), kMapping + bins);
}

// The values were worked out to 40 digits.
TEST(DDSketch, AValueHasTheBinThatTheIntakeKnowsItBy) {
  for (const auto& [value, index] : std::vector<std::pair<double, int32_t>>{{1e-30, -3117},
                                                                            {1e-9, 1},
                                                                            {0.5, 1293},
                                                                            {1, 1338},
                                                                            {2, 1383},
                                                                            {1000, 1784},
                                                                            {1e6, 2229},
                                                                            {12'345'678, 2391},
                                                                            {1e9, 2675},
                                                                            {9e11, 3113}}) {
    EXPECT_EQ(DDSketchReading(Of({value})).bins, (Bins{{index, 1}})) << value;
  }
}

TEST(DDSketch, TinyAndInvalidDurationsCountAsZero) {
  const DDSketchReading reading(
      Of({0, -0.0, -5, 1e-310, std::numeric_limits<double>::min(), std::nan(""), -HUGE_VAL}));
  EXPECT_EQ(reading.zero_count, 7);
  EXPECT_TRUE(reading.bins.empty());
}

TEST(DDSketch, EndlessIsTheLargestNumber) {
  EXPECT_EQ(DDSketchReading(Of({HUGE_VAL})).bins, DDSketchReading(Of({1.79e308})).bins);
}

TEST(DDSketch, QuantilesAreRightToWithinTheAccuracy) {
  constexpr double kAccuracy = (DDSketch::kGamma - 1) / (DDSketch::kGamma + 1);
  SeededRandom random(5);
  for (const double decades : {0.1, 1.0, 4.0, 9.0}) {
    std::vector<double> values;
    for (int i = 0; i < 5000; ++i) values.push_back(1000 * std::pow(10, decades * random.Fraction()));
    const DDSketchReading reading(Of(values));
    EXPECT_EQ(reading.count(), values.size());
    std::sort(values.begin(), values.end());
    for (const int rank : {0, 50, 500, 2500, 4500, 4950, 4999})
      EXPECT_NEAR(reading.At(rank) / values[rank], 1, kAccuracy + 1e-9) << decades << " " << rank;
  }
}

TEST(DDSketch, LowBinsCollapseAndHighOnesStay) {
  // In any order, 2048 bins are kept below the highest.
  std::vector<int32_t> order = {100, 1000, 101, 3000, 2000, 953, 952};
  std::sort(order.begin(), order.end());
  do {
    std::vector<double> values;
    for (const int32_t index : order) values.push_back(In(index));
    const DDSketchReading reading(Of(values));
    ASSERT_EQ(reading.bins, (Bins{{953, 4}, {1000, 1}, {2000, 1}, {3000, 1}}));
    ASSERT_EQ(reading.width, 2048);
  } while (std::next_permutation(order.begin(), order.end()));
}

// Compares with a map.
TEST(DDSketch, ItCountsAsAMapWould) {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    DDSketch sketch;
    Bins bins;
    const auto centre = static_cast<int32_t>(random.Below(80'000)) - 40'000;
    const uint64_t spread = 1 + random.Below(round % 2 == 0 ? 100 : 5000);
    for (int i = 0; i < 300; ++i) {
      const int32_t index = centre + static_cast<int32_t>(random.Below(spread));
      EXPECT_TRUE(sketch.Insert(In(index)));
      ++bins[index];
    }
    const int32_t least = bins.rbegin()->first - 2047;
    while (bins.begin()->first < least) {
      bins[least] += bins.begin()->second;
      bins.erase(bins.begin());
    }
    ASSERT_EQ(DDSketchReading(sketch).bins, bins);
    EXPECT_LE(sketch.memory(), 2048 * sizeof(uint32_t));
  }
}

TEST(DDSketch, MergedItIsAsIfAllHadBeenInsertedInOne) {
  SeededRandom random(9);
  for (int round = 0; round < 100; ++round) {
    DDSketch first, second, all;
    for (int i = 0; i < 200; ++i) {
      const double value = random.Chance(0.05) ? 0 : In(static_cast<int32_t>(random.Below(1 + 60 * round)));
      (i % 3 == 0 ? first : second).Insert(value);
      all.Insert(value);
    }
    first.Merge(second);
    first.Merge(DDSketch());
    ASSERT_EQ(Encoded(first), Encoded(all));
  }
}

TEST(DDSketch, MergedCountsStayFull) {
  DDSketch sketch = Of({1});
  for (int i = 0; i < 40; ++i) sketch.Merge(DDSketch(sketch));
  EXPECT_EQ(DDSketchReading(sketch).bins.at(1338), std::numeric_limits<uint32_t>::max());
}

TEST(DDSketch, ValuesWithoutRoomAreNotCounted) {
  DDSketch sketch;
  EXPECT_FALSE(sketch.Insert(1, DDSketch::kFirstMemory - 1));
  EXPECT_TRUE(sketch.Insert(1, DDSketch::kFirstMemory));
  EXPECT_EQ(sketch.memory(), DDSketch::kFirstMemory);
  const std::string before = Encoded(sketch);
  EXPECT_FALSE(sketch.Insert(1e9, 100));
  EXPECT_EQ(Encoded(sketch), before);
  // An insertion that takes no memory needs no room.
  EXPECT_TRUE(sketch.Insert(1, 0));
  EXPECT_TRUE(sketch.Insert(0, 0));
  EXPECT_EQ(DDSketchReading(sketch).count(), 3);
}

}  // namespace
}  // namespace thaw
