#include "cc/extension/pipelines.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/base/status_macros.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/configured_options.h"
#include "cc/flush/endpoint.h"
#include "cc/lambda/keys/api_key_sources.h"
#include "cc/net/client_factory.h"

namespace thaw {
namespace {

// The intake whose requests go to the trace URL, whatever that is.
constexpr std::string_view kTraceIntakePrefix = "trace.agent";

// Returns the primary endpoint, then the usable additional ones.
absl::StatusOr<std::vector<Endpoint>> EndpointsOf(const Config& config, Pipeline pipeline,
                                                  const std::shared_ptr<ApiKeySource>& api_key,
                                                  std::vector<std::string>& warnings) {
  std::vector<Endpoint> endpoints;
  THAW_ASSIGN_OR_RETURN(Endpoint primary, MakeEndpoint(config.trace_url, pipeline, api_key));
  endpoints.push_back(std::move(primary));
  for (const AdditionalEndpoint& additional : config.additional_endpoints) {
    for (const std::string& key : additional.keys) {
      absl::StatusOr<Endpoint> endpoint =
          MakeEndpoint(additional.url, pipeline, std::make_shared<LiteralApiKey>(key));
      if (endpoint.ok()) {
        endpoints.push_back(*std::move(endpoint));
      } else {
        warnings.push_back(std::string(endpoint.status().message()));
      }
    }
  }
  return endpoints;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pipelines>> Pipelines::Make(Executor& executor, Clock& clock, Network& network,
                                                           const Config& config,
                                                           std::function<double()> random,
                                                           std::vector<std::string>& warnings,
                                                           SharedLimits limits) {
  std::unique_ptr<Pipelines> made(new Pipelines);
  THAW_ASSIGN_OR_RETURN(made->client_,
                        MakeClient(executor, clock, network, config.client, random, &warnings));
  THAW_ASSIGN_OR_RETURN(made->aws_client_, MakeClient(executor, clock, network,
                                                      AwsClientOptions(config.client), random, &warnings));
  Client& client = *made->client_;
  made->api_key_ =
      MakeConfiguredApiKey(executor, clock, *made->aws_client_, client, config, std::move(random));
  const std::shared_ptr<ApiKeySource> api_key = made->api_key_;
  made->limits_ = MakeSharedLimits(executor, clock, config);
  if (limits.bytes != nullptr) made->limits_.bytes = std::move(limits.bytes);
  made->coordinator_ = std::make_unique<FlushCoordinator>(
      executor, clock, MakeFlushSchedule(config, clock.Now()), made->limits_, MakeCoordinatorOptions(config));
  FlushCoordinator& coordinator = *made->coordinator_;
  coordinator.AddClient("intake", client);
  coordinator.AddClient("aws", *made->aws_client_);

  THAW_ASSIGN_OR_RETURN(std::vector<Endpoint> endpoints,
                        EndpointsOf(config, Pipeline::kTraces, api_key, warnings));
  made->traces_ =
      std::make_unique<TraceFlusher>(executor, clock, client, MakeFlusherOptions(config, Pipeline::kTraces),
                                     std::move(endpoints), made->limits_);
  coordinator.AddPipeline(*made->traces_);
  THAW_ASSIGN_OR_RETURN(endpoints, EndpointsOf(config, Pipeline::kStats, api_key, warnings));
  made->stats_ =
      std::make_unique<StatsFlusher>(executor, clock, client, MakeFlusherOptions(config, Pipeline::kStats),
                                     std::move(endpoints), made->limits_);
  coordinator.AddPipeline(*made->stats_);
  for (const ProxyRoute& route : ProxyRoutes()) {
    std::unique_ptr<PipelineFlusher>& flusher = made->proxied_[std::string(route.host_prefix)];
    if (flusher != nullptr) continue;
    endpoints.clear();
    if (route.host_prefix == kTraceIntakePrefix) {
      THAW_ASSIGN_OR_RETURN(endpoints, EndpointsOf(config, Pipeline::kProxied, api_key, warnings));
    } else {
      THAW_ASSIGN_OR_RETURN(Endpoint endpoint,
                            MakeEndpoint(absl::StrCat("https://", route.host_prefix, ".", config.site),
                                         Pipeline::kProxied, api_key));
      endpoints.push_back(std::move(endpoint));
    }
    flusher = std::make_unique<PipelineFlusher>(executor, clock, client,
                                                MakeFlusherOptions(config, Pipeline::kProxied),
                                                Pipeline::kProxied, std::move(endpoints), made->limits_);
    flusher->set_name(absl::StrCat("proxied.", route.host_prefix));
    coordinator.AddPipeline(*flusher);
  }
  return made;
}

void Pipelines::Forget() {
  api_key_->Forget();
  client_->Forget();
  aws_client_->Forget();
}

absl::Status Pipelines::AddProxied(ProxiedRequest request) {
  request.request.payloads = {next_proxied_++};
  return proxied_.find(request.route->host_prefix)->second->Add(std::move(request.request));
}

}  // namespace thaw
