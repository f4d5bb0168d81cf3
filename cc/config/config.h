// The configuration of the process, finalized: every value is usable, and what was not has become a
// warning.
//
//   const Config config = LoadConfig(Environment::OfProcess(), yaml_text);
//   for (const ConfigWarning& warning : config.warnings) LOG(WARNING) << warning.text;
//   MakeClient(config.client, …);
//
// An option is looked up in the environment, then in datadog.yaml; a value that can't be used is as good as
// absent, so that the next one counts. cc/config/raw_options.h lists the names.
//
//   variable                          what it means                                             default
//   DD_SITE                           intake domain                                             datadoghq.com
//   DD_API_KEY                        key of the primary endpoint                               none
//   DD_ORG_UUID                       organization that gives the function's role a key         none
//   DD_KMS_API_KEY                    the key, encrypted by KMS, in base64                      none
//   DD_API_KEY_SECRET_ARN             the secret with the key in Secrets Manager                none
//   DD_API_KEY_SSM_ARN                the parameter with the key in Systems Manager             none
//   DD_API_KEY_SECRET_RELOAD_INTERVAL seconds until such a key is looked up again; 0: never     never
//   DD_LAMBDA_FIPS_MODE               ask only FIPS endpoints of AWS for it                     us-gov-*:
//   true DD_APM_DD_URL                     base URL of traces, and of stats too                      by
//   DD_SITE DD_APM_ADDITIONAL_ENDPOINTS       {"URL": ["key", …], …}: they get the same                 none
//   DD_FLUSH_TIMEOUT                  seconds of a flush, and of one exchange in it             30
//   DD_SERVERLESS_FLUSH_STRATEGY      when to flush: cc/config/flush_strategy.h                 default
//   DD_APM_CONFIG_COMPRESSION_LEVEL   of zstd, 1 to 22; else DD_COMPRESSION_LEVEL               3
//   DD_PROXY_HTTPS                    proxy's URL, maybe with user:password@; else HTTPS_PROXY  none
//   DD_PROXY_NO_PROXY                 hosts that go past it; those of NO_PROXY are added        none
//   DD_TLS_CERT_FILE                  PEM file of further roots                                 none
//   DD_SKIP_SSL_VALIDATION            accept any certificate                                    false
//   DD_MAX_IDLE_PER_HOST              connections kept between flushes, or "unlimited"          0 or 4
//   DD_SHARE_WITHIN_FLUSH             requests of a flush take turns on a connection            true
//   DD_IDLE_TIMEOUT                   seconds that a connection may be kept                     15
//   DD_MAX_CONNECTIONS_PER_HOST       at a time                                                 2 or 8
//   DD_LOG_LEVEL                      error, warn, info, debug or trace                         warn
//   DD_ENV, DD_SERVICE, DD_VERSION    of all that the function sends                            none
//   DD_TAGS                           further ones, name:value with commas or spaces between    none
// and what is done to traces: see TraceConfig.
//
// AWS_LAMBDA_FUNCTION_MEMORY_SIZE bounds what is kept: see Config::outbox_bytes. AWS_REGION and the variables
// with the role's credentials are in Config::aws.
//
// Where there are two defaults, the first is for where the process may be frozen: see
// cc/config/environment_kind.h.

#ifndef THAW_CC_CONFIG_CONFIG_H_
#define THAW_CC_CONFIG_CONFIG_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cc/config/api_key_options.h"
#include "cc/config/aws_options.h"
#include "cc/config/environment.h"
#include "cc/config/environment_kind.h"
#include "cc/config/flush_strategy.h"
#include "cc/config/log_level.h"
#include "cc/config/raw_options.h"
#include "cc/net/client_options.h"

namespace thaw {

// What gets a copy of everything, once with each key.
struct AdditionalEndpoint {
  std::string url;  // base URL
  std::vector<std::string> keys;
};

// What is done to traces. Rules, filters and styles are texts here, read where they are used.
//
//   variable                                              what it means                              default
//   DD_LAMBDA_EXTENSION_COMPUTE_STATS                     stats are computed here                    false
//   DD_SERVICE_MAPPING                                    from:to, with commas between them          none
//   DD_TRACE_AWS_SERVICE_REPRESENTATION_ENABLED           services are named by what they are        true
//   DD_APM_REPLACE_TAGS                                   [{"name", "pattern", "repl"}, …]           none
//   DD_APM_FILTER_TAGS_REQUIRE, _REJECT and
//   DD_APM_FILTER_TAGS_REGEX_REQUIRE, _REGEX_REJECT       which traces are kept, by their root       all
//   DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_QUERY_STRING    of URLs                                    false
//   DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_PATHS_WITH_DIGITS                                          false
//   DD_TRACE_PROPAGATION_STYLE(_EXTRACT)                  of callers' contexts           datadog,tracecontext
//   DD_TRACE_PROPAGATION_EXTRACT_FIRST                    only the first found counts                false
//   DD_TRACE_PROPAGATION_HTTP_BAGGAGE_ENABLED             ot-baggage-* headers are baggage           false
//   DD_TRACE_BAGGAGE_TAG_KEYS                             items of the style `baggage` that become tags; *:
//   all
//                                                                                    user.id,session.id,account.id
//   DD_CAPTURE_LAMBDA_PAYLOAD                             events and responses become tags           false
//   DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH                   how deep                                   10
struct TraceConfig {
  bool compute_stats = false;
  bool aws_service_representation = true;
  std::string service_mapping;
  std::string replace_rules;
  std::string filter_require;
  std::string filter_reject;
  std::string filter_regex_require;
  std::string filter_regex_reject;
  bool remove_query_string = false;
  bool remove_paths_with_digits = false;
  std::string propagation_styles = "datadog,tracecontext";
  bool propagation_extract_first = false;
  bool propagation_http_baggage = false;
  std::string baggage_tag_keys = "user.id,session.id,account.id";
  bool capture_payload = false;
  int capture_payload_max_depth = 10;
};

struct Config {
  EnvironmentKind environment = EnvironmentKind::kOutsideLambda;
  std::string site = "datadoghq.com";
  std::string api_key;  // empty: none is given here
  ApiKeyOptions api_key_sources;
  AwsOptions aws;
  // Base URL of traces and stats, without a slash at its end.
  std::string trace_url = "https://trace.agent.datadoghq.com";
  std::vector<AdditionalEndpoint> additional_endpoints;
  absl::Duration flush_timeout = absl::Seconds(30);
  // On managed instances always kContinuously: there is no end of an invocation to wait for.
  FlushStrategy flush_strategy;
  int compression_level = 3;
  // Bound of all that is kept undelivered, by all pipelines together: an eighth of the function's memory, and
  // no less than 4 MiB nor more than 64 MiB.
  size_t outbox_bytes = size_t{32} << 20;
  ClientOptions client;
  LogLevel log_level = LogLevel::kWarn;
  std::string env;
  std::string service;
  std::string version;
  std::string tags;
  TraceConfig traces;

  std::vector<ConfigWarning> warnings;
};

// Never fails. Each bad value is one warning that names its source, shows it (masked if it is a secret) and
// says what is wrong with it and what counts instead.
Config LoadConfig(const Environment& environment, std::string_view yaml_text);

// The effective configuration, indented, for people to read: durations in seconds, secrets masked.
std::string ToJson(const Config& config);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_CONFIG_H_
