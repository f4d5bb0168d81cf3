// Configures a client: pooling, sharing, deadlines, retry, TLS, proxy.
//
// The defaults are for on-demand Lambda; DefaultClientOptions() of cc/config returns those for other
// environments. The clients of other extensions are this struct with other values (see
// python/thaw/lab/arms.py), so that an experiment compares policies and not two code bases.

#ifndef THAW_CC_NET_CLIENT_OPTIONS_H_
#define THAW_CC_NET_CLIENT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/net/http_protocol.h"

namespace thaw {

// The effect of a resume on idle connections.
enum class OnResume {
  kKeep,  // no effect
  // Looks at each connection once and closes those with readable bytes, an end or a reset.
  kProbe,
  // Closes all of them. Under on-demand Lambda, a connection then lives within one epoch only.
  kDrain,
};

// The rule for resending a failed request on a reused connection without counting an attempt.
enum class ResendRule {
  kFailureClass,  // decided by ClassOf()
  // As hyper-util 0.1.20 does: resends only a request that a reused connection returned untouched, at most as
  // often as there are pooled connections; any other failure ends the attempt.
  kUnsentOnly,
};

// The check of an idle connection before it is reused.
enum class Liveness {
  kPeek,         // one read that does not wait
  kReactorOnly,  // only the events that the loop has delivered so far, as hyper does
};

// The clock that measures idle_timeout.
enum class ExpiryClock {
  kLargest,    // the clock that advanced most
  kMonotonic,  // the monotonic clock, as hyper does
};

enum class TlsVersion { kTls12, kTls13 };

struct ClientOptions {
  // -- Reuse ---------------------------------------------------------------------------------------
  // The maximum number of idle connections kept per destination; 0 keeps none, kUnlimited any number. An idle
  // connection saves a handshake, but one that is kept across a freeze may be dead when it is reused.
  static constexpr int kUnlimited = 1 << 30;
  int max_idle_per_host = 0;
  // Hands a connection that has just finished a request to a request that is waiting. Always done if
  // max_idle_per_host > 0.
  bool share_within_flush = true;
  // The time that the first waiting request waits for a shared connection before another one is dialled.
  // Unset: as long as waiting is likely to be faster than dialling, given the number of waiting requests and
  // the times of the last exchange and the last dial (pool.h).
  std::optional<absl::Duration> share_patience;
  // Closes connections that have been idle for longer than this. The Datadog intake closes them after 60 s.
  absl::Duration idle_timeout = absl::Seconds(15);
  // Limits open connections and dials per destination. Requests beyond it wait for a connection.
  int max_connections_per_host = 6;
  OnResume on_resume = OnResume::kDrain;
  Liveness liveness = Liveness::kPeek;
  ExpiryClock expiry_clock = ExpiryClock::kLargest;
  // Dials whenever no idle connection is available, however many dials are under way (as hyper-util does).
  bool dial_eagerly = false;

  // -- Deadlines -----------------------------------------------------------------------------------
  // Limits one exchange over all its phases, the wait for a connection included.
  absl::Duration exchange_timeout = absl::Seconds(30);
  // The time for which an exchange that was open at a resume may go on after it.
  absl::Duration resume_grace = absl::Seconds(1);
  // The behaviour of deadlines that fire late. kFire counts frozen time as the peer's slowness, as peers'
  // clients do.
  LateAlarm late_alarm = LateAlarm::kRearm;

  // -- Retry ---------------------------------------------------------------------------------------
  // Limits the tries of one request that count as attempts (exchange_failure.h); 1 turns retries off.
  int max_attempts = 3;
  // Full jitter: the delay after n failed attempts is drawn from zero to
  // min(backoff_cap, backoff_base * 2^(n - 1)), unless SendOptions::jitter is off.
  absl::Duration backoff_base = absl::Milliseconds(100);
  absl::Duration backoff_cap = absl::Seconds(2);
  ResendRule resend_rule = ResendRule::kFailureClass;

  // -- HTTP ----------------------------------------------------------------------------------------
  std::string user_agent = "thaw";
  size_t max_response_head_bytes = 64 * 1024;
  // The number of bytes of a response body that are kept for the caller; the rest is read and dropped.
  size_t max_response_body_kept_bytes = 16 * 1024;
  // A response body longer than this is not read to its end: the connection is closed instead.
  size_t max_response_body_drained_bytes = 256 * 1024;
  bool tcp_nodelay = true;

  // -- TLS -----------------------------------------------------------------------------------------
  // A PEM file with certificates that are trusted in addition to the public roots.
  std::string tls_cert_file;
  // Trusts the operating system's bundle in addition to the public roots.
  bool use_os_roots = false;
  // Trusts Mozilla's public roots, which are compiled in. Off: only the certificates named by the two options
  // above are trusted.
  bool use_public_roots = true;
  // Accepts any certificate, so that anybody on the path can read and change the data; a warning says so.
  bool skip_ssl_validation = false;
  // Resumes earlier TLS sessions, which saves the certificate and its verification.
  bool tls_session_resumption = true;
  TlsVersion tls_min_version = TlsVersion::kTls12;
  TlsVersion tls_max_version = TlsVersion::kTls13;
  // The versions of HTTP offered to a server by ALPN, the preferred one first. None: no such extension is
  // sent, and HTTP/1.1 is spoken.
  std::vector<std::string> http_protocols = OnlyHttp11();

  // -- Proxy ---------------------------------------------------------------------------------------
  std::string proxy_url;              // http:// or https://, with user:password@ if the proxy wants them
  std::vector<std::string> no_proxy;  // "host", ".suffix", "*.suffix", "*", "10.0.0.0/8", "host:port"

  // Returns InvalidArgument, naming the field and its value, if an option is out of range.
  absl::Status Validate() const;
};

}  // namespace thaw

#endif  // THAW_CC_NET_CLIENT_OPTIONS_H_
