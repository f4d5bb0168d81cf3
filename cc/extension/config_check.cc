#include "cc/extension/config_check.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/mask.h"
#include "cc/base/version.h"
#include "cc/extension/function_settings.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/pipeline_table.h"
#include "cc/lambda/api/extensions_api.h"
#include "cc/lambda/keys/api_key_sources.h"
#include "cc/logs/processing_rules.h"
#include "cc/net/client_factory.h"
#include "cc/net/destination.h"
#include "cc/net/tls/trusted_roots.h"

namespace thaw {
namespace {

constexpr absl::Duration kTrialTime = absl::Seconds(10);

constexpr const PipelineSpec& kTraces = PipelineNamed("traces");

std::vector<std::string> KeySources(const Config& config) {
  std::vector<std::string> sources;
  const ApiKeyOptions& given = config.api_key_sources;
  if (!config.api_key.empty()) sources.push_back("DD_API_KEY");
  if (!given.org_uuid.empty()) sources.push_back("delegated authentication");
  if (!given.kms_ciphertext.empty()) sources.push_back("KMS");
  if (!given.secret_arn.empty()) sources.push_back("Secrets Manager");
  if (!given.parameter_arn.empty()) sources.push_back("Parameter Store");
  return sources;
}

// Adds what is wrong with the address of a secret. One that is no ARN is used, as a name; but a word that is
// left from a template is one, too.
void CheckArn(std::string_view variable, std::string_view arn, std::string_view service,
              std::vector<std::string>& problems) {
  if (arn.empty()) return;
  const std::vector<std::string_view> parts = absl::StrSplit(arn, absl::MaxSplits(':', 5));
  if (parts[0] != "arn") {
    problems.push_back(absl::StrCat(variable, " is ", Quoted(arn),
                                    ": it is not an ARN; it is used as a name in the function's own region"));
  } else if (parts.size() < 6 || parts[5].empty()) {
    problems.push_back(absl::StrCat(variable, " is ", Quoted(arn),
                                    ": it does not have the form arn:PARTITION:", service,
                                    ":REGION:ACCOUNT:NAME"));
  } else if (parts[2] != service) {
    problems.push_back(absl::StrCat(variable, " is ", Quoted(arn), ": it is not an ARN of ", service));
  }
}

void CheckKeySources(const ApiKeyOptions& given, std::vector<std::string>& problems) {
  CheckArn("DD_API_KEY_SECRET_ARN", given.secret_arn, "secretsmanager", problems);
  CheckArn("DD_API_KEY_SSM_ARN", given.parameter_arn, "ssm", problems);
  if (std::string decoded; !absl::Base64Unescape(given.kms_ciphertext, &decoded))
    problems.push_back("DD_KMS_API_KEY is not base64, so that KMS can't decrypt it");
}

// Adds the variables that other programs read for a proxy, where no variable is set that is read here.
void CheckProxyNames(const Environment& environment, const Config& config,
                     std::vector<std::string>& problems) {
  if (!config.client.proxy_url.empty()) return;
  for (const char* name : {"ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"}) {
    if (environment.Get(name).value_or("").empty()) continue;
    problems.push_back(
        absl::StrCat("the variable ", name, " is not read; set DD_PROXY_HTTPS or HTTPS_PROXY for a proxy"));
  }
}

// Describes the result of the request.
std::string Outcome(const SendResult& result) {
  if (result.response.has_value()) return absl::StrCat("answers ", result.response->status);
  if (!result.failures.empty()) return result.failures.back().ToString();
  return "there was no answer in time";
}

}  // namespace

std::string KeySourceOf(const Config& config) {
  const std::vector<std::string> sources = KeySources(config);
  if (sources.size() < 2) return absl::StrJoin(sources, "");
  return absl::StrCat(sources[0], " (then ", absl::StrJoin(sources.begin() + 1, sources.end(), ", "), ")");
}

std::vector<std::string> ProblemsOf(const Environment& environment, const Config& config) {
  std::vector<std::string> problems;
  for (const ConfigWarning& warning : config.warnings) problems.push_back(warning.text);
  if (KeySources(config).empty()) {
    problems.push_back(
        "there is no API key: none of DD_API_KEY, DD_API_KEY_SECRET_ARN, DD_API_KEY_SSM_ARN, DD_KMS_API_KEY "
        "and "
        "DD_ORG_UUID has a usable value, so that nothing can be delivered");
  }
  CheckKeySources(config.api_key_sources, problems);
  CheckProxyNames(environment, config, problems);
  const FunctionFacts facts = FunctionFactsFrom(environment, config, Registration());
  TraceProcessorOptionsFrom(config, facts, /*runtime_api=*/"", problems);
  LifecycleOptionsFrom(config, facts, problems);
  HistogramOptionsFrom(config, problems);
  if (config.logs.enabled()) std::ignore = ProcessingRules(config.logs.processing_rules, problems);
  if (!config.client.tls_cert_file.empty()) {
    TrustedRoots roots({.public_roots = false});
    roots.AddPemFile(config.client.tls_cert_file, &problems);
  }
  return problems;
}

std::string StartLine(const Config& config) {
  const std::string key = KeySourceOf(config);
  std::string line = absl::StrCat(
      "thaw ", kVersion, ": site ", config.site, ", API key from ", key.empty() ? "no source" : key,
      ", flush strategy ", ToString(config.flush_strategy), ", traces go to ", MaskUrl(config.trace_url));
  if (!config.additional_endpoints.empty())
    absl::StrAppend(&line, " and ", config.additional_endpoints.size(), " more");
  return line;
}

Task<ConnectionTrial> TryConnection(Executor& executor, Clock& clock, Network& network, const Config& config,
                                    std::function<double()> random) {
  ConnectionTrial trial;
  std::vector<std::string> warnings;  // reported by ProblemsOf() already
  absl::StatusOr<std::unique_ptr<Client>> client =
      MakeClient(executor, clock, network, config.client, random, &warnings);
  absl::StatusOr<std::unique_ptr<Client>> aws_client =
      MakeClient(executor, clock, network, AwsClientOptions(config.client), random, &warnings);
  if (!client.ok() || !aws_client.ok()) {
    trial.lines.emplace_back(client.ok() ? aws_client.status().message() : client.status().message());
    co_return trial;
  }
  const std::shared_ptr<ConfiguredApiKey> key =
      MakeConfiguredApiKey(executor, clock, **aws_client, **client, config);
  const absl::Time begun = clock.Now().wall;
  if (key->Current().empty()) co_await key->Refresh();
  if (key->Current().empty()) {
    trial.lines.push_back(absl::StrCat(
        "no API key: ", key->failure().ok() ? "no source is configured" : key->failure().message()));
    co_return trial;
  }
  trial.lines.push_back(absl::StrCat("the API key was found (", KeySourceOf(config), ")"));

  absl::StatusOr<Endpoint> endpoint = MakeEndpoint(BaseUrlOf(kTraces, config), kTraces.path, key);
  if (!endpoint.ok()) {
    trial.lines.emplace_back(endpoint.status().message());
    co_return trial;
  }
  // An AgentPayload without chunks is an empty message.
  HttpRequest request{
      .destination = endpoint->destination,
      .target = endpoint->target,
      .headers = {{"Content-Type", std::string(kTraces.codec.content_type)}, {"DD-API-KEY", key->Current()}}};
  Cancellation never;
  const absl::Time sent = clock.Now().wall;
  const SendResult result = co_await (*client)->Send(
      std::move(request), {.budget = std::min(kTrialTime, kTrialTime - (sent - begun))}, never);
  const int64_t took = absl::ToInt64Milliseconds(clock.Now().wall - sent);
  trial.succeeded = result.accepted;
  const std::string where = endpoint->ToString();
  if (result.accepted) {
    trial.lines.push_back(
        absl::StrCat(where, " accepts it: ", result.response->status, " after ", took, " ms"));
  } else if (result.response.has_value() && result.response->status == 403) {
    trial.lines.push_back(absl::StrCat(where, " refuses the API key: 403 after ", took, " ms"));
  } else {
    trial.lines.push_back(
        absl::StrCat(where, " did not accept a request: ", Outcome(result), ", after ", took, " ms"));
  }
  co_return trial;
}

}  // namespace thaw
