// Adds real TLS to world W0 on both sides: the project's connector over the simulated stream, and BoringSSL
// at the intake. It is ten to twenty times slower than the scripted phase. For tests only, since it uses
// their server.
//
//   SimulationOptions options{.cycles = 300, .tls = RealTls()};
//   const SimulationResult result = Simulate(options);  // result.counts.connection.tls_resumed
//
// Keys, nonces and tickets are BoringSSL's own and not drawn from the seed. Their values do not affect the
// simulation, but lengths may differ by some bytes, and with them the steps of a run in which a fault cuts
// segments to a few bytes.

#ifndef THAW_CC_SIM_REAL_TLS_H_
#define THAW_CC_SIM_REAL_TLS_H_

#include "cc/net/client_options.h"
#include "cc/sim/sim_tls.h"

namespace thaw {

// Returns TLS that resumes sessions and verifies the chain against an authority made by this process.
SimTlsFactory RealTls(TlsVersion server_max_version = TlsVersion::kTls13);

}  // namespace thaw

#endif  // THAW_CC_SIM_REAL_TLS_H_
