// Names of HTTP's versions, as ALPN has them (RFC 7301).

#ifndef THAW_CC_NET_HTTP_PROTOCOL_H_
#define THAW_CC_NET_HTTP_PROTOCOL_H_

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace thaw {

// The protocol of plain connections, and of those over TLS whose server agrees on none.
inline constexpr std::string_view kHttp11 = "http/1.1";

// Returns a list of HTTP/1.1 alone.
inline std::vector<std::string> OnlyHttp11() { return std::vector<std::string>(1, std::string(kHttp11)); }

// The protocols that MakeHttpConnection() makes connections for.
inline constexpr std::string_view kHttpProtocols[] = {kHttp11};

inline bool IsHttpProtocol(std::string_view name) {
  return std::find(std::begin(kHttpProtocols), std::end(kHttpProtocols), name) != std::end(kHttpProtocols);
}

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP_PROTOCOL_H_
