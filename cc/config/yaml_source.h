// Checks of a YAML text's characters that the parser, yaml-cpp, leaves out.
//
//   THAW_RETURN_IF_ERROR(CheckYamlCharacters(text));
//   CheckQuotes(text, offset_of_scalar, /*indent=*/0);  // QuoteFault::kNotClosed: `site: "datadoghq.eu`
//
// yaml-cpp ends a quoted scalar at the end of the text when its quote is missing, so that the lines after it
// silently become part of the value.

#ifndef THAW_CC_CONFIG_YAML_SOURCE_H_
#define THAW_CC_CONFIG_YAML_SOURCE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace thaw {

// InvalidArgument, with line and column from 1: a character that YAML does not allow (a NUL or another
// control character), or bytes that are not UTF-8 (YAML 1.2.2, section 5.1).
absl::Status CheckYamlCharacters(std::string_view text);

// "line 2, column 7: `what`", as InvalidArgument. Line and column count from 1.
absl::Status AtYamlPlace(int line, int column, std::string_view what);

enum class QuoteFault {
  kNone,
  kNotClosed,    // the text ends within the quotes
  kNotIndented,  // a further line of the quoted scalar begins at or left of `indent`
};

// Examines the scalar whose anchor, tag or first character stands at `offset` of `text`. A scalar without
// quotes has no fault. `indent`: columns (from 0) by which the block collection around it is indented; the
// further lines of a quoted scalar are indented deeper (YAML 1.2.2, section 7.3).
QuoteFault CheckQuotes(std::string_view text, size_t offset, int indent);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_YAML_SOURCE_H_
