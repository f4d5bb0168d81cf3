// Text that came from outside, made fit for one line of a log or a terminal.
//
//   Printable("502 \x1b[31mBad\r\nGateway")   // "502 \\x1b[31mBad\\r\\nGateway"
//
// Whatever would move a cursor, end the line, change the reading direction or isn't UTF-8 is written as an
// escape; everything else stays as it is.

#ifndef THAW_CC_BASE_PRINTABLE_H_
#define THAW_CC_BASE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace thaw {

std::string Printable(std::string_view text);
void AppendPrintable(std::string& line, std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_PRINTABLE_H_
