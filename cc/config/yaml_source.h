// Checks a YAML text for errors that the parser, yaml-cpp, ignores.
//
//   THAW_RETURN_IF_ERROR(CheckYamlCharacters(text));
//   CheckQuotes(text, offset_of_scalar, /*indent=*/0);  // QuoteFault::kNotClosed: `site: "datadoghq.eu`
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

}  // namespace thaw

#endif  // THAW_CC_CONFIG_YAML_SOURCE_H_
