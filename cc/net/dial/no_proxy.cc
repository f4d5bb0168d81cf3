#include "cc/net/dial/no_proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace thaw {
namespace {

struct AddressBytes {
  std::array<uint8_t, 16> bytes = {};
  int size = 0;
  bool operator==(const AddressBytes&) const = default;
};

std::optional<AddressBytes> ParseAddress(std::string_view text) {
  AddressBytes address;
  const std::string terminated(text);
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.size = 16;
    return address;
  }
  return std::nullopt;
}

struct AddressRange {
  AddressBytes network;
  int bits = 0;
};

// Reads "10.0.0.0/8"; `text` has a slash.
std::optional<AddressRange> ParseRange(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<AddressBytes> network = ParseAddress(text.substr(0, slash));
  AddressRange range;
  if (!network.has_value() || !absl::SimpleAtoi(text.substr(slash + 1), &range.bits) || range.bits < 0 ||
      range.bits > network->size * 8) {
    return std::nullopt;
  }
  range.network = *network;
  return range;
}

bool InRange(const AddressBytes& address, std::string_view text) {
  const std::optional<AddressRange> range = ParseRange(text);
  if (!range.has_value() || range->network.size != address.size) return false;
  for (int bit = 0; bit < range->bits; ++bit) {
    const uint8_t mask = static_cast<uint8_t>(0x80 >> (bit % 8));
    if ((range->network.bytes[bit / 8] ^ address.bytes[bit / 8]) & mask) return false;
  }
  return true;
}

// Removes what a URL has beside its host and port: "http://" and a path. The length of a range stays.
std::string_view WithoutSchemeAndPath(std::string_view entry) {
  const size_t scheme = entry.find("://");
  const bool is_url = scheme != std::string_view::npos;
  if (is_url) entry.remove_prefix(scheme + 3);
  const size_t slash = entry.find('/');
  if (slash == std::string_view::npos) return entry;
  const std::string_view path = entry.substr(slash + 1);
  if (path.empty()) return entry.substr(0, slash);
  return is_url && !absl::ascii_isdigit(static_cast<unsigned char>(path.front())) ? entry.substr(0, slash)
                                                                                  : entry;
}

// The brackets of "[::1]" and "[fe80::]/10" are not part of the address.
std::string WithoutBrackets(std::string_view entry) {
  return absl::StrReplaceAll(entry, {{"[", ""}, {"]", ""}});
}

// Removes "*.", "." or "*" from the front, and sets `below` if only names below the rest match.
std::string_view SuffixOf(std::string_view name, bool& below) {
  below = absl::ConsumePrefix(&name, "*.") || absl::ConsumePrefix(&name, ".");
  absl::ConsumePrefix(&name, "*");
  return name;
}

// Removes a ":port" from the end. Returns false if it is another port.
bool TakePort(std::string_view& entry, uint16_t port) {
  const size_t colon = entry.rfind(':');
  // An entry with more than one colon and no bracket before the last is an IPv6 address without a port.
  if (colon == std::string_view::npos || (entry.find(':') != colon && entry[colon - 1] != ']')) return true;
  const std::string_view digits = entry.substr(colon + 1);
  uint32_t number = 0;
  if (!digits.empty() && !absl::SimpleAtoi(digits, &number)) return true;
  entry = entry.substr(0, colon);
  return digits.empty() || number == port;
}

// Removes the final dot, which only says that no search domain is appended: "localhost." is "localhost".
std::string_view WithoutFinalDot(std::string_view name) {
  absl::ConsumeSuffix(&name, ".");
  return name;
}

bool Matches(const Destination& destination, std::string_view entry) {
  if (entry == "*") return true;
  entry = WithoutSchemeAndPath(entry);
  if (!TakePort(entry, destination.port)) return false;
  const std::string_view host = WithoutFinalDot(destination.host);
  entry = WithoutFinalDot(entry);
  if (const std::optional<AddressBytes> address = ParseAddress(host)) {
    const std::string bare = WithoutBrackets(entry);
    return absl::StrContains(bare, '/') ? InRange(*address, bare) : ParseAddress(bare) == address;
  }
  const std::string name = absl::AsciiStrToLower(entry);
  bool below = false;
  const std::string_view suffix = SuffixOf(name, below);
  if (suffix.empty()) return false;
  return (!below && host == suffix) || absl::EndsWith(host, absl::StrCat(".", suffix));
}

}  // namespace

bool BypassesProxy(const Destination& destination, const std::vector<std::string>& no_proxy) {
  // An entry may itself be a list, with spaces around its commas or in their place.
  for (const std::string& entries : no_proxy) {
    for (const std::string_view entry :
         absl::StrSplit(entries, absl::ByAnyChar(", \t\r\n"), absl::SkipEmpty())) {
      if (Matches(destination, entry)) return true;
    }
  }
  return false;
}

std::optional<std::string> WhyItMatchesNothing(std::string_view entry) {
  if (entry == "*") return std::nullopt;
  entry = WithoutSchemeAndPath(entry);
  const size_t colon = entry.rfind(':');
  if (colon != std::string_view::npos && !ParseAddress(WithoutFinalDot(entry)).has_value()) {
    const std::string_view digits = entry.substr(colon + 1);
    uint32_t port = 0;
    // In brackets the last colon is the address's.
    const bool is_port = !absl::StrContains(digits, ']') && !absl::StrContains(digits, '/');
    if (is_port && !digits.empty() && (!absl::SimpleAtoi(digits, &port) || port == 0 || port > 65535))
      return "its port is not a number from 1 to 65535";
    if (is_port) entry = entry.substr(0, colon);
  }
  entry = WithoutFinalDot(entry);
  const std::string bare = WithoutBrackets(entry);
  if (absl::StrContains(bare, '/')) {
    if (ParseRange(bare).has_value()) return std::nullopt;
    return "it is not a range of addresses such as 10.0.0.0/8";
  }
  if (ParseAddress(bare).has_value()) return std::nullopt;
  bool below = false;
  const std::string_view suffix = SuffixOf(entry, below);
  if (suffix.empty()) return "it does not name a host";
  const auto of_host = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
  };
  if (!std::all_of(suffix.begin(), suffix.end(), of_host))
    return "it has a character that is not allowed in a host name";
  return std::nullopt;
}

}  // namespace thaw
