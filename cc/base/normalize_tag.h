// Tag values as the Datadog agent normalises them.

#ifndef THAW_CC_BASE_NORMALIZE_TAG_H_
#define THAW_CC_BASE_NORMALIZE_TAG_H_

#include <string>
#include <string_view>

namespace thaw {

// Returns `text` in lower case. Letters and ':' may stand anywhere; digits, '.', '/' and '-' anywhere but
// first; everything else becomes one '_', which is never first, last or doubled. At most 200 code points,
// none of which begins after 400 bytes. Code points beyond ASCII count as letters and stay as they are.
// `text` must be UTF-8.
std::string NormalizeTag(std::string_view text);

// Does the same, but returns `text` itself, without a copy, if it is normal already; else a view of `buffer`,
// in which `text` must not lie.
std::string_view NormalizeTag(std::string_view text, std::string& buffer);

}  // namespace thaw

#endif  // THAW_CC_BASE_NORMALIZE_TAG_H_
