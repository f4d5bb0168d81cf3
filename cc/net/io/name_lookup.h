// Host names by c-ares on the event loop: its sockets are watched and its time-outs are alarms of the loop.
// The hosts file is asked first; then all nameservers of resolv.conf, one after the other and beside each
// other, as name_race.h says.

#ifndef THAW_CC_NET_IO_NAME_LOOKUP_H_
#define THAW_CC_NET_IO_NAME_LOOKUP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/io/dns_options.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/transport.h"

namespace thaw {

class NameLookup {
 public:
  virtual ~NameLookup() = default;

  // As Network::Lookup().
  virtual Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, Cancellation& cancellation) = 0;
};

// Nothing is opened or read before the first lookup. `loop` must outlive it.
std::unique_ptr<NameLookup> MakeNameLookup(EventLoop& loop, DnsOptions options);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_NAME_LOOKUP_H_
