#include "cc/lambda/api/sandbox_address.h"

#include <arpa/inet.h>

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "cc/base/read_file.h"

namespace thaw {
namespace {

constexpr size_t kMaxHostsBytes = 1 << 20;

bool IsIpv4(const std::string& text) {
  in_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

}  // namespace

std::string ReadHosts() { return ReadWholeFile("/etc/hosts", kMaxHostsBytes).value_or(""); }

std::optional<std::string> AddressInHosts(std::string_view hosts, std::string_view name) {
  for (const std::string_view line : absl::StrSplit(hosts, '\n')) {
    const std::string_view entry = line.substr(0, line.find('#'));
    std::string address;
    for (const std::string_view word : absl::StrSplit(entry, absl::ByAnyChar(" \t\r"), absl::SkipEmpty())) {
      if (address.empty()) {
        address = std::string(word);
      } else if (absl::EqualsIgnoreCase(word, name) && IsIpv4(address)) {
        return address;
      }
    }
  }
  return std::nullopt;
}

}  // namespace thaw
