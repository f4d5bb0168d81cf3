// Builds a client over a given dialer, for tests and the simulation; other code uses client_factory.h.

#ifndef THAW_CC_NET_POOLED_CLIENT_H_
#define THAW_CC_NET_POOLED_CLIENT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/dialer.h"
#include "cc/net/random.h"

namespace thaw {

// Returns InvalidArgument for options that are not valid. `executor` and `clock` must outlive the client;
// `random` draws the jitter. Close() the client and run the executor until it is settled() before destroying
// it. `counts`, if given, is where the client counts, so that a dialer may share it.
absl::StatusOr<std::unique_ptr<Client>> MakeClientWithDialer(Executor& executor, Clock& clock,
                                                             std::unique_ptr<Dialer> dialer,
                                                             ClientOptions options, RandomFraction random,
                                                             std::shared_ptr<ClientCounts> counts = nullptr);

}  // namespace thaw

#endif  // THAW_CC_NET_POOLED_CLIENT_H_
