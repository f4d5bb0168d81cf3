#include "cc/net/client_factory.h"

#include <utility>

#include "cc/base/status_macros.h"
#include "cc/net/client_counts.h"
#include "cc/net/dial/stack_dialer.h"
#include "cc/net/dialer.h"
#include "cc/net/pooled_client.h"
#include "cc/net/tls/boring_tls_connector.h"
#include "cc/net/tls_connector.h"

namespace thaw {

absl::StatusOr<std::unique_ptr<Client>> MakeClient(Executor& executor, Clock& clock, Network& network,
                                                   ClientOptions options, RandomFraction random,
                                                   std::vector<std::string>* warnings) {
  THAW_RETURN_IF_ERROR(options.Validate());
  // Pool, dialer and TLS share one struct of counts, which the client owns.
  const auto counts = std::make_shared<ClientCounts>();
  THAW_ASSIGN_OR_RETURN(std::unique_ptr<TlsConnector> tls,
                        MakeTlsConnector(executor, clock, options, counts->connection, warnings));
  THAW_ASSIGN_OR_RETURN(
      std::unique_ptr<Dialer> dialer,
      MakeStackDialer(executor, clock, network, std::move(tls), options, counts->connection));
  return MakeClientWithDialer(executor, clock, std::move(dialer), std::move(options), std::move(random),
                              counts);
}

}  // namespace thaw
