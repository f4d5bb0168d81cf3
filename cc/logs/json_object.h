// Finds the members of a JSON object in its text. Nothing is copied.
//
//   if (IsWellFormedJson(text)) ForEachMember(text, [&](std::string_view key, std::string_view value) { ... });
//
// Pure functions.

#ifndef THAW_CC_LOGS_JSON_OBJECT_H_
#define THAW_CC_LOGS_JSON_OBJECT_H_

#include <cstddef>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace thaw {

// Returns whether `text` is one well-formed JSON value that is not nested too deep. Halves of surrogate pairs count
// as well-formed.
bool IsWellFormedJson(std::string_view text);

// Calls visit(key, value) for each member of `object`, a well-formed object, in order. Both are as written, the key
// with its quotes.
void ForEachMember(std::string_view object,
                   absl::FunctionRef<void(std::string_view key, std::string_view value)> visit);

}  // namespace thaw

#endif  // THAW_CC_LOGS_JSON_OBJECT_H_
