// Builds the client: dialer, TLS, pool and retry, for direct and proxied connections alike. No other code
// assembles them.
//
//   THAW_ASSIGN_OR_RETURN(std::unique_ptr<Client> client,
//                         MakeClient(loop, loop, *network, options, std::move(random), &warnings));

#ifndef THAW_CC_NET_CLIENT_FACTORY_H_
#define THAW_CC_NET_CLIENT_FACTORY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client.h"
#include "cc/net/client_options.h"
#include "cc/net/network.h"
#include "cc/net/random.h"

namespace thaw {

// Returns InvalidArgument for options that are not valid (a proxy URL that doesn't parse). A certificate file
// that can't be read is not an error: it is skipped, and a line in `warnings` names it. `executor`, `clock`
// and `network` must outlive the client. Close() the client and run the executor until it is settled() before
// destroying it.
absl::StatusOr<std::unique_ptr<Client>> MakeClient(Executor& executor, Clock& clock, Network& network,
                                                   ClientOptions options, RandomFraction random,
                                                   std::vector<std::string>* warnings);

}  // namespace thaw

#endif  // THAW_CC_NET_CLIENT_FACTORY_H_
