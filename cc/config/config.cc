#include "cc/config/config.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cc/base/mask.h"
#include "cc/config/masked_value.h"
#include "cc/config/option_table.h"
#include "cc/config/parse_values.h"
#include "cc/config/sites.h"
#include "cc/config/tag_list.h"
#include "cc/net/destination.h"
#include "cc/net/dial/no_proxy.h"

namespace thaw {
namespace {

// Returns the URL of an endpoint for a warning. A user who swaps key and URL puts a key here.
std::string ShowEndpoint(std::string_view text) {
  return Quoted(absl::StrContains(text, "://") ? MaskUrl(text) : MaskSecret(text));
}

std::string Show(const std::string& text, Secrecy secrecy) {
  return secrecy == Secrecy::kHidden ? "\"****\"" : Quoted(MaskedValue(text, secrecy));
}

// Returns a default as a warning names it. No default is a secret.
std::string DefaultText(const std::string& value) { return value.empty() ? "none" : value; }
std::string DefaultText(bool value) { return value ? "true" : "false"; }
std::string DefaultText(int value) { return absl::StrCat(value); }
std::string DefaultText(size_t outbox_bytes) {
  return absl::StrCat("an outbox of ", outbox_bytes >> 20, " MiB");
}
std::string DefaultText(absl::Duration value) {
  if (value == absl::InfiniteDuration()) return "never";
  return absl::StrCat(absl::ToDoubleSeconds(value), " s");
}
std::string DefaultText(const FlushStrategy& value) { return ToString(value); }
std::string DefaultText(LogLevel value) { return std::string(ToString(value)); }
template <typename T>
std::string DefaultText(const std::vector<T>&) {
  return "none";  // no list has a default
}

std::string OriginOf(const RawText& text) {
  if (text.line == 0) return text.source;
  return absl::StrCat("datadog.yaml, line ", text.line, absl::StripPrefix(text.source, "datadog.yaml"));
}

// Returns whether quotes around the option's value can only be a mistake: of a key, a name of AWS, a host or a URL.
bool HasNoQuotes(Option option) {
  switch (option) {
    case Option::site:
    case Option::api_key:
    case Option::org_uuid:
    case Option::kms_api_key:
    case Option::api_key_secret_arn:
    case Option::api_key_ssm_arn:
    case Option::trace_url:
    case Option::logs_url:
    case Option::logs_worker_url:
    case Option::proxy_url:
      return true;
    default:
      return false;
  }
}

class Finalizer {
 public:
  explicit Finalizer(Config& config) : config_(config) {}

  // Sets `value` to the first of `texts` that `parse` accepts, warns about those before it and records the
  // origin. Returns the source of the value, or null if it was left at its default.
  template <typename T, typename Parse>
  const RawText* Set(Option option, T& value, const RawOptions::Texts& texts, const Parse& parse) {
    const Secrecy secrecy = RowOf(option).secrecy;
    std::vector<std::pair<const RawText*, std::string>> refused;
    const RawText* taken = nullptr;
    const std::string default_text = DefaultText(value);
    for (const RawText& text : texts) {
      const std::string_view given = HasNoQuotes(option) ? WithoutQuotes(text.text) : text.text;
      absl::StatusOr<T> parsed = parse(given);
      if (parsed.ok()) {
        if (given != text.text)
          Warn(text.source, absl::StrCat(text.source, " is in quotes, which are removed"));
        value = *std::move(parsed);
        taken = &text;
        break;
      }
      refused.emplace_back(&text, parsed.status().message());
    }
    const std::string instead =
        taken != nullptr ? absl::StrCat(Show(taken->text, secrecy), " of ", taken->source, " is used")
                         : absl::StrCat("the default, ", default_text, ", is kept");
    for (const auto& [text, why] : refused) {
      Warn(text->source,
           absl::StrCat(text->source, " is ", Show(text->text, secrecy), ": ", why, "; ", instead));
    }
    if (taken != nullptr) SetOrigin(option, OriginOf(*taken));
    return taken;
  }

  // Appends to `values` those of the first of `texts` that `parse` accepts.
  template <typename T, typename Parse>
  const RawText* Append(Option option, std::vector<T>& values, const RawOptions::Texts& texts,
                        const Parse& parse) {
    std::vector<T> more;
    const RawText* const taken = Set(option, more, texts, parse);
    values.insert(values.end(), more.begin(), more.end());
    return taken;
  }

  bool HasOrigin(Option option) const { return config_.origins.contains(JsonPathOf(RowOf(option))); }
  void SetOrigin(Option option, std::string origin) {
    config_.origins.insert_or_assign(JsonPathOf(RowOf(option)), std::move(origin));
  }
  void Warn(std::string source, std::string text) {
    // Options that share a source have the same complaint.
    for (const ConfigWarning& said : config_.warnings)
      if (said.text == text) return;
    config_.warnings.push_back({.source = std::move(source), .text = std::move(text)});
  }

 private:
  Config& config_;
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

// Accepts a function's memory in MB, of which the outbox may fill an eighth, within bounds.
absl::StatusOr<size_t> ParseMemory(std::string_view text) {
  const absl::StatusOr<int> megabytes = ParseInt(text, 1, 1 << 20);
  if (!megabytes.ok()) return megabytes.status();
  const int64_t bytes = int64_t{*megabytes} << 20;
  return static_cast<size_t>(std::clamp<int64_t>(bytes / 8, int64_t{4} << 20, int64_t{64} << 20));
}

// Accepts any text, since tracers read a list of features from the same variable: nothing but "true" is true here.
absl::StatusOr<bool> ParseFeatureSwitch(std::string_view text) { return ParseBool(text).value_or(false); }

// YAML can write a NUL, at which other programs would end the text.
absl::StatusOr<std::string> AnyText(std::string_view text) {
  if (absl::StrContains(text, '\0')) return absl::InvalidArgumentError("it has a NUL character");
  return std::string(text);
}

// Accepts the JSON of endpoints, which CheckEndpoints checks one by one.
absl::StatusOr<std::vector<AdditionalEndpoint>> ParseAdditionalEndpoints(std::string_view text) {
  absl::StatusOr<std::vector<std::pair<std::string, std::vector<std::string>>>> given = ParseEndpoints(text);
  if (!given.ok()) return given.status();
  std::vector<AdditionalEndpoint> endpoints;
  for (auto& [url, keys] : *given) endpoints.push_back({.url = std::move(url), .keys = std::move(keys)});
  return endpoints;
}

// Accepts a base URL, or a host with or without a port, which means https.
absl::StatusOr<std::string> ParseHostOrUrl(std::string_view text) {
  if (absl::StrContains(text, "://")) return ParseBaseUrl(text);
  return ParseBaseUrl(absl::StrCat("https://", text));
}

// Accepts the JSON of endpoints for logs: [{"api_key", "Host", "Port"}, …].
absl::StatusOr<std::vector<AdditionalEndpoint>> ParseLogsEndpoints(std::string_view text) {
  absl::StatusOr<std::vector<std::pair<std::string, std::vector<std::string>>>> given =
      ParseHostsWithKeys(text);
  if (!given.ok()) return given.status();
  std::vector<AdditionalEndpoint> endpoints;
  for (auto& [url, keys] : *given) endpoints.push_back({.url = std::move(url), .keys = std::move(keys)});
  return endpoints;
}

constexpr const char* kInitializationType = "AWS_LAMBDA_INITIALIZATION_TYPE";

void WarnOfUnknownInitializationType(const Environment& environment, EnvironmentKind kind,
                                     Finalizer& finalizer) {
  const std::string type = environment.Get(kInitializationType).value_or("");
  if (type.empty() || kind != EnvironmentKind::kOtherLambda) return;
  finalizer.Warn(kInitializationType,
                 absl::StrCat(kInitializationType, " is ", Quoted(type),
                              ": it is not a known type; the defaults of on-demand are used"));
}

// An unknown site may be a new region, so it is used.
void WarnOfUnknownSite(const std::string& site, const RawText& given, Finalizer& finalizer) {
  if (absl::StrContains(given.text, "://")) {
    finalizer.Warn(given.source, absl::StrCat(given.source, " is ", Quoted(given.text),
                                              ": it is a URL and not a site; its host, ", site, ", is used"));
  }
  if (IsKnownSite(site)) return;
  const std::string_view meant = KnownSiteAbove(site);
  finalizer.Warn(given.source, absl::StrCat(given.source, " is ", Quoted(given.text),
                                            ", which is not one of Datadog's sites",
                                            meant.empty() ? "" : absl::StrCat(" (did you mean ", meant, "?)"),
                                            "; it is used unchanged"));
}

void WarnOfNamelessTags(const RawText& given, Finalizer& finalizer) {
  for (const std::string& nameless : ParseTagList(given.text).nameless) {
    finalizer.Warn(given.source, absl::StrCat(given.source, " has ", Quoted(nameless),
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
                   absl::StrCat(given->source, " is ", Quoted(given->text),
                                ": managed instances flush continuously; ", ToString(forced), " is used"));
  }
  strategy = forced;
  finalizer.SetOrigin(Option::flush_strategy, kInitializationType);
}

// Returns the endpoints that can be used. Each member that can't yields a warning of its own.
std::vector<AdditionalEndpoint> CheckEndpoints(const std::vector<AdditionalEndpoint>& given,
                                               const std::string& source, Finalizer& finalizer) {
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

void WarnOfSkippedValidation(const RawText& given, Finalizer& finalizer) {
  finalizer.Warn(given.source, absl::StrCat(given.source, " is ", Quoted(given.text),
                                            ": any certificate is accepted, so anybody on the path can "
                                            "read the data and the API key"));
}

void WarnOfHostsThatMatchNothing(const RawText& given, Finalizer& finalizer) {
  const absl::StatusOr<std::vector<std::string>> entries = ParseHostList(given.text);
  if (!entries.ok()) return;
  for (const std::string& entry : *entries) {
    if (const std::optional<std::string> why = WhyItMatchesNothing(entry)) {
      finalizer.Warn(given.source, absl::StrCat("entry ", Quoted(MaskUrl(entry)), " of ", given.source,
                                                " matches no host: ", *why));
    }
  }
}

// Sets the default of an option that follows from options before it.
void PrepareDefault(Option option, Config& config) {
  if (option == Option::fips) config.aws.fips = absl::StartsWith(config.aws.region, "us-gov-");
  if (option == Option::logs_url) config.logs_url = absl::StrCat("https://http-intake.logs.", config.site);
  // Logs are on by default, and off if the one switch that is set is off.
  if (option == Option::serverless_logs_enabled) config.logs.serverless_switch = config.logs.agent_switch;
  if (option == Option::metrics_url) config.metrics_url = absl::StrCat("https://api.", config.site);
  if (option == Option::trace_url) config.trace_url = absl::StrCat("https://trace.agent.", config.site);
}

void GoWithoutWorker(const RawText& given, Config& config, Finalizer& finalizer) {
  config.logs.worker = false;
  finalizer.Warn(given.source,
                 absl::StrCat(given.source, " is ", Quoted(given.text),
                              " but DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_URL has no usable URL; logs are "
                              "sent to the intake"));
}

// Completes an option's value, and warns about a usable one that is likely a mistake. `given` is its source,
// null for the default.
void Complete(Option option, const RawText* given, Config& config, Finalizer& finalizer) {
  switch (option) {
    case Option::site:
      if (given != nullptr) WarnOfUnknownSite(config.site, *given, finalizer);
      break;
    case Option::additional_endpoints:
      if (given == nullptr) break;
      config.additional_endpoints = CheckEndpoints(config.additional_endpoints, given->source, finalizer);
      break;
    case Option::logs_additional_endpoints:
      if (given == nullptr) break;
      config.logs_additional_endpoints =
          CheckEndpoints(config.logs_additional_endpoints, given->source, finalizer);
      break;
    case Option::metrics_additional_endpoints:
      if (given == nullptr) break;
      config.metrics_additional_endpoints =
          CheckEndpoints(config.metrics_additional_endpoints, given->source, finalizer);
      break;
    case Option::logs_worker:
      if (config.logs.worker && config.logs_worker_url.empty()) GoWithoutWorker(*given, config, finalizer);
      break;
    case Option::logs_use_compression:
      if (!config.logs.use_compression) config.logs_compression_level = 0;
      break;
    case Option::serverless_logs_enabled:
      if (given != nullptr && !finalizer.HasOrigin(Option::logs_enabled))
        config.logs.agent_switch = config.logs.serverless_switch;
      break;
    case Option::metrics_url:
      if (given != nullptr) config.events_url = config.metrics_url;
      break;
    case Option::flush_timeout:
      config.client.exchange_timeout = config.flush_timeout;
      break;
    case Option::flush_strategy:
      if (config.environment == EnvironmentKind::kManagedInstances)
        ForceContinuousFlushes(config.flush_strategy, given, finalizer);
      break;
    case Option::no_proxy:
    case Option::no_proxy_of_any_program:
      if (given != nullptr) WarnOfHostsThatMatchNothing(*given, finalizer);
      break;
    case Option::skip_ssl_validation:
      if (config.client.skip_ssl_validation) WarnOfSkippedValidation(*given, finalizer);
      break;
    case Option::tags:
      if (given != nullptr) WarnOfNamelessTags(*given, finalizer);
      break;
    default:
      break;
  }
}

}  // namespace

Config LoadConfig(const Environment& environment, std::string_view yaml_text) {
  Config config;
  RawOptions raw = ReadRawOptions(environment, yaml_text);
  config.warnings = std::move(raw.warnings);
  Finalizer finalizer(config);

  config.environment = EnvironmentKindOf(environment);
  WarnOfUnknownInitializationType(environment, config.environment, finalizer);
  config.client = DefaultClientOptions(config.environment);

#define THAW_OPTION(name, member, sources, form, parse, ...) \
  PrepareDefault(Option::name, config);                      \
  Complete(Option::name, finalizer.Set(Option::name, config.member, raw.name, parse), config, finalizer);
#define THAW_ADDED_OPTION(name, member, sources, form, parse, ...) \
  Complete(Option::name, finalizer.Append(Option::name, config.member, raw.name, parse), config, finalizer);
#include "cc/config/options.inc"
  return config;
}

std::string DefaultOf(Option option, EnvironmentKind environment) {
  Config config;
  config.client = DefaultClientOptions(environment);
  switch (option) {
#define THAW_OPTION(name, member, ...) \
  case Option::name:                   \
    return DefaultText(config.member);
#include "cc/config/options.inc"
  }
  return "";
}

}  // namespace thaw
