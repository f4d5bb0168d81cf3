#include "cc/trace/obfuscate/obfuscate_http.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace thaw {
namespace {

// "scheme:" "//user@" "host:port" "/path" "?query" "#fragment", each with its delimiters, possibly empty.
struct UrlParts {
  std::string_view scheme;
  std::string_view user;
  std::string_view authority;
  std::string_view path;
  std::string_view query;
  std::string_view fragment;
};

bool IsSchemePart(char c) { return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.'; }

// Removes the text from its `count`-th byte on and returns it.
std::string_view TakeFrom(std::string_view& text, size_t count) {
  count = std::min(count, text.size());
  const std::string_view rest = text.substr(count);
  text = text.substr(0, count);
  return rest;
}

// Returns the port of "host:port" with its colon; the colons inside "[::1]" begin no port.
std::string_view Port(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos) return {};
  return authority.substr(colon);
}

bool IsPort(std::string_view port) {
  return port.empty() || std::all_of(port.begin() + 1, port.end(), absl::ascii_isdigit);
}

UrlParts Split(std::string_view url) {
  UrlParts parts;
  size_t begin = 0;
  if (!url.empty() && absl::ascii_isalpha(url[0])) {
    while (begin < url.size() && IsSchemePart(url[begin])) ++begin;
    begin = begin < url.size() && url[begin] == ':' ? begin + 1 : 0;
  }
  parts.scheme = url.substr(0, begin);
  std::string_view rest = url.substr(begin);
  if (rest.substr(0, 2) == "//") {
    size_t end = std::min(rest.find_first_of("/?#", 2), rest.size());
    size_t at = rest.substr(0, end).rfind('@');
    // In "//user:pass/word@host" no port stands here, so that the '@' further on ends a password.
    if (at == std::string_view::npos && !IsPort(Port(rest.substr(2, end - 2)))) at = rest.rfind('@');
    if (at != std::string_view::npos) {
      parts.user = rest.substr(2, at - 1);
      end = std::min(rest.find_first_of("/?#", at), rest.size());
    }
    parts.authority = rest.substr(0, end);
    rest = rest.substr(end);
    if (!parts.user.empty()) parts.authority.remove_prefix(parts.user.size() + 2);
  }
  parts.fragment = TakeFrom(rest, rest.find('#'));
  parts.query = TakeFrom(rest, rest.find('?'));
  parts.path = rest;
  return parts;
}

bool EscapeAt(std::string_view text, size_t at) {
  return at + 2 < text.size() && absl::ascii_isxdigit(text[at + 1]) && absl::ascii_isxdigit(text[at + 2]);
}

bool HasOnlyGoodEscapes(std::string_view text) {
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (!EscapeAt(text, at)) return false;
  return true;
}

bool IsUrl(std::string_view url, const UrlParts& parts) {
  const std::string_view before_fragment = url.substr(0, url.size() - parts.fragment.size());
  const bool control = std::any_of(before_fragment.begin(), before_fragment.end(), absl::ascii_iscntrl);
  const bool no_scheme = parts.scheme.empty() && parts.path.substr(0, 1) == ":";
  return !control && !no_scheme && IsPort(Port(parts.authority)) && HasOnlyGoodEscapes(parts.path) &&
         HasOnlyGoodEscapes(parts.fragment);
}

// Returns whether there is a digit, or "%30" to "%39"; the digits of other escapes don't count.
bool HasDigit(std::string_view segment) {
  for (size_t i = 0; i < segment.size(); ++i) {
    if (absl::ascii_isdigit(segment[i])) return true;
    if (segment[i] != '%') continue;
    if (segment[i + 1] == '3' && absl::ascii_isdigit(segment[i + 2])) return true;
    i += 2;
  }
  return false;
}

void AppendPath(std::string_view path, std::string& out) {
  for (size_t begin = 0;;) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    out.append(HasDigit(segment) ? "?" : segment);
    if (end == path.size()) return;
    out.push_back('/');
    begin = end + 1;
  }
}

}  // namespace

std::string_view ObfuscateUrl(std::string_view url, const HttpObfuscation& options, std::string& buffer) {
  const UrlParts parts = Split(url);
  const bool is_url = IsUrl(url, parts);
  if (!is_url && (options.remove_query_string || options.remove_paths_with_digits)) return "?";
  const bool path_changes = options.remove_paths_with_digits && HasDigit(parts.path);
  const bool query_changes = options.remove_query_string && parts.query.size() > 1;
  const bool fragment_changes = parts.fragment.size() == 1;
  if (parts.user.empty() && !path_changes && !query_changes && !fragment_changes) return url;

  buffer.assign(parts.scheme);
  if (!parts.user.empty()) buffer.append("//");
  buffer.append(parts.authority);
  if (path_changes) {
    AppendPath(parts.path, buffer);
  } else {
    buffer.append(parts.path);
  }
  buffer.append(query_changes ? "?" : parts.query);
  if (!fragment_changes) buffer.append(parts.fragment);
  return buffer;
}

}  // namespace thaw
