#include "cc/net/destination.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cc/base/percent.h"

namespace thaw {
namespace {

std::string_view SchemeText(Destination::Scheme scheme) {
  return scheme == Destination::Scheme::kHttps ? "https" : "http";
}
uint16_t DefaultPort(Destination::Scheme scheme) { return scheme == Destination::Scheme::kHttps ? 443 : 80; }

std::string BracketedHost(const Destination& destination) {
  return destination.host.find(':') == std::string::npos ? destination.host
                                                         : absl::StrCat("[", destination.host, "]");
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
}
bool IsIpv6Character(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == ':' || c == '.' || c == '%';
}
bool IsTargetCharacter(char c) {
  return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
}

}  // namespace

std::string ToString(const Destination& destination) {
  const std::string authority = destination.port == DefaultPort(destination.scheme)
                                    ? BracketedHost(destination)
                                    : Authority(destination);
  return absl::StrCat(SchemeText(destination.scheme), "://", authority);
}

std::string HostHeader(const Destination& destination) {
  return destination.port == DefaultPort(destination.scheme) ? BracketedHost(destination)
                                                             : Authority(destination);
}

std::string Authority(const Destination& destination) {
  return absl::StrCat(BracketedHost(destination), ":", destination.port);
}

std::string BasicCredentials(std::string_view userinfo) {
  return absl::StrCat(
      "Basic ", absl::Base64Escape(absl::StrCat(userinfo, absl::StrContains(userinfo, ':') ? "" : ":")));
}

std::string MaskUrl(std::string_view url) {
  // A list of URLs with their keys in place of one URL, or a password with a space in it.
  if (url.find_first_of("\"'{}<>,; \t\r\n") != url.npos) return "****";
  std::string shown(url);
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    const size_t scheme = url.find("://");
    const size_t begin = scheme == std::string_view::npos || scheme + 3 > at ? 0 : scheme + 3;
    shown = absl::StrCat(url.substr(0, begin), "****", url.substr(at));
  }
  if (const size_t query = shown.find_first_of("?#"); query != std::string::npos)
    shown.replace(query + 1, std::string::npos, "****");
  return shown;
}

namespace {

// The parts of a URL are taken one after another from the front of a text. Each function returns what is wrong
// with its part, or an empty text.

std::string_view TakeScheme(std::string_view& rest, Destination& destination) {
  const size_t end = rest.find("://");
  if (end == std::string_view::npos) return "it has no scheme; it must begin with https:// or http://";
  const std::string_view scheme = rest.substr(0, end);
  if (absl::EqualsIgnoreCase(scheme, "https")) {
    destination.scheme = Destination::Scheme::kHttps;
  } else if (absl::EqualsIgnoreCase(scheme, "http")) {
    destination.scheme = Destination::Scheme::kHttp;
  } else {
    return "its scheme is neither https nor http";
  }
  rest.remove_prefix(end + 3);
  return "";
}

std::string_view TakeUserinfo(std::string_view& authority, std::string& userinfo) {
  const size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return "";
  std::optional<std::string> decoded = PercentDecode(authority.substr(0, at));
  if (!decoded.has_value()) return "its user or password has a broken percent-escape";
  if (std::any_of(decoded->begin(), decoded->end(),
                  [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); })) {
    return "its user or password has a control character";
  }
  userinfo = *std::move(decoded);
  authority.remove_prefix(at + 1);
  return "";
}

std::string_view TakeHost(std::string_view& authority, Destination& destination) {
  std::string_view host;
  if (!authority.empty() && authority.front() == '[') {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return "its IPv6 address has no closing bracket";
    host = authority.substr(1, close - 1);
    if (host.empty() || !std::all_of(host.begin(), host.end(), IsIpv6Character) ||
        !absl::StrContains(host, ':')) {
      return "the text in brackets is not an IPv6 address";
    }
    authority.remove_prefix(close + 1);
  } else {
    host = authority.substr(0, std::min(authority.find(':'), authority.size()));
    if (host.empty()) return "it has no host";
    if (!std::all_of(host.begin(), host.end(), IsHostCharacter))
      return "its host has a character that is not allowed in a host name";
    authority.remove_prefix(host.size());
  }
  destination.host = absl::AsciiStrToLower(host);
  return "";
}

// `authority` is what is left of it behind the host.
std::string_view ReadPort(std::string_view authority, Destination& destination) {
  destination.port = DefaultPort(destination.scheme);
  // RFC 3986 section 3.2.3: a port may be empty, which means the default.
  if (authority.empty() || authority == ":") return "";
  const std::string_view digits = authority.substr(1);
  uint32_t port = 0;
  if (authority.front() != ':' || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &port) || port == 0 || port > 65535) {
    return "its port is not a number from 1 to 65535";
  }
  destination.port = static_cast<uint16_t>(port);
  return "";
}

std::string_view ReadTarget(std::string_view rest, std::string& target) {
  // The fragment is never sent to a server (RFC 9110 section 4.2.5).
  rest = rest.substr(0, std::min(rest.find('#'), rest.size()));
  if (!std::all_of(rest.begin(), rest.end(), IsTargetCharacter))
    return "its path has a space or another character no URL may have";
  target = rest.empty() || rest.front() != '/' ? absl::StrCat("/", rest) : std::string(rest);
  return "";
}

std::string_view ReadUrl(std::string_view rest, Url& url) {
  if (const std::string_view wrong = TakeScheme(rest, url.destination); !wrong.empty()) return wrong;
  const size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority_end);
  // Other programs read a backslash as a slash, and so find another host in the same text.
  if (absl::StrContains(authority, '\\'))
    return "its host, user or password has a backslash, which must be written as %5C";
  if (const std::string_view wrong = TakeUserinfo(authority, url.userinfo); !wrong.empty()) return wrong;
  if (const std::string_view wrong = TakeHost(authority, url.destination); !wrong.empty()) return wrong;
  if (const std::string_view wrong = ReadPort(authority, url.destination); !wrong.empty()) return wrong;
  return ReadTarget(rest, url.target);
}

}  // namespace

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  Url url;
  const std::string_view wrong = ReadUrl(text, url);
  if (wrong.empty()) return url;
  return absl::InvalidArgumentError(absl::StrCat("URL '", absl::CHexEscape(MaskUrl(text)), "': ", wrong));
}

}  // namespace thaw
