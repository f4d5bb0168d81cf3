// The TLS 1.2 and 1.3 client. It verifies host name and chain against the public roots, a PEM file and, on
// request, the operating system's bundle; it remembers sessions and resumes them.
//
//   std::vector<std::string> warnings;
//   THAW_ASSIGN_OR_RETURN(auto tls, MakeTlsConnector(executor, clock, options, counts, &warnings));
//
// Before the first handshake it draws no random numbers, makes no context and reads no certificate, so that a
// snapshot taken before then holds no key material.

#ifndef THAW_CC_NET_TLS_BORING_TLS_CONNECTOR_H_
#define THAW_CC_NET_TLS_BORING_TLS_CONNECTOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/tls_connector.h"

namespace thaw {

// `executor`, `clock` and `counts` must outlive the connector. A certificate file that is missing, empty or
// not PEM is not an error: it is skipped, and a line in `warnings` names it and says why. Another line says
// so if skip_ssl_validation is on. Returns InvalidArgument if the minimum version is above the maximum.
absl::StatusOr<std::unique_ptr<TlsConnector>> MakeTlsConnector(Executor& executor, Clock& clock,
                                                               const ClientOptions& options,
                                                               ConnectionCounts& counts,
                                                               std::vector<std::string>* warnings);

// The number of TLS contexts that this process has made. Tests use it to show that a snapshot holds none.
int64_t TlsContextsMade();

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_BORING_TLS_CONNECTOR_H_
