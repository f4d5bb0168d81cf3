// The TLS 1.2 and 1.3 client: host name and chain verified against the public roots, a PEM file and,
// on request, the operating system's bundle; sessions remembered and resumed.
//
//   std::vector<std::string> warnings;
//   THAW_ASSIGN_OR_RETURN(auto tls, MakeTlsConnector(executor, clock, options, counters, &warnings));
//
// Nothing is drawn from the random generator, no context is made and no certificate is read before the
// first handshake, so that a snapshot taken before it holds no key material.

#ifndef THAW_CC_NET_TLS_MAKE_TLS_CONNECTOR_H_
#define THAW_CC_NET_TLS_MAKE_TLS_CONNECTOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client_options.h"
#include "cc/net/counters.h"
#include "cc/net/tls_connector.h"

namespace thaw {

// `executor`, `clock` and `counters` must outlive the connector. A certificate file that is missing, empty
// or not PEM is no error: a line in `warnings` names it and says why, and it is done without. So is
// skip_ssl_validation: a line says that it is on. InvalidArgument: the versions exclude each other.
absl::StatusOr<std::unique_ptr<TlsConnector>> MakeTlsConnector(Executor& executor, Clock& clock,
                                                               const ClientOptions& options,
                                                               ConnectionCounters& counters,
                                                               std::vector<std::string>* warnings);

// How many TLS contexts this process has made; it proves that there is none in a snapshot.
int64_t TlsContextsMade();

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_MAKE_TLS_CONNECTOR_H_
