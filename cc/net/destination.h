// The destination of a request (scheme, host, port), and the text forms of it that protocols need.

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

// Returns "https://intake.example:8443", with brackets around an IPv6 literal.
std::string ToString(const Destination& destination);
// Returns the Host header (RFC 9110 section 7.2), without the port if it is the scheme's default.
std::string HostHeader(const Destination& destination);
// Returns "host:port", always with the port, as CONNECT needs it (RFC 9110 section 9.3.6).
std::string Authority(const Destination& destination);

struct Url {
  Destination destination;
  std::string target;    // path and query, at least "/"
  std::string userinfo;  // "user:password", percent-decoded; empty if the URL has none
};

// Returns "Basic ..." for the userinfo of a URL (RFC 7617): the value of Authorization or
// Proxy-Authorization. A user without a password gets an empty one.
std::string BasicCredentials(std::string_view userinfo);

// Returns a URL without its secrets: "http://****@proxy:3128" for "http://user:password@proxy:3128",
// "https://h/p?****" for "https://h/p?key=0123". In a text that is not a URL, everything before the last '@'
// is masked too, since a '/' in a password makes a URL invalid. A text with spaces, quotes or commas is
// masked whole: it may be a list of URLs and keys.
std::string MaskUrl(std::string_view url);

// Parses an absolute http or https URL. The error, InvalidArgument, names the text (with any password masked)
// and what is wrong with it: scheme, empty host, port out of range, characters that no URL may have.
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_NET_DESTINATION_H_
