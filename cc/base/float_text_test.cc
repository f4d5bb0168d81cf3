#include "cc/base/float_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace thaw {
namespace {

template <typename Float>
std::string ByTheLibrary(Float number) {
  char digits[64];
  return std::string(digits, std::to_chars(digits, std::end(digits), number).ptr);
}

template <typename Float>
void ExpectTheLibrarys(Float number) {
  EXPECT_EQ(FloatText(number), ByTheLibrary(number));
}

template <typename Float, typename Bits>
Float OfBits(Bits bits) {
  Float number;
  static_assert(sizeof(number) == sizeof(bits));
  std::memcpy(&number, &bits, sizeof(number));
  return number;
}

TEST(FloatTextTest, Examples) {
  EXPECT_EQ(FloatText(1.5), "1.5");
  EXPECT_EQ(FloatText(-0.1), "-0.1");
  EXPECT_EQ(FloatText(0.1f), "0.1");
  EXPECT_EQ(FloatText(0.0), "0");
  EXPECT_EQ(FloatText(-0.0), "-0");
  EXPECT_EQ(FloatText(100.0), "100");
  EXPECT_EQ(FloatText(1e100), "1e+100");
  EXPECT_EQ(FloatText(1e-10), "1e-10");
  EXPECT_EQ(FloatText(5e-324), "5e-324");
  EXPECT_EQ(FloatText(1.25e-5), "1.25e-05");
  EXPECT_EQ(FloatText(0.3), "0.3");
  EXPECT_EQ(FloatText(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(FloatText(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
}

TEST(FloatTextTest, NumbersThatAreNone) {
  EXPECT_EQ(FloatText(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(FloatText(-std::numeric_limits<float>::infinity()), "-inf");
  EXPECT_EQ(FloatText(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(FloatText(-std::numeric_limits<double>::quiet_NaN()), "-nan");
}

TEST(FloatTextTest, PowersOfTwoWhoseNeighboursAreNotEquallyFar) {
  for (int exponent = -1074; exponent < 1024; ++exponent) ExpectTheLibrarys(std::ldexp(1.0, exponent));
  for (int exponent = -149; exponent < 128; ++exponent) ExpectTheLibrarys(std::ldexp(1.0f, exponent));
}

TEST(FloatTextTest, AnyNumber) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bits = random();
    const double any = OfBits<double>(bits);
    if (!std::isnan(any)) ExpectTheLibrarys(any);
    const float narrow = OfBits<float>(static_cast<uint32_t>(bits));
    if (!std::isnan(narrow)) ExpectTheLibrarys(narrow);
    // Integers of any size, and numbers of few digits.
    ExpectTheLibrarys(static_cast<double>(bits >> (i % 64)));
    ExpectTheLibrarys(static_cast<float>(bits >> (i % 64)));
    ExpectTheLibrarys(static_cast<double>(static_cast<int64_t>(bits % 2'000'000) - 1'000'000) / 1000);
    // Numbers without a normal exponent.
    ExpectTheLibrarys(OfBits<double>(bits >> (12 + i % 52)));
  }
}

}  // namespace
}  // namespace thaw
