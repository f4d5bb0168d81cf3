#include "cc/base/float_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

// A positive decimal number.
struct Decimal {
  std::string_view all() const { return {digits, static_cast<size_t>(count)}; }

  char digits[20];  // without a point
  int count;
  int exponent;  // of the first digit
};

// Returns the decimal number with `count` digits that is nearest to `number`.
Decimal Nearest(double number, int count) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.*e", count - 1, number);
  Decimal decimal;
  decimal.count = count;
  decimal.digits[0] = text[0];
  const char* rest = text + 1;
  if (count > 1) {
    std::memcpy(decimal.digits + 1, rest + 1, count - 1);
    rest += count;
  }
  decimal.exponent = std::atoi(rest + 1);
  return decimal;
}

// Adds one to the last digit; the number of digits stays.
void Increase(Decimal& decimal) {
  int index = decimal.count - 1;
  for (; index >= 0 && decimal.digits[index] == '9'; --index) decimal.digits[index] = '0';
  if (index >= 0) {
    ++decimal.digits[index];
  } else {
    decimal.digits[0] = '1';
    ++decimal.exponent;
  }
}

bool Read(std::string_view text, float& number) { return absl::SimpleAtof(text, &number); }
bool Read(std::string_view text, double& number) { return absl::SimpleAtod(text, &number); }

template <typename Float>
bool Identifies(const Decimal& decimal, Float number) {
  Float read;
  return Read(absl::StrCat(decimal.all(), "e", decimal.exponent - decimal.count + 1), read) && read == number;
}

// Returns the decimal number with the fewest digits that is read as `number`, which is positive.
template <typename Float>
Decimal Shortest(Float number) {
  using Limits = std::numeric_limits<Float>;
  // Each normal number whose text has at most digits10 digits is found at once, with zeros at its end.
  int count = std::isnormal(number) ? Limits::digits10 : 1;
  int exponent;
  // Floating-point numbers below a power of two lie twice as close together as those above it. If the nearest
  // decimal number is read as the one below, the next larger decimal number may be right.
  const bool is_power_of_two = std::frexp(number, &exponent) == 0.5;
  for (;; ++count) {
    Decimal decimal = Nearest(number, count);
    bool found = count == Limits::max_digits10 || Identifies(decimal, number);
    if (!found && is_power_of_two) {
      Increase(decimal);
      found = Identifies(decimal, number);
    }
    if (!found) continue;
    while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0') --decimal.count;
    return decimal;
  }
}

// Returns the shorter one of the two forms, with an exponent or without one.
std::string Layout(const Decimal& decimal, double number) {
  const int count = decimal.count;
  const int exponent = decimal.exponent;
  const std::string_view digits = decimal.all();
  const int with_exponent = count + (count > 1) + (std::abs(exponent) < 100 ? 4 : 5);
  const int without =
      exponent < 0 ? count + 1 - exponent : std::max(count, exponent + 1) + (count > exponent + 1 ? 1 : 0);
  char text[32];
  if (without > with_exponent) {
    std::snprintf(text, sizeof(text), "e%+03d", exponent);
    return absl::StrCat(digits.substr(0, 1), count > 1 ? "." : "", digits.substr(1), text);
  }
  if (exponent < 0) return absl::StrCat("0.", std::string(-exponent - 1, '0'), digits);
  if (count > exponent + 1) {
    return absl::StrCat(digits.substr(0, exponent + 1), ".", digits.substr(exponent + 1));
  }
  // An integer: the C library writes all of its digits.
  std::snprintf(text, sizeof(text), "%.0f", number);
  return text;
}

template <typename Float>
std::string Text(Float number) {
  if (!std::isfinite(number) || number == 0) {
    char text[8];
    std::snprintf(text, sizeof(text), "%.0f", static_cast<double>(number));
    return text;
  }
  const Float size = std::abs(number);
  return absl::StrCat(number < 0 ? "-" : "", Layout(Shortest(size), size));
}

}  // namespace

std::string FloatText(float number) { return Text(number); }
std::string FloatText(double number) { return Text(number); }

}  // namespace thaw
