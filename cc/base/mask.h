// How values look where people see them: secrets masked, bytes that no terminal takes escaped.
// URLs: MaskUrl of cc/net/destination.h.

#ifndef THAW_CC_BASE_MASK_H_
#define THAW_CC_BASE_MASK_H_

#include <string>
#include <string_view>

namespace thaw {

// "****" and the last 4 characters, by which an owner knows a key again; of fewer than 8 only "****".
// Empty for an empty one.
std::string MaskSecret(std::string_view secret);

// In quotes; other than printable ASCII is escaped, and a long text cut.
std::string Quoted(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_MASK_H_
