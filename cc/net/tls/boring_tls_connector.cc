#include "cc/net/tls/boring_tls_connector.h"

#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http_protocol.h"
#include "cc/net/io/system_random.h"
#include "cc/net/tls/certificate_verifier.h"
#include "cc/net/tls/session_store.h"
#include "cc/net/tls/tls_error.h"
#include "cc/net/tls/tls_transport.h"
#include "cc/net/tls/trusted_roots.h"
#include "openssl/pool.h"
#include "openssl/ssl.h"

namespace thaw {
namespace {

// State that all connections of one connector share; each holds it, since a ticket may come while one closes.
struct Shared {
  Shared(Clock& the_clock, const ClientOptions& options, ConnectionCounts& the_counts)
      : clock(the_clock),
        counts(the_counts),
        verify(!options.skip_ssl_validation),
        resumption(options.tls_session_resumption),
        minimum(options.tls_min_version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION),
        maximum(options.tls_max_version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION),
        roots({.public_roots = options.use_public_roots, .os_roots = options.use_os_roots}) {}

  Clock& clock;
  ConnectionCounts& counts;
  const bool verify;
  const bool resumption;
  const uint16_t minimum;
  const uint16_t maximum;
  TrustedRoots roots;
  SessionStore sessions;
};

// State for the callbacks of one SSL.
struct Connection {
  std::shared_ptr<Shared> shared;
  SessionKey key;
  uint64_t generation = 0;
  absl::Time trusted_until = absl::InfiniteFuture();
  absl::Status refused;  // why verification failed
};

int ConnectionIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

Connection& ConnectionOf(const SSL* ssl) {
  return *static_cast<Connection*>(SSL_get_ex_data(ssl, ConnectionIndex()));
}

void TellTime(const SSL*, timeval* out) {
  const Clock* clock = TlsTime::current();
  CHECK(clock != nullptr) << "TLS asked for the time outside a TlsTime";
  *out = absl::ToTimeval(std::max(clock->Now().wall, absl::UnixEpoch()));
}

enum ssl_verify_result_t Verify(SSL* ssl, uint8_t* out_alert) {
  Connection& connection = ConnectionOf(ssl);
  Shared& shared = *connection.shared;
  if (!shared.verify) return ssl_verify_ok;  // nothing is even parsed
  absl::StatusOr<absl::Time> until =
      VerifyPeer(ssl, connection.key.server_name, shared.clock.Now().wall, shared.roots);
  if (until.ok()) {
    connection.trusted_until = *until;
    return ssl_verify_ok;
  }
  connection.refused = std::move(until).status();
  *out_alert = SSL_AD_BAD_CERTIFICATE;
  return ssl_verify_invalid;
}

// Called only after the handshake that the session belongs to has passed verification.
int OnNewSession(SSL* ssl, SSL_SESSION* session) {
  Connection& connection = ConnectionOf(ssl);
  Shared& shared = *connection.shared;
  if (!SSL_SESSION_is_resumable(session)) return 0;
  ++shared.counts.tls_tickets;
  if (!shared.resumption) return 0;
  shared.sessions.Put(connection.key, SessionStore::Session(session), connection.trusted_until,
                      connection.generation, shared.clock.Now().wall);
  return 1;
}

class BoringTlsConnector : public TlsConnector {
 public:
  BoringTlsConnector(Executor& executor, std::shared_ptr<Shared> shared)
      : executor_(executor), shared_(std::move(shared)) {}

  Task<TlsResult> Handshake(std::unique_ptr<Transport> lower, TlsTarget target,
                            Cancellation& cancellation) override;
  void Forget() override { shared_->sessions.Forget(); }

 private:
  absl::Status MakeContext();
  absl::StatusOr<SslPointer> MakeSsl(const TlsTarget& target, Connection& connection);

  Executor& executor_;
  std::shared_ptr<Shared> shared_;
  bssl::UniquePtr<CRYPTO_BUFFER_POOL> certificates_;  // one copy of each certificate that sessions hold
  bssl::UniquePtr<SSL_CTX> context_;                  // made by the first handshake
};

// Offers protocols by ALPN (RFC 7301 section 3.1: each name after a byte with its length).
absl::Status OfferProtocols(const std::vector<std::string>& protocols, SSL* ssl) {
  std::string list;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError("TLS: the name of a protocol has no byte, or more than 255");
    }
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  if (SSL_set_alpn_protos(ssl, reinterpret_cast<const uint8_t*>(list.data()), list.size()) != 0) {
    return TlsStepFailed("the protocols can't be offered");
  }
  return absl::OkStatus();
}

// Returns the protocol that the server chose; HTTP/1.1 if it chose none.
std::string AgreedProtocol(const SSL* ssl) {
  const uint8_t* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return size == 0 ? std::string(kHttp11) : std::string(reinterpret_cast<const char*>(name), size);
}

std::atomic<int64_t> contexts_made{0};

absl::Status BoringTlsConnector::MakeContext() {
  contexts_made.fetch_add(1, std::memory_order_relaxed);
  // This method keeps certificates as bytes, so that only those that are needed get parsed.
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  if (context == nullptr) return TlsStepFailed("no context can be made");
  certificates_.reset(CRYPTO_BUFFER_POOL_new());
  SSL_CTX_set0_buffer_pool(context.get(), certificates_.get());
  // X25519 comes first: the only key share offered, and the cheapest. There is no post-quantum group: it
  // triples the first flight, and no intake asks for it. P-521 is here for TLS 1.2, where the curve of a
  // server's key must be among the groups.
  static constexpr uint16_t kGroups[] = {SSL_GROUP_X25519, SSL_GROUP_SECP256R1, SSL_GROUP_SECP384R1,
                                         SSL_GROUP_SECP521R1};
  // BoringSSL's defaults, and those it omits for browsers' sake: Ed25519, P-521, and keys that are marked for
  // RSASSA-PSS alone (third_party/boringssl_rsa_pss.py).
  static constexpr uint16_t kRsaPssPssSha256 = 0x0809, kRsaPssPssSha384 = 0x080a, kRsaPssPssSha512 = 0x080b;
  static constexpr uint16_t kSignatures[] = {SSL_SIGN_ECDSA_SECP256R1_SHA256,
                                             SSL_SIGN_RSA_PSS_RSAE_SHA256,
                                             SSL_SIGN_RSA_PKCS1_SHA256,
                                             SSL_SIGN_ED25519,
                                             SSL_SIGN_ECDSA_SECP384R1_SHA384,
                                             SSL_SIGN_RSA_PSS_RSAE_SHA384,
                                             SSL_SIGN_RSA_PKCS1_SHA384,
                                             SSL_SIGN_ECDSA_SECP521R1_SHA512,
                                             SSL_SIGN_RSA_PSS_RSAE_SHA512,
                                             SSL_SIGN_RSA_PKCS1_SHA512,
                                             kRsaPssPssSha256,
                                             kRsaPssPssSha384,
                                             kRsaPssPssSha512,
                                             SSL_SIGN_RSA_PKCS1_SHA1};
  // TLS 1.3 suites depend on the processor (AES-GCM where it has AES). TLS 1.2 keeps those with forward
  // secrecy.
  static constexpr char kTls12Suites[] =
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
      "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
  if (!SSL_CTX_set_min_proto_version(context.get(), shared_->minimum) ||
      !SSL_CTX_set_max_proto_version(context.get(), shared_->maximum) ||
      !SSL_CTX_set1_group_ids(context.get(), kGroups, std::size(kGroups)) ||
      !SSL_CTX_set_verify_algorithm_prefs(context.get(), kSignatures, std::size(kSignatures)) ||
      !SSL_CTX_set_strict_cipher_list(context.get(), kTls12Suites)) {
    return TlsStepFailed("versions, groups, signatures or suites can't be set");
  }
  SSL_CTX_set_custom_verify(context.get(), SSL_VERIFY_PEER, Verify);
  SSL_CTX_set_current_time_cb(context.get(), TellTime);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), OnNewSession);
  if (!shared_->resumption) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  context_ = std::move(context);
  return absl::OkStatus();
}

absl::StatusOr<SslPointer> BoringTlsConnector::MakeSsl(const TlsTarget& target, Connection& connection) {
  TlsTime time(shared_->clock);
  if (absl::Status status = SeedKeysAnew(); !status.ok()) return status;
  if (context_ == nullptr) {
    if (absl::Status status = MakeContext(); !status.ok()) return status;
  }
  SslPointer ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return TlsStepFailed("no connection can be made");
  if (!SSL_set_ex_data(ssl.get(), ConnectionIndex(), &connection)) {
    return TlsStepFailed("the connection's own data can't be set");
  }
  if (absl::Status status = OfferProtocols(target.protocols, ssl.get()); !status.ok()) return status;
  if (!IsIpLiteral(target.server_name) && !SSL_set_tlsext_host_name(ssl.get(), target.server_name.c_str())) {
    return TlsStepFailed(absl::StrCat("\"", target.server_name, "\" is no host name"));
  }
  SSL_set_connect_state(ssl.get());
  if (shared_->resumption) {
    if (auto remembered = shared_->sessions.Take(connection.key, shared_->clock.Now().wall)) {
      SSL_set_session(ssl.get(), remembered->session.get());
      connection.trusted_until = remembered->trusted_until;
    }
  }
  return ssl;
}

// Describes a handshake that failed. `refused`: why the certificate was rejected here; OK if it was not.
ExchangeFailure FailureOfHandshake(const TlsHandshake& outcome, const absl::Status& refused,
                                   std::string_view where, const Cancellation& cancellation) {
  if (!refused.ok()) return MakeFailure(Phase::kTls, Fault::kCertificate, where, refused);
  if (outcome.failed == TlsHandshake::Failed::kTls) {
    return MakeFailure(Phase::kTls, Fault::kProtocol, where, outcome.status, cancellation);
  }
  if (absl::IsOutOfRange(outcome.status)) {
    return MakeFailure(Phase::kTls, Fault::kEnd, where,
                       absl::OutOfRangeError("the peer ended the stream during the handshake"), cancellation);
  }
  return MakeFailure(Phase::kTls, Fault::kReset, where, outcome.status, cancellation);
}

Task<TlsResult> BoringTlsConnector::Handshake(std::unique_ptr<Transport> lower, TlsTarget target,
                                              Cancellation& cancellation) {
  TlsResult result;
  // "host." is the absolute form of "host", and no certificate contains it (RFC 6066 section 3).
  if (target.server_name.ends_with('.')) target.server_name.pop_back();
  auto connection = std::make_shared<Connection>();
  connection->shared = shared_;
  connection->generation = shared_->sessions.generation();
  connection->key = {.host = target.destination.host,
                     .port = target.destination.port,
                     .proxy = target.proxy,
                     .server_name = target.server_name,
                     .verified = shared_->verify,
                     .roots = shared_->roots.fingerprint()};
  const auto where = [&target] {
    return absl::StrCat("TLS with ", target.server_name, ":", target.destination.port,
                        target.proxy.empty() ? "" : absl::StrCat(" through ", target.proxy));
  };
  if (cancellation.requested()) {
    result.failure = MakeCancelledFailure(Phase::kTls, where(), cancellation.reason());
    co_return result;
  }
  absl::StatusOr<SslPointer> ssl = MakeSsl(target, *connection);
  if (!ssl.ok()) {
    result.failure = MakeFailure(Phase::kTls, Fault::kProtocol, where(), ssl.status());
    co_return result;
  }
  SSL* const handle = ssl->get();
  TlsParts parts{.lower = std::move(lower),
                 .ssl = *std::move(ssl),
                 .owner = connection,
                 .wants_tickets = shared_->resumption};
  TlsHandshake outcome = co_await ShakeHands(executor_, shared_->clock, std::move(parts), cancellation);
  if (outcome.failed == TlsHandshake::Failed::kNot) {
    result.transport = std::move(outcome.transport);
    result.resumed = SSL_session_reused(handle) != 0;  // lives with the transport
    result.protocol = AgreedProtocol(handle);
    ++(result.resumed ? shared_->counts.tls_resumed : shared_->counts.tls_full);
    // A full handshake verified its own chain; a resumed one relies on that of the first.
    co_return result;
  }
  result.failure = FailureOfHandshake(outcome, connection->refused, where(), cancellation);
  co_return result;
}

}  // namespace

int64_t TlsContextsMade() { return contexts_made.load(std::memory_order_relaxed); }

absl::StatusOr<std::unique_ptr<TlsConnector>> MakeTlsConnector(Executor& executor, Clock& clock,
                                                               const ClientOptions& options,
                                                               ConnectionCounts& counts,
                                                               std::vector<std::string>* warnings) {
  if (options.tls_min_version == TlsVersion::kTls13 && options.tls_max_version == TlsVersion::kTls12) {
    return absl::InvalidArgumentError("tls_min_version is above tls_max_version");
  }
  auto shared = std::make_shared<Shared>(clock, options, counts);
  if (!options.tls_cert_file.empty()) shared->roots.AddPemFile(options.tls_cert_file, warnings);
  if (options.skip_ssl_validation && warnings != nullptr) {
    warnings->push_back("skip_ssl_validation is on: servers' certificates are not checked");
  }
  return std::make_unique<BoringTlsConnector>(executor, std::move(shared));
}

}  // namespace thaw
