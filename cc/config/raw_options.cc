#include "cc/config/raw_options.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "cc/base/status_macros.h"
#include "cc/config/unknown_names.h"
#include "cc/config/yaml_document.h"

namespace thaw {
namespace {

using FoundText = absl::StatusOr<std::optional<std::string>>;

FoundText TextAt(const YamlDocument& yaml, std::string_view path) { return yaml.Text(path); }

FoundText ListAt(const YamlDocument& yaml, std::string_view path) {
  THAW_ASSIGN_OR_RETURN(const std::vector<std::string> items, yaml.List(path));
  return absl::StrJoin(items, ",");
}

// Returns a list of tags as one text. Each item is one tag whatever characters it has: the comma at the end
// marks the text as a list with commas, in which spaces do not separate tags (tag_list.h).
FoundText TagsAt(const YamlDocument& yaml, std::string_view path) {
  const FoundText text = yaml.Text(path);
  if (text.ok()) return text;
  THAW_ASSIGN_OR_RETURN(const std::vector<std::string> items, yaml.List(path));
  if (items.empty()) return std::nullopt;
  return absl::StrCat(absl::StrJoin(items, ","), ",");
}

FoundText JsonAt(const YamlDocument& yaml, std::string_view path) { return yaml.Json(path); }

// Returns the map as JSON, or the text that is there instead.
FoundText EndpointsAt(const YamlDocument& yaml, std::string_view path) {
  THAW_ASSIGN_OR_RETURN(const std::optional<YamlDocument::MapOfLists> endpoints, yaml.Lists(path));
  if (!endpoints.has_value()) return yaml.Text(path);
  if (endpoints->empty()) return std::nullopt;
  boost::json::object object;
  for (const auto& [url, keys] : *endpoints) object[url] = boost::json::array(keys.begin(), keys.end());
  return boost::json::serialize(object);
}

class Reader {
 public:
  Reader(const Environment& environment, std::string_view yaml_text) : environment_(environment) {
    absl::StatusOr<YamlDocument> parsed = YamlDocument::Parse(yaml_text);
    if (parsed.ok()) {
      yaml_ = *std::move(parsed);
    } else {
      Warn("datadog.yaml", absl::StrCat("datadog.yaml is not used at all: ", parsed.status().message()),
           /*is_error=*/true);
    }
  }

  void FromVariable(RawOptions::Texts& texts, std::string_view name) {
    variables_.emplace(name);
    Add(texts, std::string(name), environment_.Get(name));
  }
  void FromYaml(RawOptions::Texts& texts, std::string_view path,
                FoundText (*look_up)(const YamlDocument&, std::string_view) = &TextAt) {
    paths_.emplace(path);
    if (!yaml_.has_value()) return;
    std::string source = absl::StrCat("datadog.yaml: ", path);
    FoundText found = look_up(*yaml_, path);
    if (found.ok()) {
      Add(texts, std::move(source), *std::move(found));
    } else {
      Warn(std::move(source), absl::StrCat("datadog.yaml, ", found.status().message(), "; it is not used"));
    }
  }
  void FromBoth(RawOptions::Texts& texts, std::string_view name, std::string_view path,
                FoundText (*look_up)(const YamlDocument&, std::string_view) = &TextAt) {
    FromVariable(texts, name);
    FromYaml(texts, path, look_up);
  }

  // Returns the warnings, with those about unknown names. Call it after all options were read.
  std::vector<ConfigWarning> TakeWarnings() && {
    for (ConfigWarning& warning : MisspelledVariables(environment_, variables_))
      warnings_.push_back(std::move(warning));
    if (yaml_.has_value()) {
      for (ConfigWarning& warning : UnknownYamlKeys(*yaml_, paths_)) warnings_.push_back(std::move(warning));
    }
    return std::move(warnings_);
  }

 private:
  static void Add(RawOptions::Texts& texts, std::string source, const std::optional<std::string>& text) {
    if (!text.has_value()) return;
    const std::string_view bare = absl::StripAsciiWhitespace(*text);
    if (!bare.empty()) texts.push_back({.source = std::move(source), .text = std::string(bare)});
  }
  void Warn(std::string source, std::string text, bool is_error = false) {
    // A fault in a map is found again with every path through it.
    const auto same = [&text](const ConfigWarning& warning) { return warning.text == text; };
    if (std::any_of(warnings_.begin(), warnings_.end(), same)) return;
    warnings_.push_back({.source = std::move(source), .text = std::move(text), .is_error = is_error});
  }

  const Environment& environment_;
  std::optional<YamlDocument> yaml_;
  // The names of all options.
  NameSet variables_;
  NameSet paths_;
  std::vector<ConfigWarning> warnings_;
};

}  // namespace

RawOptions ReadRawOptions(const Environment& environment, std::string_view yaml_text) {
  RawOptions raw;
  Reader reader(environment, yaml_text);
  reader.FromBoth(raw.site, "DD_SITE", "site");
  reader.FromBoth(raw.api_key, "DD_API_KEY", "api_key");
  reader.FromBoth(raw.org_uuid, "DD_ORG_UUID", "org_uuid");
  reader.FromBoth(raw.kms_api_key, "DD_KMS_API_KEY", "kms_api_key");
  reader.FromBoth(raw.api_key_secret_arn, "DD_API_KEY_SECRET_ARN", "api_key_secret_arn");
  reader.FromBoth(raw.api_key_ssm_arn, "DD_API_KEY_SSM_ARN", "api_key_ssm_arn");
  reader.FromBoth(raw.api_key_reload_interval, "DD_API_KEY_SECRET_RELOAD_INTERVAL",
                  "api_key_secret_reload_interval");
  reader.FromVariable(raw.fips_mode, "DD_LAMBDA_FIPS_MODE");
  reader.FromVariable(raw.aws_region, "AWS_REGION");
  reader.FromVariable(raw.aws_region, "AWS_DEFAULT_REGION");
  reader.FromVariable(raw.function_name, "AWS_LAMBDA_FUNCTION_NAME");
  reader.FromVariable(raw.aws_access_key_id, "AWS_ACCESS_KEY_ID");
  reader.FromVariable(raw.aws_secret_access_key, "AWS_SECRET_ACCESS_KEY");
  reader.FromVariable(raw.aws_session_token, "AWS_SESSION_TOKEN");
  reader.FromVariable(raw.container_credentials, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  reader.FromVariable(raw.container_token, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  reader.FromBoth(raw.trace_url, "DD_APM_DD_URL", "apm_config.apm_dd_url");
  reader.FromBoth(raw.additional_endpoints, "DD_APM_ADDITIONAL_ENDPOINTS", "apm_config.additional_endpoints",
                  &EndpointsAt);
  reader.FromBoth(raw.flush_timeout, "DD_FLUSH_TIMEOUT", "flush_timeout");
  reader.FromBoth(raw.flush_strategy, "DD_SERVERLESS_FLUSH_STRATEGY", "serverless_flush_strategy");
  reader.FromVariable(raw.function_memory, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
  reader.FromVariable(raw.compression_level, "DD_APM_CONFIG_COMPRESSION_LEVEL");
  reader.FromVariable(raw.compression_level, "DD_COMPRESSION_LEVEL");
  reader.FromYaml(raw.compression_level, "apm_config.compression_level");
  reader.FromYaml(raw.compression_level, "compression_level");
  reader.FromBoth(raw.proxy_url, "DD_PROXY_HTTPS", "proxy.https");
  reader.FromVariable(raw.proxy_url, "HTTPS_PROXY");
  reader.FromVariable(raw.proxy_url, "https_proxy");
  reader.FromBoth(raw.no_proxy, "DD_PROXY_NO_PROXY", "proxy.no_proxy", &ListAt);
  reader.FromVariable(raw.no_proxy_of_any_program, "NO_PROXY");
  reader.FromVariable(raw.no_proxy_of_any_program, "no_proxy");
  reader.FromBoth(raw.tls_cert_file, "DD_TLS_CERT_FILE", "tls_cert_file");
  reader.FromBoth(raw.skip_ssl_validation, "DD_SKIP_SSL_VALIDATION", "skip_ssl_validation");
  reader.FromBoth(raw.max_idle_per_host, "DD_MAX_IDLE_PER_HOST", "max_idle_per_host");
  reader.FromBoth(raw.share_within_flush, "DD_SHARE_WITHIN_FLUSH", "share_within_flush");
  reader.FromBoth(raw.idle_timeout, "DD_IDLE_TIMEOUT", "idle_timeout");
  reader.FromBoth(raw.max_connections_per_host, "DD_MAX_CONNECTIONS_PER_HOST", "max_connections_per_host");
  reader.FromBoth(raw.env, "DD_ENV", "env");
  reader.FromBoth(raw.service, "DD_SERVICE", "service");
  reader.FromBoth(raw.version, "DD_VERSION", "version");
  reader.FromBoth(raw.tags, "DD_TAGS", "tags", &TagsAt);
  reader.FromBoth(raw.log_level, "DD_LOG_LEVEL", "log_level");
  reader.FromBoth(raw.compute_stats, "DD_LAMBDA_EXTENSION_COMPUTE_STATS", "lambda_extension_compute_stats");
  reader.FromBoth(raw.service_mapping, "DD_SERVICE_MAPPING", "service_mapping");
  reader.FromBoth(raw.aws_service_representation, "DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED",
                  "trace_aws_service_representation_enabled");
  reader.FromBoth(raw.replace_rules, "DD_APM_REPLACE_TAGS", "apm_config.replace_tags", &JsonAt);
  reader.FromVariable(raw.filter_require, "DD_APM_FILTER_TAGS_REQUIRE");
  reader.FromVariable(raw.filter_reject, "DD_APM_FILTER_TAGS_REJECT");
  reader.FromVariable(raw.filter_regex_require, "DD_APM_FILTER_TAGS_REGEX_REQUIRE");
  reader.FromVariable(raw.filter_regex_reject, "DD_APM_FILTER_TAGS_REGEX_REJECT");
  reader.FromBoth(raw.remove_query_string, "DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_QUERY_STRING",
                  "apm_config.obfuscation.http.remove_query_string");
  reader.FromBoth(raw.remove_paths_with_digits, "DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_PATHS_WITH_DIGITS",
                  "apm_config.obfuscation.http.remove_paths_with_digits");
  reader.FromVariable(raw.propagation_styles, "DD_TRACE_PROPAGATION_STYLE_EXTRACT");
  reader.FromYaml(raw.propagation_styles, "trace_propagation_style_extract", &ListAt);
  reader.FromBoth(raw.propagation_styles, "DD_TRACE_PROPAGATION_STYLE", "trace_propagation_style", &ListAt);
  reader.FromBoth(raw.propagation_extract_first, "DD_TRACE_PROPAGATION_EXTRACT_FIRST",
                  "trace_propagation_extract_first");
  reader.FromBoth(raw.propagation_http_baggage, "DD_TRACE_PROPAGATION_HTTP_BAGGAGE_ENABLED",
                  "trace_propagation_http_baggage_enabled");
  reader.FromBoth(raw.baggage_tag_keys, "DD_TRACE_BAGGAGE_TAG_KEYS", "trace_baggage_tag_keys", &ListAt);
  reader.FromBoth(raw.capture_payload, "DD_CAPTURE_LAMBDA_PAYLOAD", "capture_lambda_payload");
  reader.FromBoth(raw.capture_payload_max_depth, "DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH",
                  "capture_lambda_payload_max_depth");
  raw.warnings = std::move(reader).TakeWarnings();
  return raw;
}

}  // namespace thaw
