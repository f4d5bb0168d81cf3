#include "cc/metrics/decimal_number.h"

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(ParseDecimal, AcceptsDecimalNumbersOfAnyForm) {
  EXPECT_EQ(ParseDecimal("12"), 12);
  EXPECT_EQ(ParseDecimal("-0.5"), -0.5);
  EXPECT_EQ(ParseDecimal("+3"), 3);
  EXPECT_EQ(ParseDecimal(".5"), 0.5);
  EXPECT_EQ(ParseDecimal("5."), 5);
  EXPECT_EQ(ParseDecimal("1e-3"), 0.001);
  EXPECT_EQ(ParseDecimal("-2E3"), -2000);
  EXPECT_EQ(ParseDecimal("0.1"), 0.1);
  EXPECT_EQ(ParseDecimal("123456789012345.5"), 123456789012345.5);
  EXPECT_EQ(ParseDecimal("1797693134862315708145274237317043567980705675258449965989174768031572607800285"),
            1797693134862315708145274237317043567980705675258449965989174768031572607800285.0);
}

TEST(ParseDecimal, ANumberTooSmallForADoubleIsZeroOrNearlySo) {
  EXPECT_LT(ParseDecimal("1e-400"), 1e-300);
  EXPECT_GE(ParseDecimal("1e-400"), 0);
}

TEST(ParseDecimal, RefusesWhatIsNoFiniteDecimalNumber) {
  for (const std::string_view text : {"",    "-",    "+",        ".",     "--1",   "+-1", "nan",   "NaN",
                                      "inf", "-inf", "Infinity", "0x10",  "0x1p3", "1e",  "1e999", "-1e999",
                                      "1 ",  " 1",   "1,5",      "1_000", "1.2.3", "1:2", "one",   "\xff"}) {
    EXPECT_EQ(ParseDecimal(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDecimal(std::string_view("1\0", 2)), std::nullopt);
}

TEST(ParseDecimal, IsTheNearestDoubleAsTheLibraryReadsIt) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    const int digits = 1 + static_cast<int>(random() % 20);
    const int point = static_cast<int>(random() % 25);
    for (int digit = 0; digit < digits; ++digit) {
      if (digit == point) text.push_back('.');
      text.push_back(static_cast<char>('0' + random() % 10));
    }
    EXPECT_EQ(ParseDecimal(text), std::strtod(text.c_str(), nullptr)) << text;
  }
}

}  // namespace
}  // namespace thaw
