// How names are asked for.

#ifndef THAW_CC_NET_IO_DNS_OPTIONS_H_
#define THAW_CC_NET_IO_DNS_OPTIONS_H_

#include <string>

#include "absl/time/time.h"

namespace thaw {

struct DnsOptions {
  // "127.0.0.1:53,..."; empty: what /etc/resolv.conf says.
  std::string servers;
  absl::Duration timeout = absl::Seconds(2);  // of one try
  int tries = 3;
};

}  // namespace thaw

#endif  // THAW_CC_NET_IO_DNS_OPTIONS_H_
