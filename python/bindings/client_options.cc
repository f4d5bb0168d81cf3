// ClientOptions and the enums of its fields.

#include "cc/net/client_options.h"

#include <string>
#include <tuple>

#include "cc/clock/clock.h"
#include "cc/net/destination.h"
#include "pybind11/native_enum.h"
#include "python/bindings/bindings.h"
#include "python/bindings/defaults.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using O = ClientOptions;

const auto& Fields() {
  static const auto fields = std::make_tuple(
      Field{"max_idle_per_host", &O::max_idle_per_host,
            "How many connections to one destination may be kept idle; 0: none, the default under on-demand "
            "Lambda. ClientOptions.UNLIMITED: no limit."},
      Field{"share_within_flush", &O::share_within_flush,
            "Hand a connection that has just finished a request to one that already waits. Always so when "
            "max_idle_per_host > 0."},
      Field{"share_patience", &O::share_patience,
            "How long the first waiter waits for a shared connection before another is dialled, in seconds. "
            "None: no longer than it pays, by how many wait and by what the last exchange and dial took."},
      Field{"idle_timeout", &O::idle_timeout,
            "Idle connections older than this are closed, in seconds. The Datadog intake closes at 60."},
      Field{"max_connections_per_host", &O::max_connections_per_host,
            "Connections to one destination at a time."},
      Field{
          "on_resume", &O::on_resume,
          "What a resume does to idle connections: keep, probe or drain. With drain, under on-demand Lambda, "
          "a connection lives within one epoch only."},
      Field{"liveness", &O::liveness,
            "How a connection is judged before it is reused: peek (one read without waiting) or reactor_only "
            "(only what the event loop had delivered by then)."},
      Field{"expiry_clock", &O::expiry_clock,
            "By which clock idle_timeout is measured: largest (the one that advanced most) or monotonic."},
      Field{"dial_eagerly", &O::dial_eagerly,
            "Dial as soon as no idle connection is to be had, however many are being opened."},
      Field{"exchange_timeout", &O::exchange_timeout, "One exchange over all its phases, in seconds."},
      Field{"resume_grace", &O::resume_grace,
            "How long an exchange that was open at a resume may go on after it, in seconds."},
      Field{"late_alarm", &O::late_alarm,
            "What deadlines do when they fire late: rearm, or fire (frozen time counts as the peer's "
            "slowness)."},
      Field{"max_attempts", &O::max_attempts, "Tries that are counted, the first included."},
      Field{"backoff_base", &O::backoff_base,
            "A delay before try n + 1 is drawn from [0, min(backoff_cap, backoff_base * 2**n)] seconds."},
      Field{"backoff_cap", &O::backoff_cap, "The longest delay between two tries, in seconds."},
      Field{"resend_rule", &O::resend_rule,
            "How a failed request on a reused connection is resent: failure_class or hyper_zone1."},
      Field{"user_agent", &O::user_agent, "The User-Agent header, without control characters."},
      Field{"max_response_head_bytes", &O::max_response_head_bytes,
            "A longer head of an answer is a failure."},
      Field{"max_response_body_kept_bytes", &O::max_response_body_kept_bytes,
            "What of an answer's body is kept for the caller."},
      Field{"max_response_body_drained_bytes", &O::max_response_body_drained_bytes,
            "A longer body isn't drained: the connection is closed."},
      Field{"tcp_nodelay", &O::tcp_nodelay, "TCP_NODELAY on each connection."},
      Field<O, std::string, PathFace>{
          "tls_cert_file", &O::tls_cert_file,
          "A PEM file of one or many certificates, added to the public roots. Empty: none. A Client raises "
          "InvalidArgument if nothing of it can be used."},
      Field{"use_os_roots", &O::use_os_roots, "Trust the operating system's bundle too."},
      Field{"use_public_roots", &O::use_public_roots, "Trust the public roots that are compiled in."},
      Field{"skip_ssl_validation", &O::skip_ssl_validation, "Accept any certificate. Logged."},
      Field{"tls_session_resumption", &O::tls_session_resumption, "Remember TLS sessions and resume them."},
      Field{"tls_min_version", &O::tls_min_version, "tls12 or tls13."},
      Field{"tls_max_version", &O::tls_max_version, "tls12 or tls13."},
      Field{"proxy_url", &O::proxy_url,
            "http:// or https://, with user:password@ if it wants them. Empty: none. A repr masks them.",
            &MaskUrl},
      Field{"no_proxy", &O::no_proxy,
            "Destinations that don't go through the proxy: \"host\", \".suffix\", \"*.suffix\", \"*\", "
            "\"10.0.0.0/8\", \"host:port\"."});
  return fields;
}

}  // namespace

void BindClientOptions(py::module_& module) {
  py::native_enum<OnResume>(module, "OnResume", "enum.Enum", "What a resume does to idle connections.")
      .value("KEEP", OnResume::kKeep, "nothing")
      .value("PROBE", OnResume::kProbe, "look at each; what looks well is kept")
      .value("DRAIN", OnResume::kDrain, "close all")
      .finalize();
  KeepMembers<OnResume>(module, "OnResume");
  py::native_enum<Liveness>(module, "Liveness", "enum.Enum",
                            "How a connection is judged before it is reused.")
      .value("PEEK", Liveness::kPeek, "one read without waiting")
      .value("REACTOR_ONLY", Liveness::kReactorOnly, "only what the event loop had delivered by then")
      .finalize();
  KeepMembers<Liveness>(module, "Liveness");
  py::native_enum<ExpiryClock>(module, "ExpiryClock", "enum.Enum", "By which clock idle_timeout is measured.")
      .value("LARGEST", ExpiryClock::kLargest, "the clock that advanced most")
      .value("MONOTONIC", ExpiryClock::kMonotonic, "the monotonic clock")
      .finalize();
  KeepMembers<ExpiryClock>(module, "ExpiryClock");
  py::native_enum<LateAlarm>(module, "LateAlarm", "enum.Enum",
                             "What an alarm does when it fires far too late.")
      .value("REARM", LateAlarm::kRearm, "wait again for what remained when the loop last turned")
      .value("FIRE", LateAlarm::kFire, "judge frozen time as the peer's slowness")
      .finalize();
  KeepMembers<LateAlarm>(module, "LateAlarm");
  py::native_enum<ResendRule>(module, "ResendRule", "enum.Enum",
                              "How a failed request on a reused connection is resent without being counted.")
      .value("FAILURE_CLASS", ResendRule::kFailureClass, "by the failure's RetryClass")
      .value("HYPER_ZONE1", ResendRule::kUnsentOnly, "only what a connection handed back untouched")
      .finalize();
  KeepMembers<ResendRule>(module, "ResendRule");
  py::native_enum<TlsVersion>(module, "TlsVersion", "enum.Enum", "A version of TLS.")
      .value("TLS12", TlsVersion::kTls12)
      .value("TLS13", TlsVersion::kTls13)
      .finalize();
  KeepMembers<TlsVersion>(module, "TlsVersion");

  py::class_<ClientOptions> type(module, "ClientOptions", R"(How a client pools, shares, retries, and trusts.

A field that is not given has the default for where the process runs: max_idle_per_host is 0 under
on-demand Lambda and SnapStart, 4 elsewhere, and so on. Durations are float seconds; enums may be given by
their lower-case name.

>>> import thaw
>>> options = thaw.ClientOptions(max_idle_per_host=0, on_resume="probe", idle_timeout=2.5)
>>> options.on_resume
<OnResume.PROBE: 1>
>>> options.replace(max_idle_per_host=4).to_dict()["max_idle_per_host"]
4
>>> thaw.ClientOptions(on_resume="maybe")
Traceback (most recent call last):
    ...
thaw.InvalidArgument: on_resume is "maybe", not one of: keep, probe, drain
)");
  BindOptions(
      type, "ClientOptions", Fields(), &DefaultClientOptions,
      [](const ClientOptions& options) { ThrowIfError(options.Validate()); },
      "Defaults are those for where the process runs; see the class.");
  type.attr("UNLIMITED") = ClientOptions::kUnlimited;
  type.def_static(
      "lambda_defaults", [] { return ClientOptions(); },
      "The defaults under on-demand Lambda, wherever this runs.");
}

}  // namespace thaw::python
