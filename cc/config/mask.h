// How values look where people see them: secrets masked, bytes that no terminal takes escaped.

#ifndef THAW_CC_CONFIG_MASK_H_
#define THAW_CC_CONFIG_MASK_H_

#include <string>
#include <string_view>

namespace thaw {

// "****" and the last 4 characters, by which an owner knows a key again; of fewer than 8 only "****".
// Empty for an empty one.
std::string MaskSecret(std::string_view secret);

// "http://****@proxy:3128" of "http://user:password@proxy:3128". Where the text is no URL, whatever stands
// before its last '@' is masked all the same: a password with a '/' in it makes no URL.
std::string MaskUrl(std::string_view url);

// In quotes; other than printable ASCII is escaped, and a long text cut.
std::string Quoted(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_MASK_H_
