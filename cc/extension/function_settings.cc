#include "cc/extension/function_settings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cc/base/version.h"
#include "cc/lambda/invocation/trace_context.h"
#include "cc/logs/processing_rules.h"
#include "cc/stats/cardinality_limits.h"

namespace thaw {
namespace {

std::string FirstOf(std::string first, std::string_view second) {
  return first.empty() ? std::string(second) : std::move(first);
}

// Returns the first four of the names, sorted and each once.
std::vector<std::string> AdditionalTagsOf(std::string_view list) {
  constexpr size_t kMost = 4;
  std::set<std::string> names;
  for (const std::string_view name : absl::StrSplit(list, ','))
    if (const std::string_view stripped = absl::StripAsciiWhitespace(name); !stripped.empty())
      names.emplace(stripped);
  std::vector<std::string> first(names.begin(), names.end());
  if (first.size() > kMost) first.resize(kMost);
  return first;
}

}  // namespace

FunctionFacts FunctionFactsFrom(const Environment& environment, const Config& config,
                                const Registration& registration) {
  const auto variable = [&environment](std::string_view name) { return environment.Get(name).value_or(""); };
  FunctionFacts facts;
  facts.region = FirstOf(variable("AWS_REGION"), FirstOf(variable("AWS_DEFAULT_REGION"), "us-east-1"));
  facts.account_id = registration.account_id.value_or("");
  facts.name = FirstOf(variable("AWS_LAMBDA_FUNCTION_NAME"), registration.function_name);
  facts.version = FirstOf(variable("AWS_LAMBDA_FUNCTION_VERSION"), registration.function_version);
  facts.memory_size = variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
  facts.initialization_type = variable("AWS_LAMBDA_INITIALIZATION_TYPE");
  facts.runtime = RuntimeName(variable("AWS_EXECUTION_ENV"));
  facts.env = config.env;
  facts.service = config.service;
  facts.service_version = config.version;
  facts.tags = config.tags;
  facts.extension_version = std::string(kVersion);
  return facts;
}

TraceProcessorOptions TraceProcessorOptionsFrom(const Config& config, const FunctionFacts& facts,
                                                std::string runtime_api, std::vector<std::string>& warnings) {
  TraceProcessorOptions options;
  const FunctionTags tags(facts);
  options.function_tags = {tags.map().begin(), tags.map().end()};
  options.env = config.env;
  options.service = config.service;
  options.function_name = facts.name;
  const TraceConfig& traces = config.traces;
  options.service_representation = traces.aws_service_representation;
  options.tag_filter = TagFilter({.require = traces.filter_require,
                                  .regex_require = traces.filter_regex_require,
                                  .reject = traces.filter_reject,
                                  .regex_reject = traces.filter_regex_reject},
                                 warnings);
  options.http_obfuscation = {.remove_query_string = traces.remove_query_string,
                              .remove_paths_with_digits = traces.remove_paths_with_digits};
  if (!traces.replace_rules.empty()) options.replace_rules = ReplaceRules(traces.replace_rules, warnings);
  options.compute_stats_on_extension = traces.compute_stats;
  options.error_sampler = traces.error_sampler;
  options.runtime_api = std::move(runtime_api);
  return options;
}

std::optional<ConcentratorOptions> ConcentratorOptionsFrom(const Config& config) {
  if (!config.traces.compute_stats) return std::nullopt;
  ConcentratorOptions options{.env = config.env, .version = config.version, .service = config.service};
  if (config.traces.experimental_features) {
    options.additional_tags = AdditionalTagsOf(config.traces.stats_additional_tags);
    // A limit of none means the default; and a set needs a key, of which there are no more.
    if (const int limit = config.traces.stats_additional_tags_limit; limit > 0)
      options.max_additional_values = std::min<size_t>(limit, CardinalityLimits::kMaxKeys - 1);
  }
  return options;
}

std::unique_ptr<PathwayStats> PathwayStatsFrom(const Config& config, const FunctionFacts& facts,
                                               const Clock& clock, ByteAccount& account) {
  if (!config.data_streams.enabled) return nullptr;
  PathwayStatsOptions options{.service = FirstOf(config.service, facts.name),
                              .env = config.env,
                              .version = config.version,
                              .extension_version = std::string(kVersion),
                              .account = &account};
  const FunctionTags tags(facts);
  for (const auto& [name, value] : tags.map())
    options.tags.push_back(value.empty() ? name : absl::StrCat(name, ":", value));
  options.max_bytes = std::min(options.max_bytes, account.limit() / 8);
  return std::make_unique<PathwayStats>(std::move(options), clock);
}

AssemblerOptions AssemblerOptionsFrom(const Config& config, const FunctionFacts& facts, bool concurrent) {
  return {.span = {.function_name = facts.name,
                   .service = config.service,
                   .runtime = facts.runtime,
                   .aws_service_representation = config.traces.aws_service_representation},
          .concurrent = concurrent};
}

EnhancedMetricsOptions EnhancedMetricsOptionsFrom(const FunctionFacts& facts, bool managed) {
  return {
      .managed = managed, .arm = Architecture() == "arm64", .initialization_type = facts.initialization_type};
}

LogProcessorOptions LogProcessorOptionsFrom(const Config& config, bool concurrent, ByteAccount& account,
                                            std::vector<std::string>& errors) {
  LogProcessorOptions options;
  options.rules = ProcessingRules(config.logs.processing_rules, errors);
  options.concurrent = concurrent;
  options.most_durable_invocations = config.logs.durable_invocations;
  options.most_held_bytes = std::min(options.most_held_bytes, account.limit() / 16);
  options.account = &account;
  return options;
}

DogStatsdOptions DogStatsdOptionsFrom(const Config& config) {
  DogStatsdOptions options;
  if (!config.statsd.metric_namespace.empty())
    options.name_prefix = absl::StrCat(config.statsd.metric_namespace, ".");
  return options;
}

UdpOptions DogStatsdSocketFrom(const Config& config, ByteAccount& account) {
  return {.port = static_cast<uint16_t>(config.statsd.port),
          .receive_buffer_bytes = config.statsd.receive_buffer_bytes,
          .datagrams_per_batch = 8,
          .account = &account};
}

HistogramOptions HistogramOptionsFrom(const Config& config, std::vector<std::string>& warnings) {
  const MetricsConfig& metrics = config.metrics;
  HistogramOptions options =
      ParseHistogramOptions(metrics.histogram_aggregates, metrics.histogram_percentiles, warnings);
  options.copy_to_distribution = metrics.histogram_copy_to_distribution;
  options.distribution_prefix = metrics.histogram_copy_prefix;
  return options;
}

InvocationStoreOptions InvocationStoreOptionsFrom(ByteAccount& account) {
  InvocationStoreOptions options{.account = &account};
  options.max_bytes = std::min(options.max_bytes, account.limit() / 8);
  return options;
}

LifecycleOptions LifecycleOptionsFrom(const Config& config, const FunctionFacts& facts,
                                      std::vector<std::string>& warnings) {
  const TraceConfig& traces = config.traces;
  LifecycleOptions options;
  options.trigger.region = facts.region;
  options.trigger.account_id = facts.account_id;
  options.trigger.function_name = facts.name;
  options.trigger.service_mapping = ParseServiceMapping(traces.service_mapping, warnings);
  options.trigger.aws_service_representation = traces.aws_service_representation;
  std::vector<std::string> unknown;
  options.propagation.styles = ParsePropagationStyles(traces.propagation_styles, unknown);
  for (const std::string& name : unknown)
    warnings.push_back(
        absl::StrCat("DD_TRACE_PROPAGATION_STYLE names ", name, ", of which nothing is known"));
  options.propagation.extract_first = traces.propagation_extract_first;
  options.propagation.http_baggage = traces.propagation_http_baggage;
  options.propagation.baggage_tag_keys.clear();
  for (const std::string_view key : absl::StrSplit(traces.baggage_tag_keys, ',', absl::SkipWhitespace()))
    options.propagation.baggage_tag_keys.emplace_back(absl::StripAsciiWhitespace(key));
  options.payload_tags.enabled = traces.capture_payload;
  options.payload_tags.max_depth = static_cast<size_t>(traces.capture_payload_max_depth);
  options.data_streams = {.exchange = config.data_streams.exchange,
                          .kafka_group = config.data_streams.kafka_group};
  return options;
}

std::map<std::string, std::string, std::less<>> ParseServiceMapping(std::string_view text,
                                                                    std::vector<std::string>& warnings) {
  std::map<std::string, std::string, std::less<>> mapping;
  for (const std::string_view pair : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const size_t colon = pair.find(':');
    const std::string_view from = absl::StripAsciiWhitespace(pair.substr(0, colon));
    const std::string_view to =
        colon == std::string_view::npos ? "" : absl::StripAsciiWhitespace(pair.substr(colon + 1));
    if (from.empty() || to.empty() || from == to) {
      warnings.push_back(absl::StrCat("DD_SERVICE_MAPPING has \"", absl::StripAsciiWhitespace(pair),
                                      "\", which is not from:to; it is left out"));
      continue;
    }
    mapping[std::string(from)] = std::string(to);
  }
  return mapping;
}

}  // namespace thaw
