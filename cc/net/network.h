// Names, addresses and TCP streams: the machine's abilities below connections. The simulation is the second
// implementation.
//
//   absl::StatusOr<ResolvedName> name =
//       co_await network.Lookup("intake.test", LookupPatience::kShort, cancellation);
//   auto stream = co_await network.Connect(name->addresses.front(), 443, {}, cancellation);
//
// One thread: the executor's.

#ifndef THAW_CC_NET_NETWORK_H_
#define THAW_CC_NET_NETWORK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/transport.h"

namespace thaw {

// An address to connect to.
struct IpAddress {
  enum class Family { kV4, kV6 };
  Family family = Family::kV4;
  std::string text;  // "127.0.0.1", "::1"
  bool operator==(const IpAddress&) const = default;
};

struct ResolvedName {
  std::vector<IpAddress> addresses;  // in the resolver's order
  absl::Duration time_to_live;
  // Whether it is known of both families which addresses there are. False: the servers were silent about a
  // family so far, or failed.
  bool complete = true;
};

// The time that a look-up gives a slow family once it has addresses of the other.
enum class LookupPatience {
  kShort,  // the delays of RFC 8305; then an incomplete answer
  kLong,   // until the servers have answered or failed, since the addresses found so far were of no use
};

class Network {
 public:
  virtual ~Network() = default;

  // Resolves a host name, never a literal, to its A and AAAA addresses. Not cached (NameCache does that).
  // kNotFound: the name does not exist; kUnavailable: no resolver answered.
  virtual Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, LookupPatience patience,
                                                    Cancellation& cancellation) = 0;

  struct ConnectOptions {
    bool tcp_nodelay = true;
  };
  // Opens one TCP connection to one address. Errors name the address and the system's reason.
  virtual Task<absl::StatusOr<std::unique_ptr<Transport>>> Connect(IpAddress address, uint16_t port,
                                                                   ConnectOptions options,
                                                                   Cancellation& cancellation) = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_NETWORK_H_
