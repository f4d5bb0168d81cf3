// ClientOptions and the enums of its fields.

#include "cc/net/client_options.h"

#include <string>
#include <tuple>

#include "cc/clock/clock.h"
#include "cc/net/destination.h"
#include "pybind11/native_enum.h"
#include "python/bindings/bindings.h"
#include "python/bindings/client_options_texts.h"
#include "python/bindings/defaults.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using O = ClientOptions;
using Texts = ClientOptionsTexts;

const auto& Fields() {
  static const auto fields = std::make_tuple(
      Field{"max_idle_per_host", &O::max_idle_per_host, Texts::max_idle_per_host},
      Field{"share_within_flush", &O::share_within_flush, Texts::share_within_flush},
      Field{"share_patience", &O::share_patience, Texts::share_patience},
      Field{"idle_timeout", &O::idle_timeout, Texts::idle_timeout},
      Field{"max_connections_per_host", &O::max_connections_per_host, Texts::max_connections_per_host},
      Field{"on_resume", &O::on_resume, Texts::on_resume}, Field{"liveness", &O::liveness, Texts::liveness},
      Field{"expiry_clock", &O::expiry_clock, Texts::expiry_clock},
      Field{"dial_eagerly", &O::dial_eagerly, Texts::dial_eagerly},
      Field{"exchange_timeout", &O::exchange_timeout, Texts::exchange_timeout},
      Field{"resume_grace", &O::resume_grace, Texts::resume_grace},
      Field{"late_alarm", &O::late_alarm, Texts::late_alarm},
      Field{"max_attempts", &O::max_attempts, Texts::max_attempts},
      Field{"backoff_base", &O::backoff_base, Texts::backoff_base},
      Field{"backoff_cap", &O::backoff_cap, Texts::backoff_cap},
      Field{"resend_rule", &O::resend_rule, Texts::resend_rule},
      Field{"user_agent", &O::user_agent, Texts::user_agent},
      Field{"max_response_head_bytes", &O::max_response_head_bytes, Texts::max_response_head_bytes},
      Field{"max_response_body_kept_bytes", &O::max_response_body_kept_bytes,
            Texts::max_response_body_kept_bytes},
      Field{"max_response_body_drained_bytes", &O::max_response_body_drained_bytes,
            Texts::max_response_body_drained_bytes},
      Field{"tcp_nodelay", &O::tcp_nodelay, Texts::tcp_nodelay},
      Field<O, std::string, PathFace>{"tls_cert_file", &O::tls_cert_file, Texts::tls_cert_file},
      Field{"use_os_roots", &O::use_os_roots, Texts::use_os_roots},
      Field{"use_public_roots", &O::use_public_roots, Texts::use_public_roots},
      Field{"skip_ssl_validation", &O::skip_ssl_validation, Texts::skip_ssl_validation},
      Field{"tls_session_resumption", &O::tls_session_resumption, Texts::tls_session_resumption},
      Field{"tls_min_version", &O::tls_min_version, Texts::tls_min_version},
      Field{"tls_max_version", &O::tls_max_version, Texts::tls_max_version},
      Field{"proxy_url", &O::proxy_url, Texts::proxy_url, &MaskUrl},
      Field{"no_proxy", &O::no_proxy, Texts::no_proxy});
  return fields;
}

void BindEnums(py::module_& module) {
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
}

}  // namespace

void BindClientOptions(py::module_& module) {
  BindEnums(module);
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
