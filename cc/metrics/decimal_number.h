// Reads decimal numbers: "12", "-0.5", "+3", "1e-3". A short number without an exponent takes a few nanoseconds.
//
//   const std::optional<double> number = ParseDecimal("12.5");
//
// A pure function.

#ifndef THAW_CC_METRICS_DECIMAL_NUMBER_H_
#define THAW_CC_METRICS_DECIMAL_NUMBER_H_

#include <optional>
#include <string_view>

namespace thaw {

// Returns the double that is nearest to the number. Returns nullopt if `text` is no decimal number, with anything
// before or after it included, or if the number is too large: infinity, NaN and hexadecimal numbers are not
// accepted.
std::optional<double> ParseDecimal(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_METRICS_DECIMAL_NUMBER_H_
