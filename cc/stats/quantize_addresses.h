// Replaces the IP addresses in tags that name a peer with one word, so that few values remain.
//
//   AddressQuantizer quantizer;
//   quantizer.Append("10.1.2.3:6379,10.1.2.4:6379", text);   // blocked-ip-address:6379
//
// A value is a list separated by commas; entries that become equal are written once. An entry may begin with
// "ip-" or a scheme (http://, https://, ftp://, file://, dnspoll://) and may have anything after an IPv4
// address, whose numbers may be separated by '-' or '_' too. An IPv6 address stands alone, or in brackets
// before a port. Addresses that mean the same everywhere stay: loopback, and a cloud's metadata address.

#ifndef THAW_CC_STATS_QUANTIZE_ADDRESSES_H_
#define THAW_CC_STATS_QUANTIZE_ADDRESSES_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace thaw {

class AddressQuantizer {
 public:
  // Appends the result to `out`. Allocates nothing for a single entry, if `out` has room for it.
  void Append(std::string_view value, std::string& out);

 private:
  // The parts of an entry; one without an address is all `before`.
  struct Entry {
    std::string_view before;
    bool is_address = false;
    std::string_view after;

    bool operator==(const Entry&) const = default;
    template <typename H>
    friend H AbslHashValue(H hash, const Entry& entry) {
      return H::combine(std::move(hash), entry.before, entry.is_address, entry.after);
    }
  };
  static Entry Parse(std::string_view text);
  static void Append(const Entry& entry, std::string& out);

  absl::flat_hash_set<Entry> seen_;  // entries of one value
};

}  // namespace thaw

#endif  // THAW_CC_STATS_QUANTIZE_ADDRESSES_H_
