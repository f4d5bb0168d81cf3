// Options for resolving host names.

#ifndef THAW_CC_NET_IO_DNS_OPTIONS_H_
#define THAW_CC_NET_IO_DNS_OPTIONS_H_

#include <optional>
#include <string>

#include "absl/time/time.h"

namespace thaw {

struct DnsOptions {
  // The file that names the servers and says how names are completed (`search`, `domain`, `ndots`) and how
  // servers are asked (`timeout`, `attempts`, `rotate`, `use-vc`).
  std::string resolv_conf = "/etc/resolv.conf";
  // "127.0.0.1:53,..."; empty: taken from the file.
  std::string servers;
  // Limits one try, and the number of tries with each server. Unset: taken from the file or RES_OPTIONS,
  // otherwise 2 s and 3.
  std::optional<absl::Duration> timeout;
  std::optional<int> tries;
};

}  // namespace thaw

#endif  // THAW_CC_NET_IO_DNS_OPTIONS_H_
