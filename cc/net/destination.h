// Where a request goes: scheme, host and port, and the text forms that protocols want of them.

#ifndef THAW_CC_NET_DESTINATION_H_
#define THAW_CC_NET_DESTINATION_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace thaw {

struct Destination {
  enum class Scheme { kHttp, kHttps };

  Scheme scheme = Scheme::kHttps;
  std::string host;  // lower case; an IPv6 literal without brackets
  uint16_t port = 443;

  auto operator<=>(const Destination&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const Destination& d) {
    return H::combine(std::move(h), d.scheme, d.host, d.port);
  }
  bool is_tls() const { return scheme == Scheme::kHttps; }
};

// "https://intake.example:8443", with brackets about an IPv6 literal.
std::string ToString(const Destination& destination);
// The Host header (RFC 9110 section 7.2): without the port when it is the scheme's own.
std::string HostHeader(const Destination& destination);
// "host:port", always with the port: what CONNECT names (RFC 9110 section 9.3.6).
std::string Authority(const Destination& destination);

struct Url {
  Destination destination;
  std::string target;    // path and query, at least "/"
  std::string userinfo;  // "user:password", percent-decoded; empty if there is none
};

// "Basic ..." for the userinfo of a URL (RFC 7617): the value of Authorization, or of Proxy-Authorization. A
// user without a password has an empty one.
std::string BasicCredentials(std::string_view userinfo);

// What people may see of a URL: "http://****@proxy:3128" of "http://user:password@proxy:3128",
// "https://h/p?****" of "https://h/p?key=0123". Where the text is no URL, whatever stands before its last '@'
// is masked all the same: a password with a '/' in it makes no URL. A text with spaces, quotes or commas in
// it is masked whole: it may be a list of URLs and their keys.
std::string MaskUrl(std::string_view url);

// Parses an absolute http or https URL. InvalidArgument names the text (with any password masked) and
// what is wrong with it: scheme, empty host, port out of range, characters no URL may have.
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_NET_DESTINATION_H_
