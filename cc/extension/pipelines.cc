#include "cc/extension/pipelines.h"

#include <utility>

#include "cc/base/status_macros.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/configured_options.h"
#include "cc/lambda/keys/api_key_sources.h"
#include "cc/net/client_factory.h"

namespace thaw {
namespace {

// Adds the pipelines of all kinds of payloads. A new one is a line here.
absl::Status AddPayloads(PipelineList& list, const PipelineParts& parts) {
  THAW_RETURN_IF_ERROR(list.Add<TraceFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<StatsFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<LogFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<WorkerLogFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<SeriesFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<SketchFlusher>(parts));
  return absl::OkStatus();
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
  made->limits_ = SharedLimitsFrom(executor, clock, config);
  if (limits.bytes != nullptr) made->limits_.bytes = std::move(limits.bytes);
  made->coordinator_ = std::make_unique<FlushCoordinator>(
      executor, clock, FlushScheduleFrom(config, clock.Now()), made->limits_, CoordinatorOptionsFrom(config));
  made->coordinator_->AddClient("intake", client);
  made->coordinator_->AddClient("aws", *made->aws_client_);
  const PipelineParts parts{.executor = executor,
                            .clock = clock,
                            .client = client,
                            .coordinator = *made->coordinator_,
                            .limits = made->limits_,
                            .api_key = api_key,
                            .config = config,
                            .warnings = warnings};
  THAW_RETURN_IF_ERROR(AddPayloads(made->list_, parts));
  for (const ProxyRoute& route : ProxyRoutes())
    THAW_RETURN_IF_ERROR(made->list_.AddProxied(parts, route.host_prefix));
  return made;
}

void Pipelines::Forget() {
  api_key_->Forget();
  client_->Forget();
  aws_client_->Forget();
}

absl::Status Pipelines::AddProxied(ProxiedRequest request) {
  request.request.payloads = {next_proxied_++};
  return list_.FindProxied(request.route->host_prefix)->Add(std::move(request.request));
}

}  // namespace thaw
