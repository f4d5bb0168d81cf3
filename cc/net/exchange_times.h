// Times of the parts of one exchange, for reports and experiments. Plain values without code.
//
// All times are of the monotonic clock, so frozen time is in them where that clock counts it.

#ifndef THAW_CC_NET_EXCHANGE_TIMES_H_
#define THAW_CC_NET_EXCHANGE_TIMES_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace thaw {

// The parts of a dial.
struct DialTimes {
  std::optional<absl::Duration> name_lookup;  // unset: the host is an address
  absl::Duration connect;                     // TCP to the destination, or to the proxy
  std::optional<absl::Duration> tls;          // to the destination; unset: it has none
  bool resumed = false;                       // TLS resumed an earlier session
};

// The parts of an exchange that was answered.
struct ExchangeTimes {
  // How long the request waited for its connection, a dial included.
  absl::Duration waited;
  // The dial of its connection; unset if the connection had carried a request before.
  std::optional<DialTimes> dial;
  bool reused = false;  // the connection had carried a request before: it was idle, or shared
  bool shared = false;  // another request handed the connection over without it being idle
  int64_t epoch = 0;    // the epoch in which the connection was opened, or in which it was kept idle
  // From the moment when the request had its connection to the answer's first byte, and to its last one.
  absl::Duration first_byte;
  absl::Duration last_byte;
};

}  // namespace thaw

#endif  // THAW_CC_NET_EXCHANGE_TIMES_H_
