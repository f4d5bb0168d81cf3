// Asks nameservers for the addresses of one name, both families at once, without waiting long for silent
// servers.
//
//   const NameRaceResult result =
//       co_await RaceNameServers(executor, clock, servers, "intake.example.", order,
//                                LookupPatience::kShort, cancellation);
//
// RFC 8305 section 3: once there are IPv4 addresses, the IPv6 answer has 50 ms left, whether it is late or
// never comes. IPv6 addresses alone wait longer for IPv4, since there may be no IPv6 connectivity here. With
// LookupPatience::kLong they wait until every server has answered or failed, and IPv4 addresses wait a
// second. If a server is silent for 200 ms, the next one is asked beside it; if it fails, the next one is
// asked at once. The first definite answer counts, however late it comes. After the last server the first one
// is asked once more, since a packet may have been lost.

#ifndef THAW_CC_NET_IO_NAME_RACE_H_
#define THAW_CC_NET_IO_NAME_RACE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/net/network.h"

namespace thaw {

// RFC 8305 section 8: "Resolution Delay".
inline constexpr absl::Duration kResolutionDelay = absl::Milliseconds(50);
// The delay for IPv6 addresses that came first: as long as a connection to one of them has before an IPv4
// address would be tried beside it.
inline constexpr absl::Duration kResolutionDelayOfIpv6 = absl::Milliseconds(250);
// The delay for IPv4 addresses where patience is long: an IPv4 address that can't be reached is common, and
// so is a server that never answers about IPv6.
inline constexpr absl::Duration kLongResolutionDelay = absl::Seconds(1);
// The time for which a server may be silent before the next one is asked beside it, and before one is asked
// again.
inline constexpr absl::Duration kServerDelay = absl::Milliseconds(200);
inline constexpr absl::Duration kRepeatDelay = absl::Milliseconds(500);
// The time for which an answer is kept that lacks a family for which the server did not report absence.
inline constexpr absl::Duration kIncompleteTimeToLive = absl::Seconds(5);

class NameServers {
 public:
  // Addresses of one family. NotFound: there are none; anything else: the server doesn't know or is silent.
  struct Answer {
    absl::StatusOr<ResolvedName> name;
    bool no_such_name = false;  // for any family
  };
  using Done = absl::AnyInvocable<void(Answer)>;

  virtual ~NameServers() = default;

  // Asks one server for the addresses of one family. `done` runs once, possibly inside the call.
  virtual void Ask(size_t server, IpAddress::Family family, const std::string& name, Done done) = 0;
};

struct NameRaceResult {
  absl::StatusOr<ResolvedName> name;
  // The server that gave the first definite answer.
  std::optional<size_t> answered_by;
};

// `order` lists the servers in the order to ask them; it is not empty. `servers` may run `done` after the
// task has ended.
Task<NameRaceResult> RaceNameServers(Executor& executor, Clock& clock, NameServers& servers, std::string name,
                                     std::vector<size_t> order, LookupPatience patience,
                                     Cancellation& cancellation);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_NAME_RACE_H_
