// The finalized configuration of the process, and the origin of each value.
//
//   const Config config = LoadConfig(Environment::OfProcess(), yaml_text);
//   for (const ConfigWarning& warning : config.warnings) LOG(WARNING) << warning.text;
//   MakeClient(executor, clock, network, config.client, std::move(random), &warnings);
//
// An option is looked up in the environment, then in datadog.yaml; a value that can't be used counts as
// absent, so that the next one is tried, with a warning. cc/config/options.inc is the table of options.
//
// Two kinds of values are not checked here: the rules, filters, styles and lists of TraceConfig, LogsConfig and
// MetricsConfig, which are texts because this room does not include the rooms with their parsers, and the content of
// client.tls_cert_file. The code that uses them warns about a bad one and goes without it; --check-config
// names it, too.
//
// docs/configuration.md has the meaning and default of each variable; it is generated from the table.

#ifndef THAW_CC_CONFIG_CONFIG_H_
#define THAW_CC_CONFIG_CONFIG_H_

#include <cstddef>
#include <functional>
#include <map>
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
#include "cc/config/option_table.h"
#include "cc/config/raw_options.h"
#include "cc/net/client_options.h"

namespace thaw {

// An endpoint that gets a copy of all data, once for each key.
struct AdditionalEndpoint {
  std::string url;  // base URL
  std::vector<std::string> keys;
};

// Options of trace processing. Rules, filters, styles and lists are texts that are not checked here; the code
// that uses them parses them.
struct TraceConfig {
  bool compute_stats = false;
  bool error_sampler = false;
  bool experimental_features = false;
  std::string stats_additional_tags;
  int stats_additional_tags_limit = 100;
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

// Options of logs. Rules are a text that is not checked here.
struct LogsConfig {
  bool worker = false;
  bool use_compression = true;
  bool agent_switch = true;
  bool serverless_switch = true;
  int durable_invocations = 5;  // whose lines wait for the execution
  std::string processing_rules;

  // Returns whether logs are sent.
  bool enabled() const { return agent_switch || serverless_switch; }
};

// Options of Data Streams.
struct DataStreamsConfig {
  bool enabled = false;
  std::string exchange;     // the name of the bus; empty: the event names it
  std::string kafka_group;  // empty: none
};

// Options of DogStatsD.
struct StatsdConfig {
  // Stands before the name of each metric, with a dot between them; empty: nothing does.
  std::string metric_namespace;
  int port = 8125;
  // The size of the socket's buffer in the kernel, which limits it (net.core.rmem_max); 0: the system's default. The
  // default is more than Lambda's limit.
  int receive_buffer_bytes = 1 << 20;
};

// Options of metrics. Lists are texts that are not checked here.
struct MetricsConfig {
  std::string histogram_aggregates = "max median avg count";
  std::string histogram_percentiles = "0.95";
  bool histogram_copy_to_distribution = false;
  std::string histogram_copy_prefix;
  std::string exclude_tags;
};

// Metrics that the extension makes itself.
struct OwnMetricsConfig {
  bool enhanced = true;  // aws.lambda.enhanced.*
  bool proc = true;      // those of them that are figures of /proc
  bool thaw = true;      // thaw.*
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
  // The base URL for logs, and the whole URL of an Observability Pipelines Worker.
  std::string logs_url = "https://http-intake.logs.datadoghq.com";
  std::vector<AdditionalEndpoint> logs_additional_endpoints;
  std::string logs_worker_url;
  int logs_compression_level = 3;  // 0: logs are not compressed
  LogsConfig logs;
  StatsdConfig statsd;
  // The base URL for metrics.
  std::string metrics_url = "https://api.datadoghq.com";
  // The base URL for events: that of metrics if it is configured, or empty, since the site has another host for them.
  std::string events_url;
  std::vector<AdditionalEndpoint> metrics_additional_endpoints;
  int metrics_compression_level = 3;
  MetricsConfig metrics;
  OwnMetricsConfig own_metrics;
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
  DataStreamsConfig data_streams;

  // The source of each value that is not the default, by the option's path in the JSON: "site" has "DD_SITE",
  // "client.idle_timeout" has "datadog.yaml, line 3: idle_timeout".
  std::map<std::string, std::string, std::less<>> origins;
  std::vector<ConfigWarning> warnings;
};

// Never fails. Each bad value yields one warning that names its source, shows it (masked if it is a secret)
// and says what is wrong with it and which value is used instead.
Config LoadConfig(const Environment& environment, std::string_view yaml_text);

// Returns an option's default in an environment of this kind, as warnings name it: "30 s", "none".
std::string DefaultOf(Option option, EnvironmentKind environment);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_CONFIG_H_
