#include "cc/metrics/decimal_number.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "absl/strings/charconv.h"

namespace thaw {
namespace {

// Powers of ten that a double holds exactly. An integer below 2^53 divided by one of them is the double nearest to
// the quotient, since a division rounds once.
constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9, 1e10,
                              1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20};
constexpr size_t kMostDigits = 15;  // every integer with so many digits is below 2^53

std::optional<double> ParseAnyLength(std::string_view digits) {
  // absl::from_chars reads more forms than those of a decimal number: hexadecimal ones and names.
  if (digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  double number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = absl::from_chars(digits.data(), end, number, absl::chars_format::general);
  if (at != end || error == std::errc::invalid_argument) return std::nullopt;
  // The result is out of range, too, if a number is so small that it becomes 0 or nearly 0.
  if (!std::isfinite(number) || (error == std::errc::result_out_of_range && number > 1)) return std::nullopt;
  return number;
}

}  // namespace

std::optional<double> ParseDecimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  // The sign has been taken, and there is no second one.
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  uint64_t mantissa = 0;
  size_t digits = 0;
  size_t decimals = 0;
  bool point = false;
  bool simple = text.size() <= kMostDigits + 1;
  if (simple) {
    for (const char c : text) {
      if (c >= '0' && c <= '9') {
        mantissa = mantissa * 10 + static_cast<uint64_t>(c - '0');
        ++digits;
        decimals += point ? 1 : 0;
      } else if (c == '.' && !point) {
        point = true;
      } else {
        simple = false;
        break;
      }
    }
    simple = simple && digits > 0 && digits <= kMostDigits;
  }
  if (simple) {
    const double number = static_cast<double>(mantissa) / kPowers[decimals];
    return negative ? -number : number;
  }
  const std::optional<double> number = ParseAnyLength(text);
  if (number.has_value() && negative) return -*number;
  return number;
}

}  // namespace thaw
