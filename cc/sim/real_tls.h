// World W0 with TLS that is real on both sides: the project's connector over the simulated stream, and
// BoringSSL at the intake. Ten to twenty times slower than the scripted phase. For tests: the server is
// theirs.
//
//   SimulationOptions options{.cycles = 300, .tls = RealTls()};
//   const SimulationResult result = Simulate(options);  // result.counters.connection.tls_resumed
//
// Keys, nonces and tickets are BoringSSL's own and not drawn from the seed. Their values change nothing that
// the simulation does, but lengths may differ by some bytes, and with them the steps of a run in which a
// fault cuts segments to a few bytes.

#ifndef THAW_CC_SIM_REAL_TLS_H_
#define THAW_CC_SIM_REAL_TLS_H_

#include "cc/net/client_options.h"
#include "cc/sim/sim_tls.h"

namespace thaw {

// Sessions are resumed, and the chain is verified against an authority of this process's own.
SimTlsFactory RealTls(TlsVersion server_max_version = TlsVersion::kTls13);

}  // namespace thaw

#endif  // THAW_CC_SIM_REAL_TLS_H_
