#include "cc/sketch/agent_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/base/protobuf_reader.h"
#include "cc/base/seeded_random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::ElementsAre;

using Bin = AgentSketch::Bin;

AgentSketch Of(const std::vector<double>& values) {
  AgentSketch sketch;
  for (const double value : values) sketch.Insert(value);
  return sketch;
}

TEST(AgentSketch, KeysAreThoseOfTheAgent) {
  const std::pair<double, int32_t> vectors[] = {
      {0, 0},      {1e-9, 1},   {0.001, 892}, {0.5, 1293},   {1, 1338},   {2, 1383},
      {3.5, 1419}, {10, 1487},  {42, 1579},   {100, 1635},   {128, 1651}, {1000, 1784},
      {1e6, 2229}, {1e9, 2675}, {-1, -1338},  {-7.5, -1468},
  };
  for (const auto& [value, key] : vectors) EXPECT_EQ(AgentSketch::KeyOf(value), key) << value;
  EXPECT_EQ(AgentSketch::KeyOf(9.94e-10), 0);
  EXPECT_EQ(AgentSketch::KeyOf(-9.94e-10), 0);
  EXPECT_EQ(AgentSketch::KeyOf(9.942e-10), 1);
  EXPECT_EQ(AgentSketch::KeyOf(std::numeric_limits<double>::denorm_min()), 0);
}

TEST(AgentSketch, EachKeyIsThatOfItsValue) {
  // The highest finite double has a key far below the highest.
  const int32_t highest = AgentSketch::KeyOf(std::numeric_limits<double>::max());
  for (int32_t key = 1; key < highest; ++key) {
    ASSERT_EQ(AgentSketch::KeyOf(AgentSketch::ValueOf(key)), key);
    ASSERT_EQ(AgentSketch::KeyOf(AgentSketch::ValueOf(-key)), -key);
  }
  EXPECT_EQ(AgentSketch::ValueOf(0), 0);
  EXPECT_EQ(AgentSketch::ValueOf(AgentSketch::kMaxKey), std::numeric_limits<double>::infinity());
  EXPECT_EQ(AgentSketch::ValueOf(-AgentSketch::kMaxKey), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(AgentSketch::KeyOf(std::numeric_limits<double>::infinity()), AgentSketch::kMaxKey);
}

TEST(AgentSketch, QuantilesAreWithinOneOf128OfTheExactOnes) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    std::vector<double> values;
    const size_t count = 1 + random.Below(3000);
    for (size_t i = 0; i < count; ++i) {
      const double magnitude = std::exp((random.Fraction() - 0.4) * 30);
      values.push_back(random.Chance(0.2) ? -magnitude : magnitude);
    }
    const AgentSketch sketch = Of(values);
    double sum = 0;
    for (const double value : values) sum += value;
    std::sort(values.begin(), values.end());
    EXPECT_EQ(sketch.count(), static_cast<int64_t>(count));
    EXPECT_EQ(sketch.min(), values.front());
    EXPECT_EQ(sketch.max(), values.back());
    EXPECT_NEAR(sketch.sum(), sum, std::abs(sum) * 1e-12);
    const double magnitude = std::max(std::abs(values.front()), std::abs(values.back()));
    EXPECT_NEAR(sketch.average(), sum / count, magnitude * 1e-12);
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0}) {
      const double exact = values[static_cast<size_t>(q * (count - 1))];
      EXPECT_NEAR(sketch.Quantile(q), exact, std::abs(exact) / 128) << "seed " << seed << ", q " << q;
    }
  }
}

TEST(AgentSketch, TheOrderOfMergesDoesNotMatter) {
  SeededRandom random(7);
  for (int round = 0; round < 50; ++round) {
    AgentSketch parts[3];
    AgentSketch all;
    for (int i = 0; i < 4000; ++i) {
      // Far more keys than are kept apart.
      const double value = std::exp((random.Fraction() - 0.02) * 700) * (random.Chance(0.5) ? 1 : -1);
      const double weight = static_cast<double>(1 + random.Below(5));
      parts[random.Below(3)].Insert(value, weight);
      all.Insert(value, weight);
    }
    AgentSketch left = parts[0];
    left.Merge(parts[1]);
    left.Merge(parts[2]);
    AgentSketch right = parts[1];
    right.Merge(parts[2]);
    AgentSketch outer = parts[0];
    outer.Merge(right);
    ASSERT_EQ(left.bins(), outer.bins());
    ASSERT_EQ(left.bins(), all.bins());
    ASSERT_EQ(left.count(), all.count());
    ASSERT_EQ(left.min(), all.min());
    ASSERT_EQ(left.max(), all.max());
  }
}

TEST(AgentSketch, MergingWithAnEmptyOneChangesNothing) {
  AgentSketch sketch = Of({1, 2, -3});
  const std::vector<Bin> bins = sketch.bins();
  sketch.Merge(AgentSketch());
  EXPECT_EQ(sketch.bins(), bins);
  AgentSketch empty;
  empty.Merge(sketch);
  EXPECT_EQ(empty.bins(), bins);
  EXPECT_EQ(empty.min(), -3);
  EXPECT_EQ(empty.max(), 2);
  EXPECT_EQ(AgentSketch().Quantile(0.5), 0);
}

TEST(AgentSketch, MergingWithItselfCountsEverythingTwice) {
  AgentSketch sketch = Of({1, 2, 2});
  sketch.Merge(sketch);
  EXPECT_THAT(sketch.bins(), ElementsAre(Bin{1338, 2}, Bin{1383, 4}));
  EXPECT_EQ(sketch.count(), 6);
  EXPECT_DOUBLE_EQ(sketch.sum(), 10);
  EXPECT_DOUBLE_EQ(sketch.average(), 10.0 / 6);
}

TEST(AgentSketch, TheHighestKeysAreKeptApart) {
  AgentSketch sketch;
  for (int32_t key = 1; key <= 5000; ++key) sketch.Insert(AgentSketch::ValueOf(key));
  sketch.Insert(-5);
  ASSERT_EQ(sketch.bins().size(), AgentSketch::kMaxBins);
  EXPECT_EQ(sketch.bins().front(), (Bin{5000 - 4096 + 1, 906}));
  EXPECT_EQ(sketch.bins().back(), (Bin{5000, 1}));
  EXPECT_EQ(sketch.count(), 5001);
  EXPECT_EQ(sketch.min(), -5);
}

TEST(AgentSketch, WithoutRoomMemoryStaysAndSumsAreRight) {
  AgentSketch sketch;
  sketch.Insert(1, 1, /*may_grow=*/false);  // the first bin is always made
  const size_t memory = sketch.memory();
  for (int i = 2; i <= 1000; ++i) sketch.Insert(i, 1, /*may_grow=*/false);
  sketch.Insert(-1000, 1, /*may_grow=*/false);
  EXPECT_EQ(sketch.memory(), memory);
  EXPECT_EQ(sketch.count(), 1001);
  EXPECT_EQ(sketch.min(), -1000);
  EXPECT_EQ(sketch.max(), 1000);
  EXPECT_NEAR(sketch.sum(), 499'500, 1e-6);
}

TEST(AgentSketch, WeightsAreRoundedSoThatTheyAddUp) {
  AgentSketch sketch;
  for (int i = 0; i < 300; ++i) sketch.Insert(10, 1 / 0.3);
  EXPECT_NEAR(static_cast<double>(sketch.count()), 1000, 1);
  EXPECT_NEAR(sketch.sum(), 10'000, 10);
  EXPECT_DOUBLE_EQ(sketch.average(), 10);
}

TEST(AgentSketch, SumsOfFiniteNumbersAreFinite) {
  const double most = std::numeric_limits<double>::max();
  AgentSketch sketch = Of({most, most, most});
  EXPECT_EQ(sketch.sum(), most);
  EXPECT_TRUE(std::isfinite(sketch.average()));
  sketch.Merge(Of({-most, -most}));
  EXPECT_TRUE(std::isfinite(sketch.average()));
  EXPECT_TRUE(std::isfinite(sketch.sum()));
}

TEST(AgentSketch, TheAverageOfLargeNumbersOfBothSignsIsFinite) {
  const double most = std::numeric_limits<double>::max();
  AgentSketch inserted = Of({most});
  inserted.Insert(-most, 8);
  EXPECT_NEAR(inserted.average() / most, -7.0 / 9, 1e-9);
  AgentSketch merged = Of({most});
  AgentSketch other;
  other.Insert(-most, 8);
  merged.Merge(other);
  EXPECT_NEAR(merged.average() / most, -7.0 / 9, 1e-9);
}

// The content of a Dogsketch, read without the code that wrote it.
struct Read {
  int64_t count = 0;
  double min = 0, max = 0, average = 0, sum = 0;
  std::vector<int32_t> keys;
  std::vector<uint32_t> counts;
};

std::vector<uint64_t> Varints(std::string_view packed) {
  std::vector<uint64_t> values;
  uint64_t value = 0;
  int shift = 0;
  for (const char c : packed) {
    value |= static_cast<uint64_t>(c & 0x7F) << shift;
    shift += 7;
    if ((c & 0x80) != 0) continue;
    values.push_back(std::exchange(value, 0));
    shift = 0;
  }
  return values;
}

Read Decoded(const AgentSketch& sketch) {
  ProtobufWriter writer;
  sketch.Encode(writer);
  Read read;
  ProtobufReader reader(writer.bytes());
  while (reader.Next()) {
    const double number = std::bit_cast<double>(reader.value());
    if (reader.field() == 2) read.count = static_cast<int64_t>(reader.value());
    if (reader.field() == 3) read.min = number;
    if (reader.field() == 4) read.max = number;
    if (reader.field() == 5) read.average = number;
    if (reader.field() == 6) read.sum = number;
    if (reader.field() == 7)
      for (const uint64_t key : Varints(reader.bytes()))
        read.keys.push_back(static_cast<int32_t>(key >> 1) ^ -static_cast<int32_t>(key & 1));
    if (reader.field() == 8)
      for (const uint64_t count : Varints(reader.bytes()))
        read.counts.push_back(static_cast<uint32_t>(count));
  }
  EXPECT_TRUE(reader.ok());
  return read;
}

TEST(AgentSketch, ItsBytesAreThoseOfTheSchema) {
  const Read read = Decoded(Of({3.5, -1, 0, 1, 1}));
  EXPECT_EQ(read.count, 5);
  EXPECT_EQ(read.min, -1);
  EXPECT_EQ(read.max, 3.5);
  EXPECT_DOUBLE_EQ(read.average, 0.9);
  EXPECT_DOUBLE_EQ(read.sum, 4.5);
  EXPECT_THAT(read.keys, ElementsAre(-1338, 0, 1338, 1419));
  EXPECT_THAT(read.counts, ElementsAre(1, 1, 2, 1));
}

TEST(AgentSketch, AKeyWithMoreThan65535ValuesHasSeveralBins) {
  AgentSketch sketch;
  for (int i = 0; i < 65'536; ++i) sketch.Insert(1);
  sketch.Insert(2, 200'000);
  const Read read = Decoded(sketch);
  EXPECT_EQ(read.count, 265'536);
  EXPECT_THAT(read.keys, ElementsAre(1338, 1338, 1383, 1383, 1383, 1383));
  EXPECT_THAT(read.counts, ElementsAre(65'535, 1, 65'535, 65'535, 65'535, 3395));
}

TEST(AgentSketch, HugeWeightsDoNotMakeMoreBinsThanASketchMayHave) {
  AgentSketch sketch;
  for (int i = 0; i < 100; ++i) sketch.Insert(1, 1e9);
  const Read read = Decoded(sketch);
  EXPECT_THAT(read.keys, ElementsAre(1338));
  EXPECT_THAT(read.counts, ElementsAre(std::numeric_limits<uint32_t>::max()));
  EXPECT_EQ(read.count, std::numeric_limits<uint32_t>::max());
  EXPECT_EQ(sketch.count(), read.count);
}

}  // namespace
}  // namespace thaw
