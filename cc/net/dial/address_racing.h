// Connects to the first address that answers (RFC 8305, "Happy Eyeballs"): families are interleaved, the next
// address is tried after 250 ms or as soon as one fails, and the losers are cancelled.

#ifndef THAW_CC_NET_DIAL_ADDRESS_RACING_H_
#define THAW_CC_NET_DIAL_ADDRESS_RACING_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/transport.h"

namespace thaw {

// RFC 8305 section 8: "Connection Attempt Delay".
inline constexpr absl::Duration kConnectionAttemptDelay = absl::Milliseconds(250);

// Returns IPv6 and IPv4 addresses in turns, IPv6 first, each in the resolver's order.
std::vector<IpAddress> InterleaveFamilies(const std::vector<IpAddress>& addresses);

struct RaceResult {
  std::unique_ptr<Transport> transport;  // null: no address answered, or the race was cancelled
  std::vector<AddressOutcome> outcomes;  // in the order the attempts began; losers are kCancelled
};

// `addresses` must not be empty.
Task<RaceResult> RaceAddresses(Executor& executor, Clock& clock, Network& network,
                               std::vector<IpAddress> addresses, uint16_t port,
                               Network::ConnectOptions options, Cancellation& cancellation);

}  // namespace thaw

#endif  // THAW_CC_NET_DIAL_ADDRESS_RACING_H_
