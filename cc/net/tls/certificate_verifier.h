// Judges the chain a server sent: signed up to a trusted root, valid now, made out to the name asked for.
//
// What it refuses it names: the host, the certificate at fault, and what is wrong with it ("expired on",
// the names it does bear, the issuer nobody here knows). One thread.

#ifndef THAW_CC_NET_TLS_CERTIFICATE_VERIFIER_H_
#define THAW_CC_NET_TLS_CERTIFICATE_VERIFIER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/net/tls/trusted_roots.h"

struct ssl_st;

namespace thaw {

// Whether a name is an IPv4 or IPv6 literal: such a one is looked for among a certificate's addresses,
// and is never sent as SNI (RFC 6066 section 3).
bool IsIpLiteral(const std::string& name);

// Judges what the peer of `ssl` has sent. Gives the time until which all certificates of the chain are
// valid, or FailedPrecondition.
absl::StatusOr<absl::Time> VerifyPeer(const ssl_st* ssl, const std::string& server_name, absl::Time now,
                                      TrustedRoots& roots);

}  // namespace thaw

#endif  // THAW_CC_NET_TLS_CERTIFICATE_VERIFIER_H_
