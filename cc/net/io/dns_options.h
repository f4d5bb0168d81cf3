// How names are asked for.

#ifndef THAW_CC_NET_IO_DNS_OPTIONS_H_
#define THAW_CC_NET_IO_DNS_OPTIONS_H_

#include <optional>
#include <string>

#include "absl/time/time.h"

namespace thaw {

struct DnsOptions {
  // Says which servers there are, how names are completed (`search`, `domain`, `ndots`), and how servers are
  // asked (`timeout`, `attempts`, `rotate`, `use-vc`).
  std::string resolv_conf = "/etc/resolv.conf";
  // "127.0.0.1:53,..."; empty: what the file says.
  std::string servers;
  // Of one try, and how many tries there are with each server; unset: what the file or RES_OPTIONS says, and
  // otherwise 2 s and 3.
  std::optional<absl::Duration> timeout;
  std::optional<int> tries;
};

}  // namespace thaw

#endif  // THAW_CC_NET_IO_DNS_OPTIONS_H_
