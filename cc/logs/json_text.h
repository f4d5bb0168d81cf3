// Text as it stands inside a JSON string: escapes it, takes escapes back, and cuts it.
//
//   AppendJsonEscaped("say \"hi\"", body);                         // say \"hi\"
//   const std::string_view start = CutEscaped(inside, 1 << 20);    // splits no character and no escape
//
// Pure functions.

#ifndef THAW_CC_LOGS_JSON_TEXT_H_
#define THAW_CC_LOGS_JSON_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace thaw {

// Appends `text`, which is UTF-8, as it stands inside a JSON string.
void AppendJsonEscaped(std::string_view text, std::string& out);

// Appends the text for which `inside` stands. `inside` is the inside of a well-formed JSON string. Half of a
// surrogate pair becomes U+FFFD.
void AppendJsonUnescaped(std::string_view inside, std::string& out);

// Returns whether `inside` may have half of a surrogate pair. JavaScript writes such escapes; Rust's and Go's
// readers of JSON refuse or replace them.
bool MayHaveHalfPairs(std::string_view inside);

// Returns the longest beginning of `inside`, the inside of a well-formed JSON string, that has at most `most` bytes
// and splits neither a character nor an escape.
std::string_view CutEscaped(std::string_view inside, size_t most);

}  // namespace thaw

#endif  // THAW_CC_LOGS_JSON_TEXT_H_
