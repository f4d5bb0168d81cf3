// Writes a floating-point number with the fewest digits that tell it from all others of its width.
//
//   text = FloatText(1.5);   // "1.5"; 1e+100 and 1e-10 have exponents, since they are shorter that way
//
// A pure function. Its text is that of std::to_chars, whose tables would add 105 KB to the program; it takes some
// microseconds, std::to_chars a tenth of one, so use it only for values of which a payload has few.

#ifndef THAW_CC_BASE_FLOAT_TEXT_H_
#define THAW_CC_BASE_FLOAT_TEXT_H_

#include <string>

namespace thaw {

// Returns "nan", "-nan", "inf" or "-inf" if the number is none.
std::string FloatText(float number);
std::string FloatText(double number);

}  // namespace thaw

#endif  // THAW_CC_BASE_FLOAT_TEXT_H_
