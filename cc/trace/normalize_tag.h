// Tag values as the Datadog agent normalises them.

#ifndef THAW_CC_TRACE_NORMALIZE_TAG_H_
#define THAW_CC_TRACE_NORMALIZE_TAG_H_

#include <string>
#include <string_view>

namespace thaw {

// Lower case; letters and ':' anywhere; digits, '.', '/' and '-' but not first; what else there is becomes
// one '_', none of which is first, last or doubled; at most 200 code points, of which none begins after 400
// bytes. Code points beyond ASCII count as letters and are left as they are. `text` must be UTF-8.
std::string NormalizeTag(std::string_view text);

// The same without a copy where there is nothing to do: `text` itself, else what then stands in `buffer`, in
// which `text` must not lie.
std::string_view NormalizeTag(std::string_view text, std::string& buffer);

}  // namespace thaw

#endif  // THAW_CC_TRACE_NORMALIZE_TAG_H_
