// Makes text from outside safe to print in one line of a log or on a terminal.
//
//   Printable("502 \x1b[31mBad\r\nGateway");   // "502 \\x1b[31mBad\\r\\nGateway"
//
// Control characters, line ends, marks that change the reading direction and bytes that are not UTF-8 are
// written as escapes; everything else stays as it is.

#ifndef THAW_CC_BASE_PRINTABLE_H_
#define THAW_CC_BASE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace thaw {

std::string Printable(std::string_view text);
void AppendPrintable(std::string& line, std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_PRINTABLE_H_
