// Reads the options from the environment and datadog.yaml as text, each with its source's name. Only the
// YAML's form is checked here; cc/config/config.h parses the texts.

#ifndef THAW_CC_CONFIG_RAW_OPTIONS_H_
#define THAW_CC_CONFIG_RAW_OPTIONS_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cc/config/environment.h"

namespace thaw {

struct ConfigWarning {
  std::string source;     // "DD_SITE", "datadog.yaml: site", "datadog.yaml"
  std::string text;       // names the source too; secrets are masked
  bool is_error = false;  // the whole source is lost, not one value: logged at error
};

using NameSet = std::set<std::string, std::less<>>;

struct RawText {
  std::string source;
  std::string text;  // never empty; without white space around it
};

// The texts found for each option, the preferred one first: the environment before YAML. An empty text counts
// as absent, since Lambda's console leaves such variables behind. A list becomes one text with commas, and a
// YAML map of endpoints the JSON that its variable would have.
struct RawOptions {
  using Texts = std::vector<RawText>;

  Texts site;                     // DD_SITE; site
  Texts api_key;                  // DD_API_KEY; api_key
  Texts org_uuid;                 // DD_ORG_UUID; org_uuid
  Texts kms_api_key;              // DD_KMS_API_KEY; kms_api_key
  Texts api_key_secret_arn;       // DD_API_KEY_SECRET_ARN; api_key_secret_arn
  Texts api_key_ssm_arn;          // DD_API_KEY_SSM_ARN; api_key_ssm_arn
  Texts api_key_reload_interval;  // DD_API_KEY_SECRET_RELOAD_INTERVAL; api_key_secret_reload_interval
  Texts fips_mode;                // DD_LAMBDA_FIPS_MODE
  Texts aws_region;               // AWS_REGION, AWS_DEFAULT_REGION
  Texts function_name;            // AWS_LAMBDA_FUNCTION_NAME
  Texts aws_access_key_id;        // AWS_ACCESS_KEY_ID
  Texts aws_secret_access_key;    // AWS_SECRET_ACCESS_KEY
  Texts aws_session_token;        // AWS_SESSION_TOKEN
  Texts container_credentials;    // AWS_CONTAINER_CREDENTIALS_FULL_URI
  Texts container_token;          // AWS_CONTAINER_AUTHORIZATION_TOKEN
  Texts trace_url;                // DD_APM_DD_URL; apm_config.apm_dd_url
  Texts additional_endpoints;     // DD_APM_ADDITIONAL_ENDPOINTS; apm_config.additional_endpoints
  Texts flush_timeout;            // DD_FLUSH_TIMEOUT; flush_timeout
  Texts flush_strategy;           // DD_SERVERLESS_FLUSH_STRATEGY; serverless_flush_strategy
  Texts function_memory;          // AWS_LAMBDA_FUNCTION_MEMORY_SIZE, in MB
  // DD_APM_CONFIG_COMPRESSION_LEVEL, DD_COMPRESSION_LEVEL; apm_config.compression_level, compression_level
  Texts compression_level;
  // DD_PROXY_HTTPS; proxy.https; then HTTPS_PROXY and https_proxy, which many programs read
  Texts proxy_url;
  Texts no_proxy;                    // DD_PROXY_NO_PROXY; proxy.no_proxy
  Texts no_proxy_of_any_program;     // NO_PROXY, no_proxy, which add to the former
  Texts tls_cert_file;               // DD_TLS_CERT_FILE; tls_cert_file
  Texts skip_ssl_validation;         // DD_SKIP_SSL_VALIDATION; skip_ssl_validation
  Texts max_idle_per_host;           // DD_MAX_IDLE_PER_HOST; max_idle_per_host
  Texts share_within_flush;          // DD_SHARE_WITHIN_FLUSH; share_within_flush
  Texts idle_timeout;                // DD_IDLE_TIMEOUT; idle_timeout
  Texts max_connections_per_host;    // DD_MAX_CONNECTIONS_PER_HOST; max_connections_per_host
  Texts env;                         // DD_ENV; env
  Texts service;                     // DD_SERVICE; service
  Texts version;                     // DD_VERSION; version
  Texts tags;                        // DD_TAGS; tags
  Texts log_level;                   // DD_LOG_LEVEL; log_level
  Texts compute_stats;               // DD_LAMBDA_EXTENSION_COMPUTE_STATS; lambda_extension_compute_stats
  Texts service_mapping;             // DD_SERVICE_MAPPING; service_mapping
  Texts aws_service_representation;  // DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED;
                                     // trace_aws_service_representation_enabled
  Texts replace_rules;               // DD_APM_REPLACE_TAGS; apm_config.replace_tags
  Texts filter_require;              // DD_APM_FILTER_TAGS_REQUIRE
  Texts filter_reject;               // DD_APM_FILTER_TAGS_REJECT
  Texts filter_regex_require;        // DD_APM_FILTER_TAGS_REGEX_REQUIRE
  Texts filter_regex_reject;         // DD_APM_FILTER_TAGS_REGEX_REJECT
  Texts remove_query_string;         // DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_QUERY_STRING;
                                     // apm_config.obfuscation.http.remove_query_string
  Texts remove_paths_with_digits;    // DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_PATHS_WITH_DIGITS;
                                     // apm_config.obfuscation.http.remove_paths_with_digits
  Texts propagation_styles;          // DD_TRACE_PROPAGATION_STYLE_EXTRACT; trace_propagation_style_extract;
                                     // DD_TRACE_PROPAGATION_STYLE; trace_propagation_style
  Texts propagation_extract_first;   // DD_TRACE_PROPAGATION_EXTRACT_FIRST; trace_propagation_extract_first
  Texts propagation_http_baggage;    // DD_TRACE_PROPAGATION_HTTP_BAGGAGE_ENABLED;
                                     // trace_propagation_http_baggage_enabled
  Texts baggage_tag_keys;            // DD_TRACE_BAGGAGE_TAG_KEYS; trace_baggage_tag_keys
  Texts capture_payload;             // DD_CAPTURE_LAMBDA_PAYLOAD; capture_lambda_payload
  Texts capture_payload_max_depth;   // DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH; capture_lambda_payload_max_depth

  // Warnings about YAML that can't be parsed, so that all of it is ignored; about lists and maps where a text
  // is needed; and about unknown names.
  std::vector<ConfigWarning> warnings;
};

// `yaml_text` is the content of datadog.yaml; it may be empty.
RawOptions ReadRawOptions(const Environment& environment, std::string_view yaml_text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_RAW_OPTIONS_H_
