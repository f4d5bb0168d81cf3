// The finalized configuration of the process. Values that can't be used are replaced, with a warning for
// each.
//
//   const Config config = LoadConfig(Environment::OfProcess(), yaml_text);
//   for (const ConfigWarning& warning : config.warnings) LOG(WARNING) << warning.text;
//   MakeClient(executor, clock, network, config.client, …);
//
// An option is looked up in the environment, then in datadog.yaml; a value that can't be used counts as
// absent, so that the next one is tried. cc/config/raw_options.h lists the names.
//
// docs/configuration.md has the meaning and default of each variable.

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

// An endpoint that gets a copy of all data, once for each key.
struct AdditionalEndpoint {
  std::string url;  // base URL
  std::vector<std::string> keys;
};

// Options of trace processing. Rules, filters, styles and lists are texts here; the code that uses them
// parses them.
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
  std::string api_key;  // empty: not given directly
  ApiKeyOptions api_key_sources;
  AwsOptions aws;
  // The base URL for traces and stats, without a final slash.
  std::string trace_url = "https://trace.agent.datadoghq.com";
  std::vector<AdditionalEndpoint> additional_endpoints;
  absl::Duration flush_timeout = absl::Seconds(30);
  // Always kContinuously on managed instances, where no end of an invocation can be waited for.
  FlushStrategy flush_strategy;
  int compression_level = 3;
  // Limits the bytes that all pipelines together keep undelivered. The default is an eighth of the function's
  // memory, between 4 MiB and 64 MiB. More survives a longer outage; the function has less memory.
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

// Never fails. Each bad value yields one warning that names its source, shows it (masked if it is a secret)
// and says what is wrong with it and which value is used instead.
Config LoadConfig(const Environment& environment, std::string_view yaml_text);

// Returns the effective configuration as indented JSON: durations in seconds, secrets masked.
std::string ToJson(const Config& config);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_CONFIG_H_
