#include "cc/net/dial/no_proxy.h"

#include <arpa/inet.h>

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

bool InRange(const AddressBytes& address, std::string_view range) {
  const size_t slash = range.find('/');
  const std::optional<AddressBytes> network = ParseAddress(range.substr(0, slash));
  int bits = 0;
  if (!network.has_value() || network->size != address.size ||
      !absl::SimpleAtoi(range.substr(slash + 1), &bits) || bits < 0 || bits > address.size * 8) {
    return false;
  }
  for (int bit = 0; bit < bits; ++bit) {
    const uint8_t mask = static_cast<uint8_t>(0x80 >> (bit % 8));
    if ((network->bytes[bit / 8] ^ address.bytes[bit / 8]) & mask) return false;
  }
  return true;
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
  if (!TakePort(entry, destination.port)) return false;
  const std::string_view host = WithoutFinalDot(destination.host);
  entry = WithoutFinalDot(entry);
  if (const std::optional<AddressBytes> address = ParseAddress(host)) {
    // The brackets of "[::1]" and "[fe80::]/10" are not part of the address.
    const std::string bare = absl::StrReplaceAll(entry, {{"[", ""}, {"]", ""}});
    return absl::StrContains(bare, '/') ? InRange(*address, bare) : ParseAddress(bare) == address;
  }
  const std::string name = absl::AsciiStrToLower(entry);
  std::string_view suffix = name;
  const bool below = absl::ConsumePrefix(&suffix, "*.") || absl::ConsumePrefix(&suffix, ".");
  absl::ConsumePrefix(&suffix, "*");
  if (suffix.empty()) return false;
  return (!below && host == suffix) || absl::EndsWith(host, absl::StrCat(".", suffix));
}

}  // namespace

bool GoesPastProxy(const Destination& destination, const std::vector<std::string>& no_proxy) {
  // An entry may itself be a list, with spaces around its commas or in their place.
  for (const std::string& entries : no_proxy) {
    for (const std::string_view entry :
         absl::StrSplit(entries, absl::ByAnyChar(", \t\r\n"), absl::SkipEmpty())) {
      if (Matches(destination, entry)) return true;
    }
  }
  return false;
}

}  // namespace thaw
