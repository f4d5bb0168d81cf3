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
#include "absl/strings/strip.h"

namespace thaw {
namespace {

struct AddressBytes {
  std::array<uint8_t, 16> bytes = {};
  int size = 0;
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

// Takes a ":port" off the end; false if it names another port.
bool TakePort(std::string_view& entry, uint16_t port) {
  const size_t colon = entry.rfind(':');
  // More than one colon and no bracket before it: an IPv6 address, not a port.
  if (colon == std::string_view::npos || (entry.find(':') != colon && entry[colon - 1] != ']')) return true;
  uint32_t number = 0;
  if (!absl::SimpleAtoi(entry.substr(colon + 1), &number)) return true;
  entry = entry.substr(0, colon);
  return number == port;
}

bool Matches(const Destination& destination, std::string_view entry) {
  entry = absl::StripAsciiWhitespace(entry);
  if (entry.empty()) return false;
  if (entry == "*") return true;
  if (!TakePort(entry, destination.port)) return false;
  if (absl::ConsumePrefix(&entry, "[")) absl::ConsumeSuffix(&entry, "]");
  if (const std::optional<AddressBytes> address = ParseAddress(destination.host)) {
    if (absl::StrContains(entry, '/')) return InRange(*address, entry);
    const std::optional<AddressBytes> named = ParseAddress(entry);
    return named.has_value() && named->size == address->size && named->bytes == address->bytes;
  }
  const std::string name = absl::AsciiStrToLower(entry);
  std::string_view suffix = name;
  absl::ConsumePrefix(&suffix, "*");
  if (absl::ConsumePrefix(&suffix, ".")) return absl::EndsWith(destination.host, absl::StrCat(".", suffix));
  return destination.host == suffix || absl::EndsWith(destination.host, absl::StrCat(".", suffix));
}

}  // namespace

bool GoesPastProxy(const Destination& destination, const std::vector<std::string>& no_proxy) {
  for (const std::string& entry : no_proxy) {
    if (Matches(destination, entry)) return true;
  }
  return false;
}

}  // namespace thaw
