// Decides which hosts bypass the proxy.

#ifndef THAW_CC_NET_DIAL_NO_PROXY_H_
#define THAW_CC_NET_DIAL_NO_PROXY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cc/net/destination.h"

namespace thaw {

// Returns whether an entry of `no_proxy` matches the destination: "*" matches any; "host" that name and any
// name below it; ".suffix" and "*.suffix" any name below it; "10.0.0.0/8" addresses of the range; each may
// end in ":port". As in Go, ".suffix" does not match the suffix itself. The scheme and the path of a URL,
// case, a final dot (of the entry or of the host), the brackets of IPv6 and spaces make no difference, and an
// entry may itself be a list with commas or spaces.
bool BypassesProxy(const Destination& destination, const std::vector<std::string>& no_proxy);

// Returns why `entry`, which is no list, can match no destination, or nullopt if it can match one.
std::optional<std::string> WhyItMatchesNothing(std::string_view entry);

}  // namespace thaw

#endif  // THAW_CC_NET_DIAL_NO_PROXY_H_
