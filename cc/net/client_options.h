// The one place where a client is configured: pooling, sharing, deadlines, retry, TLS, proxy.
//
// Defaults are those for on-demand Lambda; DefaultClientOptions() of cc/config gives the ones for where
// the process runs. The peers' clients of the past are this struct with other values (see
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

namespace thaw {

// What a resume does to idle connections.
enum class OnResume {
  kKeep,   // nothing
  kProbe,  // look at each: readable bytes, end or reset are found; what looks well is kept
  kDrain,  // close all. Under on-demand Lambda a connection then lives within one epoch only
};

// How a failed request on a reused connection is resent without being counted.
enum class ResendRule {
  kFailureClass,  // by ClassOf()
  kUnsentOnly,    // only what a connection handed back untouched, as often as there are pooled connections;
                  // any other failure is final for the attempt (as hyper-util 0.1.20 does)
};

// How a connection is judged before it is reused.
enum class Liveness {
  kPeek,         // one read without waiting
  kReactorOnly,  // hyper: only what the event loop had delivered by then
};

// By which clock idle_timeout is measured.
enum class ExpiryClock {
  kLargest,    // the clock that advanced most
  kMonotonic,  // hyper
};

enum class TlsVersion { kTls12, kTls13 };

struct ClientOptions {
  // -- Reuse ---------------------------------------------------------------------------------------
  // How many connections to one destination may be kept idle; 0: none. Unlimited: kUnlimited.
  static constexpr int kUnlimited = 1 << 30;
  int max_idle_per_host = 0;
  // Hand a connection that has just finished a request to one that already waits. Always so when
  // max_idle_per_host > 0.
  bool share_within_flush = true;
  // How long the first waiter waits for a shared connection before another is dialled; unset: no longer
  // than it pays, by how many wait and by what the last exchange and the last dial took (pool.h).
  std::optional<absl::Duration> share_patience;
  // Idle connections older than this are closed. The Datadog intake closes at 60 s.
  absl::Duration idle_timeout = absl::Seconds(15);
  int max_connections_per_host = 6;
  OnResume on_resume = OnResume::kDrain;
  Liveness liveness = Liveness::kPeek;
  ExpiryClock expiry_clock = ExpiryClock::kLargest;
  // Dial as soon as no idle connection is to be had, however many are being opened (hyper-util).
  bool dial_eagerly = false;

  // -- Deadlines -----------------------------------------------------------------------------------
  // One exchange over all its phases.
  absl::Duration exchange_timeout = absl::Seconds(30);
  // How long an exchange that was open at a resume may go on after it.
  absl::Duration resume_grace = absl::Seconds(1);
  // What deadlines do when they fire late (kFire: as peers' clients do).
  LateAlarm late_alarm = LateAlarm::kRearm;

  // -- Retry ---------------------------------------------------------------------------------------
  int max_attempts = 3;
  // Full jitter: a delay is drawn from [0, min(backoff_cap, backoff_base * 2^n)].
  absl::Duration backoff_base = absl::Milliseconds(100);
  absl::Duration backoff_cap = absl::Seconds(2);
  ResendRule resend_rule = ResendRule::kFailureClass;

  // -- HTTP ----------------------------------------------------------------------------------------
  std::string user_agent = "thaw";
  size_t max_response_head_bytes = 64 * 1024;
  // What of a response body is kept for the caller.
  size_t max_response_body_kept_bytes = 16 * 1024;
  // A longer body isn't drained: the connection is closed.
  size_t max_response_body_drained_bytes = 256 * 1024;
  bool tcp_nodelay = true;

  // -- TLS -----------------------------------------------------------------------------------------
  // A PEM file of one or many certificates, added to the public roots.
  std::string tls_cert_file;
  // The operating system's bundle, added to the public roots.
  bool use_os_roots = false;
  // Public roots compiled in (Mozilla's). Off: only what the two above name is trusted.
  bool use_public_roots = true;
  bool skip_ssl_validation = false;
  bool tls_session_resumption = true;
  TlsVersion tls_min_version = TlsVersion::kTls12;
  TlsVersion tls_max_version = TlsVersion::kTls13;

  // -- Proxy ---------------------------------------------------------------------------------------
  std::string proxy_url;              // http:// or https://, with user:password@ if it wants them
  std::vector<std::string> no_proxy;  // "host", ".suffix", "*.suffix", "*", "10.0.0.0/8", "host:port"

  // InvalidArgument names the field and the value.
  absl::Status Validate() const;
};

}  // namespace thaw

#endif  // THAW_CC_NET_CLIENT_OPTIONS_H_
