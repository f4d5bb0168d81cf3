// Resolves host names by c-ares on the event loop: its sockets are watched by the loop and its time-outs are
// the loop's alarms. The hosts file is read first; then the nameservers of resolv.conf are asked, one after
// the other and beside each other as name_race.h describes.

#ifndef THAW_CC_NET_IO_NAME_LOOKUP_H_
#define THAW_CC_NET_IO_NAME_LOOKUP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/io/dns_options.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/network.h"

namespace thaw {

class NameLookup {
 public:
  virtual ~NameLookup() = default;

  // Resolves a name, as Network::Lookup() does.
  virtual Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, LookupPatience patience,
                                                    Cancellation& cancellation) = 0;
};

// Opens and reads nothing before the first lookup. `loop` must outlive the result.
std::unique_ptr<NameLookup> MakeNameLookup(EventLoop& loop, DnsOptions options);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_NAME_LOOKUP_H_
