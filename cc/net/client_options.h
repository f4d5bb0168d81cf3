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
  // The rule of hyper-util 0.1.20: resends only a request that a reused connection returned untouched, at
  // most as often as there are pooled connections; any other failure ends the attempt.
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

// The comment of each field is its docstring in Python, too (python/bindings/option_texts.py).
struct ClientOptions {
  // -- Reuse ---------------------------------------------------------------------------------------
  // Limits the idle connections kept per destination: 0 keeps none, kUnlimited any number. An idle connection
  // saves a handshake, but one that is kept across a freeze may be dead when it is reused.
  static constexpr int kUnlimited = 1 << 30;
  int max_idle_per_host = 0;
  // Hands a connection that has just finished a request to a request that is waiting; off: every request of a
  // flush opens its own. Always on if max_idle_per_host > 0.
  bool share_within_flush = true;
  // The time for which the first waiting request waits for a shared connection before another one is dialled.
  // Unset: as long as waiting is likely to be faster than dialling, given the number of waiting requests and
  // the times of the last exchange and the last dial (pool.h).
  std::optional<absl::Duration> share_patience;
  // Closes connections that have been idle for longer than this. A longer time saves handshakes; the Datadog
  // intake closes idle connections after 60 s, and a request on a connection that it has closed is resent.
  absl::Duration idle_timeout = absl::Seconds(15);
  // Limits open connections and dials per destination. Requests beyond it wait for a connection.
  int max_connections_per_host = 6;
  // The effect of a resume on idle connections: kKeep leaves them, kProbe closes those that have visibly
  // ended, kDrain closes all, so that under on-demand Lambda none outlives an invocation.
  OnResume on_resume = OnResume::kDrain;
  // The check of an idle connection before it is reused: kPeek reads once without waiting, kReactorOnly
  // relies on the events that the loop has delivered so far, and may miss an end that came during a freeze.
  Liveness liveness = Liveness::kPeek;
  // The clock that measures idle_timeout: kLargest is the one that advanced most, kMonotonic may stand still
  // during a freeze, so that connections look younger than they are.
  ExpiryClock expiry_clock = ExpiryClock::kLargest;
  // Dials whenever no idle connection is available, however many dials are under way (as hyper-util does),
  // which opens connections that no request needs any more.
  bool dial_eagerly = false;

  // -- Deadlines -----------------------------------------------------------------------------------
  // Limits one exchange over all its phases, the wait for a connection included. An exchange that takes
  // longer is ended, and retried if its failure class allows it.
  absl::Duration exchange_timeout = absl::Seconds(30);
  // Limits an exchange that was open at a resume, from the resume on. A longer time waits longer for answers
  // on dead connections; a shorter one resends requests that may have been accepted.
  absl::Duration resume_grace = absl::Seconds(1);
  // The behaviour of deadlines that fire late: kRearm waits for the remainder, kFire counts frozen time as
  // the peer's slowness, as peers' clients do.
  LateAlarm late_alarm = LateAlarm::kRearm;

  // -- Retry ---------------------------------------------------------------------------------------
  // Limits the tries of one request that count as attempts (exchange_failure.h), the first one included;
  // 1 turns retries off.
  int max_attempts = 3;
  // The scale of the delays between tries: the delay after n failed attempts is drawn between zero and the
  // lesser of backoff_cap and backoff_base * 2^(n - 1). Zero retries at once.
  absl::Duration backoff_base = absl::Milliseconds(100);
  // Limits the delay between two tries.
  absl::Duration backoff_cap = absl::Seconds(2);
  // The rule for resending a failed request on a reused connection without counting an attempt: by the
  // failure's class, or only if the connection handed it back untouched, as hyper-util does.
  ResendRule resend_rule = ResendRule::kFailureClass;

  // -- HTTP ----------------------------------------------------------------------------------------
  // The User-Agent header of requests that have none. It may have no control characters.
  std::string user_agent = "thaw";
  // Limits the bytes of a response's status line and headers; a longer head fails the exchange, unless its
  // status line is that of a success.
  size_t max_response_head_bytes = 64 * 1024;
  // Limits the bytes of a response body that are kept for the caller; the rest is read and dropped.
  size_t max_response_body_kept_bytes = 16 * 1024;
  // Limits the bytes of a response body that are read; the connection is closed instead of reading a longer
  // one to its end.
  size_t max_response_body_drained_bytes = 256 * 1024;
  // Sets TCP_NODELAY on each connection; off: small writes may wait for an acknowledgement.
  bool tcp_nodelay = true;

  // -- TLS -----------------------------------------------------------------------------------------
  // The path of a PEM file with certificates that are trusted in addition to the public roots; empty: none. A
  // client is not made if nothing in the file can be used.
  std::string tls_cert_file;
  // Trusts the operating system's bundle in addition to the public roots.
  bool use_os_roots = false;
  // Trusts Mozilla's public roots, which are compiled in. Off: only the certificates named by tls_cert_file
  // and use_os_roots are trusted.
  bool use_public_roots = true;
  // Accepts any certificate, so that anybody on the path can read and change the data; a warning says so.
  bool skip_ssl_validation = false;
  // Resumes earlier TLS sessions, which saves the certificate and its verification.
  bool tls_session_resumption = true;
  // The oldest version of TLS that is accepted: kTls12 or kTls13.
  TlsVersion tls_min_version = TlsVersion::kTls12;
  // The newest version of TLS that is offered: kTls12 or kTls13.
  TlsVersion tls_max_version = TlsVersion::kTls13;
  // The versions of HTTP offered to a server by ALPN, the preferred one first. None: no such extension is
  // sent, and HTTP/1.1 is spoken.
  std::vector<std::string> http_protocols = OnlyHttp11();

  // -- Proxy ---------------------------------------------------------------------------------------
  // The proxy's URL, http:// or https://, with user:password@ if the proxy wants them; empty: no proxy. User
  // and password are masked where options are shown.
  std::string proxy_url;
  // Destinations that are connected to without the proxy: "host", ".suffix", "*.suffix", "*", "10.0.0.0/8",
  // "host:port".
  std::vector<std::string> no_proxy;

  // Returns InvalidArgument, naming the field and its value, if an option is out of range.
  absl::Status Validate() const;
};

}  // namespace thaw

#endif  // THAW_CC_NET_CLIENT_OPTIONS_H_
