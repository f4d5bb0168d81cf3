#include "cc/net/client_options.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/net/destination.h"
#include "cc/net/http_message.h"
#include "cc/net/http_protocol.h"

namespace thaw {
namespace {

absl::Status Bad(std::string_view field, std::string_view value, std::string_view want) {
  return absl::InvalidArgumentError(
      absl::StrCat("ClientOptions.", field, " is ", value, "; it must be ", want));
}

absl::Status PositiveDuration(std::string_view field, absl::Duration value) {
  if (value > absl::ZeroDuration()) return absl::OkStatus();
  return Bad(field, absl::FormatDuration(value), "above zero");
}

}  // namespace

absl::Status ClientOptions::Validate() const {
  if (max_idle_per_host < 0) return Bad("max_idle_per_host", absl::StrCat(max_idle_per_host), "0 or more");
  if (max_connections_per_host < 1) {
    return Bad("max_connections_per_host", absl::StrCat(max_connections_per_host), "1 or more");
  }
  if (max_attempts < 1) return Bad("max_attempts", absl::StrCat(max_attempts), "1 or more: it counts tries");
  if (share_patience.has_value() && *share_patience < absl::ZeroDuration()) {
    return Bad("share_patience", absl::FormatDuration(*share_patience), "zero or more");
  }
  for (const auto& [field, value] :
       {std::pair<std::string_view, absl::Duration>{"backoff_base", backoff_base},
        {"backoff_cap", backoff_cap}}) {
    if (value < absl::ZeroDuration()) return Bad(field, absl::FormatDuration(value), "zero or more");
  }
  for (const auto& [field, value] :
       {std::pair<std::string_view, absl::Duration>{"idle_timeout", idle_timeout},
        {"exchange_timeout", exchange_timeout},
        {"resume_grace", resume_grace}}) {
    if (absl::Status status = PositiveDuration(field, value); !status.ok()) return status;
  }
  if (max_response_head_bytes < 256) {
    return Bad("max_response_head_bytes", absl::StrCat(max_response_head_bytes), "256 or more");
  }
  if (tls_min_version > tls_max_version) return Bad("tls_min_version", "TLS 1.3", "at most tls_max_version");
  for (const std::string& protocol : http_protocols) {
    if (!IsHttpProtocol(protocol)) {
      return Bad("http_protocols", absl::StrCat("'", absl::CHexEscape(protocol), "'"),
                 absl::StrJoin(kHttpProtocols, " or "));
    }
  }
  if (!use_public_roots && !use_os_roots && tls_cert_file.empty() && !skip_ssl_validation) {
    return Bad("use_public_roots", "off",
               "on unless tls_cert_file or use_os_roots names other certificates to trust");
  }
  if (absl::Status status = CheckHeaderValue("ClientOptions.user_agent", user_agent); !status.ok())
    return status;
  if (tls_cert_file.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("ClientOptions.tls_cert_file has a NUL in it, which no path may have");
  }
  for (const std::string& entry : no_proxy) {
    if (std::any_of(entry.begin(), entry.end(),
                    [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); })) {
      return Bad("no_proxy", absl::StrCat("'", absl::CHexEscape(entry), "'"), "without control characters");
    }
  }
  if (!proxy_url.empty()) {
    if (const auto url = ParseUrl(proxy_url); !url.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("ClientOptions.proxy_url: ", url.status().message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace thaw
