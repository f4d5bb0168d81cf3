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
// What each variable means and its default is in docs/configuration.md.

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

// What is done to traces. Rules, filters, styles and lists are texts here, read where they are used.
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
