#include "cc/config/config.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/base/mask.h"
#include "cc/config/parse_values.h"
#include "cc/config/pretty_json.h"
#include "cc/config/tag_list.h"
#include "cc/net/destination.h"

namespace thaw {
namespace {

// Format a value for a warning.
std::string ShowAll(std::string_view text) { return Quoted(text); }
std::string ShowUrl(std::string_view text) { return Quoted(MaskUrl(text)); }
std::string ShowKey(std::string_view text) { return Quoted(MaskSecret(text)); }
// A user who swaps key and URL puts a key here.
std::string ShowEndpoint(std::string_view text) {
  return absl::StrContains(text, "://") ? ShowUrl(text) : ShowKey(text);
}
std::string ShowNothing(std::string_view) { return "\"****\""; }

class Finalizer {
 public:
  explicit Finalizer(std::vector<ConfigWarning>& warnings) : warnings_(warnings) {}

  // Sets `value` to the first of `texts` that `parse` accepts, and warns about those before it. Returns the
  // source of the value, or null if it was left at its default.
  template <typename T, typename Parse>
  const RawText* Set(T& value, const RawOptions::Texts& texts, const Parse& parse,
                     std::string_view default_text, std::string (*show)(std::string_view text) = &ShowAll) {
    std::vector<std::pair<const RawText*, std::string>> refused;
    const RawText* taken = nullptr;
    for (const RawText& text : texts) {
      absl::StatusOr<T> parsed = parse(text.text);
      if (parsed.ok()) {
        value = *std::move(parsed);
        taken = &text;
        break;
      }
      refused.emplace_back(&text, parsed.status().message());
    }
    const std::string instead = taken != nullptr
                                    ? absl::StrCat(show(taken->text), " of ", taken->source, " is used")
                                    : absl::StrCat("the default, ", default_text, ", is kept");
    for (const auto& [text, why] : refused) {
      Warn(text->source, absl::StrCat(text->source, " is ", show(text->text), ": ", why, "; ", instead));
    }
    return taken;
  }

  void Warn(std::string source, std::string text) {
    warnings_.push_back({.source = std::move(source), .text = std::move(text)});
  }

 private:
  std::vector<ConfigWarning>& warnings_;
};

auto IntFrom(int least, int most) {
  return [least, most](std::string_view text) { return ParseInt(text, least, most); };
}

absl::StatusOr<int> ParseMaxIdle(std::string_view text) {
  if (absl::EqualsIgnoreCase(text, "unlimited")) return ClientOptions::kUnlimited;
  absl::StatusOr<int> number = ParseInt(text, 0, ClientOptions::kUnlimited);
  if (number.ok()) return number;
  return absl::InvalidArgumentError(absl::StrCat(number.status().message(), ", nor \"unlimited\""));
}

// "0" means never.
absl::StatusOr<absl::Duration> ParseReloadInterval(std::string_view text) {
  if (text == "0") return absl::InfiniteDuration();
  absl::StatusOr<absl::Duration> interval = ParseSeconds(text);
  if (interval.ok()) return interval;
  return absl::InvalidArgumentError(absl::StrCat(interval.status().message(), ", nor 0"));
}

std::string Seconds(absl::Duration duration) { return absl::StrCat(absl::ToDoubleSeconds(duration), " s"); }

void WarnOfUnknownInitializationType(const Environment& environment, EnvironmentKind kind,
                                     Finalizer& finalizer) {
  constexpr const char* kName = "AWS_LAMBDA_INITIALIZATION_TYPE";
  const std::string type = environment.Get(kName).value_or("");
  if (type.empty() || kind != EnvironmentKind::kOtherLambda) return;
  finalizer.Warn(kName, absl::StrCat(kName, " is ", ShowAll(type),
                                     ": nothing is known of it; the defaults of on-demand are kept"));
}

// The domains of Datadog's regions ("Getting started with Datadog sites" in its documentation) and its
// staging.
constexpr std::string_view kDatadogSites[] = {
    "datadoghq.com",     "us3.datadoghq.com", "us5.datadoghq.com", "datadoghq.eu", "ap1.datadoghq.com",
    "ap2.datadoghq.com", "ddog-gov.com",      "us2.ddog-gov.com",  "datad0g.com",
};

// An unknown site may be a new region, so it is used.
void WarnOfUnknownSite(const std::string& site, const RawText& given, Finalizer& finalizer) {
  if (absl::c_linear_search(kDatadogSites, site)) return;
  std::string text =
      absl::StrCat(given.source, " is ", ShowAll(given.text), ", which is none of Datadog's sites");
  for (const std::string_view known : kDatadogSites) {
    if (!absl::EndsWith(site, absl::StrCat(".", known))) continue;
    absl::StrAppend(&text, " (did you mean ", known, "?)");
    break;
  }
  finalizer.Warn(given.source, absl::StrCat(text, "; it is used as it stands"));
}

void WarnOfNamelessTags(const RawText& given, Finalizer& finalizer) {
  for (const std::string& nameless : ParseTagList(given.text).nameless) {
    finalizer.Warn(given.source, absl::StrCat(given.source, " has ", ShowAll(nameless),
                                              ", a tag without a name; it is left out"));
  }
}

// Forces background flushes where the process is never frozen, since nothing else makes sense there. An
// interval that was given for one is kept.
void ForceContinuousFlushes(FlushStrategy& strategy, const RawText* given, Finalizer& finalizer) {
  if (strategy.kind == FlushStrategy::Kind::kContinuously) return;
  const FlushStrategy forced{FlushStrategy::Kind::kContinuously, absl::Seconds(30)};
  if (strategy.kind != FlushStrategy::Kind::kDefault) {
    finalizer.Warn(given->source,
                   absl::StrCat(given->source, " is ", ShowAll(given->text),
                                ": managed instances flush continuously; ", ToString(forced), " is used"));
  }
  strategy = forced;
}

ApiKeyOptions ApiKeySourcesOf(const RawOptions& raw, Finalizer& finalizer) {
  ApiKeyOptions sources;
  finalizer.Set(sources.org_uuid, raw.org_uuid, &ParseWord, "none");
  finalizer.Set(sources.kms_ciphertext, raw.kms_api_key, &ParseWord, "none", &ShowNothing);
  finalizer.Set(sources.secret_arn, raw.api_key_secret_arn, &ParseWord, "none");
  finalizer.Set(sources.parameter_arn, raw.api_key_ssm_arn, &ParseWord, "none");
  finalizer.Set(sources.reload_interval, raw.api_key_reload_interval, &ParseReloadInterval, "never");
  return sources;
}

AwsOptions AwsOptionsOf(const RawOptions& raw, Finalizer& finalizer) {
  AwsOptions aws;
  finalizer.Set(aws.region, raw.aws_region, &ParseRegion, "none");
  finalizer.Set(aws.function_name, raw.function_name, &ParseWord, "none");
  finalizer.Set(aws.access_key_id, raw.aws_access_key_id, &ParseWord, "none", &ShowNothing);
  finalizer.Set(aws.secret_access_key, raw.aws_secret_access_key, &ParseWord, "none", &ShowNothing);
  finalizer.Set(aws.session_token, raw.aws_session_token, &ParseWord, "none", &ShowNothing);
  finalizer.Set(aws.container_credentials_url, raw.container_credentials, &ParseCredentialsUrl, "none",
                &ShowUrl);
  finalizer.Set(aws.container_authorization_token, raw.container_token, &ParseWord, "none", &ShowNothing);
  aws.fips = absl::StartsWith(aws.region, "us-gov-");
  finalizer.Set(aws.fips, raw.fips_mode, &ParseBool, aws.fips ? "true" : "false");
  return aws;
}

// `memory` is the function's memory.
size_t OutboxBytesOf(int64_t memory) {
  return static_cast<size_t>(std::clamp<int64_t>(memory / 8, int64_t{4} << 20, int64_t{64} << 20));
}

// Returns the endpoints that can be used. Each member that can't yields a warning of its own.
std::vector<AdditionalEndpoint> Usable(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& given, const std::string& source,
    Finalizer& finalizer) {
  std::vector<AdditionalEndpoint> usable;
  for (const auto& [url, keys] : given) {
    const auto warn = [&finalizer, &source, shown = ShowEndpoint(url)](std::string_view what) {
      finalizer.Warn(source, absl::StrCat(source, " has ", shown, ": ", what));
    };
    absl::StatusOr<std::string> base_url = ParseBaseUrl(url);
    if (!base_url.ok()) {
      warn(absl::StrCat(base_url.status().message(), "; nothing is sent there"));
      continue;
    }
    std::vector<std::string> usable_keys;
    for (const std::string& key : keys) {
      absl::StatusOr<std::string> usable_key = ParseApiKey(key);
      if (usable_key.ok()) {
        usable_keys.push_back(*std::move(usable_key));
      } else {
        warn(absl::StrCat(usable_key.status().message(), "; it is left out"));
      }
    }
    if (keys.empty()) warn("there is no key for it; nothing is sent there");
    if (usable_keys.empty()) continue;
    // Two spellings of a URL may have become equal.
    auto endpoint = std::find_if(usable.begin(), usable.end(),
                                 [&](const AdditionalEndpoint& other) { return other.url == *base_url; });
    if (endpoint == usable.end()) endpoint = usable.insert(endpoint, {.url = *std::move(base_url)});
    endpoint->keys.insert(endpoint->keys.end(), usable_keys.begin(), usable_keys.end());
  }
  return usable;
}

std::vector<std::string> NoProxy(const RawOptions& raw, Finalizer& finalizer) {
  std::vector<std::string> hosts;
  finalizer.Set(hosts, raw.no_proxy, &ParseHostList, "none", &ShowUrl);
  std::vector<std::string> more;
  finalizer.Set(more, raw.no_proxy_of_any_program, &ParseHostList, "none", &ShowUrl);
  hosts.insert(hosts.end(), more.begin(), more.end());
  return hosts;
}

// YAML can write a NUL, at which other programs would end the text.
absl::StatusOr<std::string> AnyText(std::string_view text) {
  if (absl::StrContains(text, '\0')) return absl::InvalidArgumentError("it has a NUL character");
  return std::string(text);
}

void FinalizeTraces(const RawOptions& raw, TraceConfig& traces, Finalizer& finalizer) {
  finalizer.Set(traces.compute_stats, raw.compute_stats, &ParseBool, "false");
  finalizer.Set(traces.aws_service_representation, raw.aws_service_representation, &ParseBool, "true");
  finalizer.Set(traces.service_mapping, raw.service_mapping, &AnyText, "none");
  finalizer.Set(traces.replace_rules, raw.replace_rules, &AnyText, "none");
  finalizer.Set(traces.filter_require, raw.filter_require, &AnyText, "none");
  finalizer.Set(traces.filter_reject, raw.filter_reject, &AnyText, "none");
  finalizer.Set(traces.filter_regex_require, raw.filter_regex_require, &AnyText, "none");
  finalizer.Set(traces.filter_regex_reject, raw.filter_regex_reject, &AnyText, "none");
  finalizer.Set(traces.remove_query_string, raw.remove_query_string, &ParseBool, "false");
  finalizer.Set(traces.remove_paths_with_digits, raw.remove_paths_with_digits, &ParseBool, "false");
  finalizer.Set(traces.propagation_styles, raw.propagation_styles, &AnyText, traces.propagation_styles);
  finalizer.Set(traces.propagation_extract_first, raw.propagation_extract_first, &ParseBool, "false");
  finalizer.Set(traces.propagation_http_baggage, raw.propagation_http_baggage, &ParseBool, "false");
  finalizer.Set(traces.baggage_tag_keys, raw.baggage_tag_keys, &AnyText, traces.baggage_tag_keys);
  finalizer.Set(traces.capture_payload, raw.capture_payload, &ParseBool, "false");
  finalizer.Set(traces.capture_payload_max_depth, raw.capture_payload_max_depth, IntFrom(1, 100), "10");
}

}  // namespace

Config LoadConfig(const Environment& environment, std::string_view yaml_text) {
  Config config;
  RawOptions raw = ReadRawOptions(environment, yaml_text);
  config.warnings = std::move(raw.warnings);
  Finalizer finalizer(config.warnings);

  config.environment = EnvironmentKindOf(environment);
  WarnOfUnknownInitializationType(environment, config.environment, finalizer);
  config.client = DefaultClientOptions(config.environment);

  if (const RawText* const site = finalizer.Set(config.site, raw.site, &ParseHostName, config.site))
    WarnOfUnknownSite(config.site, *site, finalizer);
  finalizer.Set(config.api_key, raw.api_key, &ParseApiKey, "none", &ShowKey);
  config.api_key_sources = ApiKeySourcesOf(raw, finalizer);
  config.aws = AwsOptionsOf(raw, finalizer);
  config.trace_url = absl::StrCat("https://trace.agent.", config.site);
  finalizer.Set(config.trace_url, raw.trace_url, &ParseBaseUrl, config.trace_url, &ShowUrl);
  std::vector<std::pair<std::string, std::vector<std::string>>> endpoints;
  if (const RawText* const taken =
          finalizer.Set(endpoints, raw.additional_endpoints, &ParseEndpoints, "none", &ShowNothing)) {
    config.additional_endpoints = Usable(endpoints, taken->source, finalizer);
  }
  finalizer.Set(config.flush_timeout, raw.flush_timeout, &ParseSeconds, Seconds(config.flush_timeout));
  const RawText* const strategy = finalizer.Set(config.flush_strategy, raw.flush_strategy,
                                                &ParseFlushStrategy, ToString(config.flush_strategy));
  if (config.environment == EnvironmentKind::kManagedInstances) {
    ForceContinuousFlushes(config.flush_strategy, strategy, finalizer);
  }
  int megabytes = 0;
  if (finalizer.Set(megabytes, raw.function_memory, IntFrom(1, 1 << 20), "an outbox of 32 MiB") != nullptr) {
    config.outbox_bytes = OutboxBytesOf(int64_t{megabytes} << 20);
  }
  finalizer.Set(config.compression_level, raw.compression_level, IntFrom(1, 22),
                absl::StrCat(config.compression_level));

  ClientOptions& client = config.client;
  client.exchange_timeout = config.flush_timeout;
  finalizer.Set(client.proxy_url, raw.proxy_url, &ParseProxyUrl, "none", &ShowUrl);
  client.no_proxy = NoProxy(raw, finalizer);
  finalizer.Set(client.tls_cert_file, raw.tls_cert_file, &ParsePath, "none");
  const RawText* const skip =
      finalizer.Set(client.skip_ssl_validation, raw.skip_ssl_validation, &ParseBool, "false");
  if (client.skip_ssl_validation) {
    finalizer.Warn(skip->source, absl::StrCat(skip->source, " is ", ShowAll(skip->text),
                                              ": any certificate is accepted, so whoever is on the way can "
                                              "read what is sent, and the API key"));
  }
  finalizer.Set(client.max_idle_per_host, raw.max_idle_per_host, &ParseMaxIdle,
                absl::StrCat(client.max_idle_per_host));
  finalizer.Set(client.share_within_flush, raw.share_within_flush, &ParseBool, "true");
  finalizer.Set(client.idle_timeout, raw.idle_timeout, &ParseSeconds, Seconds(client.idle_timeout));
  finalizer.Set(client.max_connections_per_host, raw.max_connections_per_host,
                IntFrom(1, ClientOptions::kUnlimited), absl::StrCat(client.max_connections_per_host));

  finalizer.Set(config.log_level, raw.log_level, &ParseLogLevel, ToString(config.log_level));
  finalizer.Set(config.env, raw.env, &AnyText, "none");
  finalizer.Set(config.service, raw.service, &AnyText, "none");
  finalizer.Set(config.version, raw.version, &AnyText, "none");
  if (const RawText* const tags = finalizer.Set(config.tags, raw.tags, &AnyText, "none"))
    WarnOfNamelessTags(*tags, finalizer);
  FinalizeTraces(raw, config.traces, finalizer);
  return config;
}

namespace {

std::string Hidden(std::string_view secret) { return secret.empty() ? "" : "****"; }

void AddApiKeySources(const ApiKeyOptions& sources, PrettyJson& json) {
  json.Open('{', "api_key_sources");
  json.Add("org_uuid", sources.org_uuid);
  json.Add("kms_api_key", Hidden(sources.kms_ciphertext));
  json.Add("api_key_secret_arn", sources.secret_arn);
  json.Add("api_key_ssm_arn", sources.parameter_arn);
  if (sources.reload_interval == absl::InfiniteDuration()) {
    json.Add("reload_interval", "never");
  } else {
    json.Add("reload_interval", sources.reload_interval);
  }
  json.Close('}');
}

void AddAws(const AwsOptions& aws, PrettyJson& json) {
  json.Open('{', "aws");
  json.Add("region", aws.region);
  json.Add("function_name", aws.function_name);
  json.Add("access_key_id", Hidden(aws.access_key_id));
  json.Add("secret_access_key", Hidden(aws.secret_access_key));
  json.Add("session_token", Hidden(aws.session_token));
  json.Add("container_credentials_url", MaskUrl(aws.container_credentials_url));
  json.Add("container_authorization_token", Hidden(aws.container_authorization_token));
  json.Add("fips", aws.fips);
  json.Close('}');
}

}  // namespace

std::string ToJson(const Config& config) {
  const ClientOptions& client = config.client;
  PrettyJson json;
  json.Open('{');
  json.Add("environment", ToString(config.environment));
  json.Add("site", config.site);
  json.Add("api_key", MaskSecret(config.api_key));
  AddApiKeySources(config.api_key_sources, json);
  AddAws(config.aws, json);
  json.Add("trace_url", MaskUrl(config.trace_url));
  json.Open('{', "additional_endpoints");
  for (const AdditionalEndpoint& endpoint : config.additional_endpoints) {
    json.Open('[', MaskUrl(endpoint.url));
    for (const std::string& key : endpoint.keys) json.Add(MaskSecret(key));
    json.Close(']');
  }
  json.Close('}');
  json.Add("flush_timeout", config.flush_timeout);
  json.Add("flush_strategy", ToString(config.flush_strategy));
  json.Add("compression_level", config.compression_level);
  json.Add("outbox_bytes", static_cast<int>(config.outbox_bytes));
  json.Open('{', "client");
  if (client.max_idle_per_host >= ClientOptions::kUnlimited) {
    json.Add("max_idle_per_host", "unlimited");
  } else {
    json.Add("max_idle_per_host", client.max_idle_per_host);
  }
  json.Add("share_within_flush", client.share_within_flush);
  json.Add("idle_timeout", client.idle_timeout);
  json.Add("max_connections_per_host", client.max_connections_per_host);
  json.Add("exchange_timeout", client.exchange_timeout);
  json.Add("proxy_url", MaskUrl(client.proxy_url));
  json.Open('[', "no_proxy");
  for (const std::string& host : client.no_proxy) json.Add(MaskUrl(host));
  json.Close(']');
  json.Add("tls_cert_file", client.tls_cert_file);
  json.Add("skip_ssl_validation", client.skip_ssl_validation);
  json.Close('}');
  json.Add("log_level", ToString(config.log_level));
  json.Add("env", config.env);
  json.Add("service", config.service);
  json.Add("version", config.version);
  json.Add("tags", config.tags);
  const TraceConfig& traces = config.traces;
  json.Open('{', "traces");
  json.Add("compute_stats", traces.compute_stats);
  json.Add("aws_service_representation", traces.aws_service_representation);
  json.Add("service_mapping", traces.service_mapping);
  json.Add("replace_rules", traces.replace_rules);
  json.Add("filter_require", traces.filter_require);
  json.Add("filter_reject", traces.filter_reject);
  json.Add("filter_regex_require", traces.filter_regex_require);
  json.Add("filter_regex_reject", traces.filter_regex_reject);
  json.Add("remove_query_string", traces.remove_query_string);
  json.Add("remove_paths_with_digits", traces.remove_paths_with_digits);
  json.Add("propagation_styles", traces.propagation_styles);
  json.Add("propagation_extract_first", traces.propagation_extract_first);
  json.Add("propagation_http_baggage", traces.propagation_http_baggage);
  json.Add("baggage_tag_keys", traces.baggage_tag_keys);
  json.Add("capture_payload", traces.capture_payload);
  json.Add("capture_payload_max_depth", traces.capture_payload_max_depth);
  json.Close('}');
  json.Open('[', "warnings");
  for (const ConfigWarning& warning : config.warnings) json.Add(warning.text);
  json.Close(']');
  json.Close('}');
  return std::move(json).Take();
}

}  // namespace thaw
