#include "cc/stats/quantize_addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

#include "absl/strings/ascii.h"

namespace thaw {
namespace {

constexpr std::string_view kWord = "blocked-ip-address";
constexpr std::string_view kKept[] = {"127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254",
                                      "169.254.170.2"};
constexpr std::string_view kSchemes[] = {"dnspoll:/", "ftp:/", "file:/", "http:/", "https:/"};

// Returns the length of the prefix that may precede an address.
size_t PrefixOf(std::string_view text) {
  constexpr std::string_view kHostPrefix = "ip-";
  if (text.starts_with(kHostPrefix)) return kHostPrefix.size();
  for (const std::string_view scheme : kSchemes) {
    if (!text.starts_with(scheme)) continue;
    size_t slashes = 1;
    while (slashes < 3 && scheme.size() - 1 + slashes < text.size() &&
           text[scheme.size() - 1 + slashes] == '/')
      ++slashes;
    return slashes < 2 ? 0 : scheme.size() - 1 + slashes;
  }
  return 0;
}

struct Address {
  std::string_view host;
  std::string_view after;
};

std::optional<Address> ParseIpv4(std::string_view text, char separator) {
  size_t at = 0;
  for (int number = 0; number < 4; ++number) {
    if (number > 0) {
      if (at == text.size() || text[at] != separator) return std::nullopt;
      ++at;
    }
    const size_t begin = at;
    int value = 0;
    for (; at < text.size() && absl::ascii_isdigit(text[at]); ++at) {
      // 010 is no number here, since it might mean 8.
      if (at > begin && value == 0) return std::nullopt;
      value = 10 * value + (text[at] - '0');
      if (value > 255) return std::nullopt;
    }
    if (at == begin) return std::nullopt;
  }
  return Address{text.substr(0, at), text.substr(at)};
}

bool IsIpv6(std::string_view text) {
  // The C library needs a terminating zero byte; a longer text is no address.
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof(copy) || text.find('\0') != std::string_view::npos) return false;
  *std::copy(text.begin(), text.end(), copy) = '\0';
  in6_addr address;
  return inet_pton(AF_INET6, copy, &address) == 1;
}

std::optional<Address> ParseAddress(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !IsIpv6(text.substr(1, end - 1))) return std::nullopt;
    return Address{text.substr(1, end - 1), text.substr(end + 1)};
  }
  const auto other = std::find_if_not(text.begin(), text.end(), absl::ascii_isdigit);
  if (other == text.end()) return std::nullopt;
  if (*other == '.' || *other == '-' || *other == '_') return ParseIpv4(text, *other);
  if ((*other == ':' || absl::ascii_isxdigit(*other)) && IsIpv6(text)) return Address{text, {}};
  return std::nullopt;
}

}  // namespace

AddressQuantizer::Entry AddressQuantizer::Parse(std::string_view text) {
  const size_t prefix = PrefixOf(text);
  const std::optional<Address> address = ParseAddress(text.substr(prefix));
  if (!address.has_value() || std::find(std::begin(kKept), std::end(kKept), address->host) != std::end(kKept))
    return {.before = text};
  return {.before = text.substr(0, prefix), .is_address = true, .after = address->after};
}

void AddressQuantizer::Append(const Entry& entry, std::string& out) {
  out.append(entry.before);
  if (!entry.is_address) return;
  out.append(kWord);
  out.append(entry.after);
}

void AddressQuantizer::Append(std::string_view value, std::string& out) {
  size_t comma = value.find(',');
  if (comma == std::string_view::npos) {
    Append(Parse(value), out);
    return;
  }
  seen_.clear();
  for (size_t begin = 0;; begin = comma + 1, comma = value.find(',', begin)) {
    const Entry entry = Parse(value.substr(begin, comma - begin));
    if (seen_.insert(entry).second) {
      if (begin > 0) out.push_back(',');
      Append(entry, out);
    }
    if (comma == std::string_view::npos) break;
  }
  seen_.clear();
}

}  // namespace thaw
