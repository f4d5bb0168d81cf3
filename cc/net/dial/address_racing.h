// Connects to the first address that answers (RFC 8305, "Happy Eyeballs"): families are interleaved, the next
// address is tried after 250 ms or as soon as one fails, and the losers are cancelled. Addresses that are not
// known yet may join.
//
//   Task<RaceResult> racing =
//       RaceAddresses(executor, clock, network, addresses, 443, {.tcp_nodelay = true}, cancellation);
//   RaceResult race = co_await std::move(racing);
//   if (race.transport == nullptr) co_return race.outcomes.back().status;

#ifndef THAW_CC_NET_DIAL_ADDRESS_RACING_H_
#define THAW_CC_NET_DIAL_ADDRESS_RACING_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/network.h"
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

// Finds further addresses; gives up when the cancellation is requested. Those that are known already may be
// among them.
using MoreAddresses = absl::AnyInvocable<Task<std::vector<IpAddress>>(Cancellation&)>;

// `addresses` must not be empty. `more` may be null; it is called when the turn of an address behind the last
// one comes, and the race goes on with what it returns. So a family whose addresses can't be reached does not
// hide one that the resolver is slow about.
Task<RaceResult> RaceAddresses(Executor& executor, Clock& clock, Network& network,
                               std::vector<IpAddress> addresses, uint16_t port,
                               Network::ConnectOptions options, Cancellation& cancellation,
                               MoreAddresses more = nullptr);

}  // namespace thaw

#endif  // THAW_CC_NET_DIAL_ADDRESS_RACING_H_
