// Verifies a server's certificate chain: signed by a trusted root, valid now, issued for the name asked for.
//
// An error names the host, the certificate at fault and what is wrong with it ("expired on", the names that
// it contains, the unknown issuer). One thread.

#ifndef THAW_CC_NET_TLS_CERTIFICATE_VERIFIER_H_
#define THAW_CC_NET_TLS_CERTIFICATE_VERIFIER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/net/tls/trusted_roots.h"

struct ssl_st;

namespace thaw {

// Returns whether a name is an IPv4 or IPv6 literal. A literal is matched against a certificate's addresses
// and never sent as SNI (RFC 6066 section 3).
bool IsIpLiteral(const std::string& name);

// Verifies the chain that the peer of `ssl` sent. Returns the time until which all its certificates are
// valid, or FailedPrecondition.
absl::StatusOr<absl::Time> VerifyPeer(const ssl_st* ssl, const std::string& server_name, absl::Time now,
                                      TrustedRoots& roots);

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_CERTIFICATE_VERIFIER_H_
