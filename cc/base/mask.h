// Formats values for people to read: secrets are masked, and bytes that a terminal can't show are escaped.
// For URLs use MaskUrl of cc/net/destination.h.

#ifndef THAW_CC_BASE_MASK_H_
#define THAW_CC_BASE_MASK_H_

#include <string>
#include <string_view>

namespace thaw {

// Returns "****" and the last 4 characters, by which an owner recognizes a key; only "****" if there are
// fewer than 8. An empty secret stays empty.
std::string MaskSecret(std::string_view secret);

// Returns the text in quotes. Everything but printable ASCII is escaped, and a long text is cut.
std::string Quoted(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_BASE_MASK_H_
