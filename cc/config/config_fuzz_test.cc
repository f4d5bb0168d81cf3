// Tries any content of the environment and datadog.yaml: the configuration is usable, its JSON is valid, and
// no secret is shown.
//
// An input is lines NAME=VALUE up to its first zero byte, followed by YAML. A known secret is added for each
// kind, so that it can be searched for.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/json/parse.hpp"
#include "cc/config/config.h"
#include "cc/config/config_json.h"

namespace {

constexpr std::string_view kSecret = "k9-Zr4-Qm7-Tx2";
// The last 4 characters of a key may be shown.
constexpr std::string_view kNeverShown = "Qm7-Tx2";

void Check(bool holds) {
  if (!holds) std::abort();
}

void Try(const thaw::Environment::Variables& variables, std::string_view yaml_text) {
  const thaw::Config config = thaw::LoadConfig(thaw::Environment(variables), yaml_text);
  Check(config.client.Validate().ok());
  Check(!config.trace_url.empty() && config.trace_url.back() != '/');
  Check(config.outbox_bytes >= 4 << 20 && config.outbox_bytes <= 64 << 20);
  const thaw::FlushStrategy& strategy = config.flush_strategy;
  Check(thaw::ParseFlushStrategy(thaw::ToString(strategy)).value() == strategy);
  for (const thaw::AdditionalEndpoint& endpoint : config.additional_endpoints) Check(!endpoint.keys.empty());
  for (const thaw::ConfigWarning& warning : config.warnings) {
    Check(!warning.source.empty());
    Check(!absl::StrContains(warning.text, kNeverShown));
  }
  const std::string json = thaw::ToJson(config);
  Check(!absl::StrContains(json, kNeverShown));
  boost::system::error_code error;
  Check(boost::json::parse(json, error).is_object() && !error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // An input that contains the secret by chance may show it itself.
  if (absl::StrContains(input, "Qm7")) return 0;
  const std::pair<std::string_view, std::string_view> parts = absl::StrSplit(input, absl::MaxSplits('\0', 1));
  thaw::Environment::Variables variables;
  for (const std::string_view line : absl::StrSplit(parts.first, '\n')) {
    const std::pair<std::string, std::string> variable = absl::StrSplit(line, absl::MaxSplits('=', 1));
    variables.insert(variable);
  }
  Try(variables, parts.second);

  for (const char* name : {"DD_PROXY_HTTPS", "HTTPS_PROXY", "DD_APM_DD_URL", "NO_PROXY"}) {
    variables[name] = absl::StrCat("http://user:", kSecret, variables[name], "@proxy");
  }
  for (const char* name :
       {"DD_API_KEY", "DATADOG_API_KEY", "DD_KMS_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}) {
    variables[name] = absl::StrCat(variables[name], kSecret);
  }
  std::string& endpoints = variables["DD_APM_ADDITIONAL_ENDPOINTS"];
  endpoints = absl::StrCat("{\"https://a\": [\"", kSecret, "\"", endpoints);
  Try(variables, absl::StrCat("api_key: ", kSecret, "\nproxy: {https: 'u:", kSecret, "@h'}\n", parts.second));

  // Sets variables to the whole input, which may have no line NAME=VALUE.
  for (const char* name :
       {"DD_SITE", "DD_APM_DD_URL", "DD_APM_ADDITIONAL_ENDPOINTS", "DD_FLUSH_TIMEOUT",
        "DD_SERVERLESS_FLUSH_STRATEGY", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "DD_PROXY_HTTPS",
        "DD_PROXY_NO_PROXY", "DD_TLS_CERT_FILE", "DD_MAX_IDLE_PER_HOST", "DD_IDLE_TIMEOUT", "DD_ORG_UUID",
        "DD_API_KEY_SECRET_ARN", "DD_API_KEY_SECRET_RELOAD_INTERVAL", "DD_LAMBDA_FIPS_MODE", "AWS_REGION",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    variables[name] = input;
  }
  variables["DD_API_KEY"] = absl::StrCat(kSecret, input, kSecret);
  Try(variables, input);
  return 0;
}
