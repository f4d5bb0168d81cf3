// Checks a YAML text for errors that the parser, yaml-cpp, ignores.
//
//   THAW_RETURN_IF_ERROR(CheckYamlCharacters(text));
//   CheckQuotes(text, offset_of_scalar, /*indent=*/0);  // QuoteFault::kNotClosed: `site: "datadoghq.eu`
//   CheckPlain(text, offset_of_scalar, value);          // PlainFault::kDash: `-team:data`
//
// If a quoted scalar's closing quote is missing, yaml-cpp ends the scalar at the end of the text, so that the
// following lines silently become part of the value.

#ifndef THAW_CC_CONFIG_YAML_SOURCE_H_
#define THAW_CC_CONFIG_YAML_SOURCE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace thaw {

// Returns InvalidArgument, with line and column from 1, for a character that YAML does not allow (a NUL or
// another control character) or bytes that are not UTF-8 (YAML 1.2.2, section 5.1).
absl::Status CheckYamlCharacters(std::string_view text);

// Returns InvalidArgument with the text "line 2, column 7: `what`". Line and column count from 1.
absl::Status AtYamlPlace(int line, int column, std::string_view what);

enum class QuoteFault {
  kNone,
  kNotClosed,    // the text ends within the quotes
  kNotIndented,  // a further line of the quoted scalar begins at or left of `indent`
};

// Checks the scalar whose anchor, tag or first character is at `offset` of `text`. A scalar without quotes
// has no fault. `indent` is the column, from 0, of the block collection around it; further lines of a quoted
// scalar are indented deeper (YAML 1.2.2, section 7.3).
QuoteFault CheckQuotes(std::string_view text, size_t offset, int indent);

enum class PlainFault {
  kNone,
  kGoesOn,  // the scalar has a second line, as where a colon is forgotten: `env: prod`, ` version 1`
  kDash,    // the scalar is a list's entry without the space after its dash: `tags:`, ` -team:data`
};

// Checks the scalar whose anchor, tag or first character is at `offset` of `text`. A scalar with quotes or in a block
// has no such fault. `value` is what the parser made of it. YAML allows both, and the value is then not what the
// writer meant.
PlainFault CheckPlain(std::string_view text, size_t offset, std::string_view value);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_YAML_SOURCE_H_
