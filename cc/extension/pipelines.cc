#include "cc/extension/pipelines.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/base/status_macros.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/configured_options.h"
#include "cc/flush/event_flusher.h"
#include "cc/flush/pathway_flusher.h"
#include "cc/lambda/keys/api_key_sources.h"
#include "cc/net/client_factory.h"

namespace thaw {
namespace {

// Adds the pipelines of all kinds of payloads. A new one is a line here.
absl::Status AddPayloads(PipelineList& list, const PipelineParts& parts) {
  THAW_RETURN_IF_ERROR(list.Add<TraceFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<StatsFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<PathwayFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<LogFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<WorkerLogFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<EventFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<ServiceCheckFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<SeriesFlusher>(parts));
  THAW_RETURN_IF_ERROR(list.Add<SketchFlusher>(parts));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pipelines>> Pipelines::Make(Executor& executor, Clock& clock, Network& network,
                                                           const Config& config,
                                                           std::function<double()> random,
                                                           std::vector<std::string>& warnings,
                                                           SharedResources limits) {
  std::unique_ptr<Pipelines> made(new Pipelines(executor, clock, config));
  THAW_ASSIGN_OR_RETURN(made->client_,
                        MakeClient(executor, clock, network, config.client, random, &warnings));
  THAW_ASSIGN_OR_RETURN(made->aws_client_, MakeClient(executor, clock, network,
                                                      AwsClientOptions(config.client), random, &warnings));
  Client& client = *made->client_;
  made->api_key_ =
      MakeConfiguredApiKey(executor, clock, *made->aws_client_, client, config, std::move(random));
  made->key_source_ = made->api_key_;
  made->shared_ = SharedResourcesFrom(executor, clock, config);
  if (limits.bytes != nullptr) made->shared_.bytes = std::move(limits.bytes);
  made->coordinator_ = std::make_unique<FlushCoordinator>(
      executor, clock, FlushScheduleFrom(config, clock.Now()), made->shared_, CoordinatorOptionsFrom(config));
  made->coordinator_->AddClient("intake", client);
  made->coordinator_->AddClient("aws", *made->aws_client_);
  const PipelineParts parts = made->PartsWith(warnings);
  THAW_RETURN_IF_ERROR(AddPayloads(made->list_, parts));
  for (const ProxyRoute& route : ProxyRoutes()) {
    if (route.is_general()) continue;
    THAW_RETURN_IF_ERROR(made->list_.AddProxied(parts, route.host_prefix));
  }
  return made;
}

void Pipelines::Forget() {
  api_key_->Forget();
  client_->Forget();
  aws_client_->Forget();
}

absl::StatusOr<PipelineFlusher*> Pipelines::FlusherOf(std::string_view host_prefix) {
  if (PipelineFlusher* const known = list_.FindProxied(host_prefix)) return known;
  if (named_hosts_ == kMaxNamedHosts)
    return absl::InvalidArgumentError(
        absl::StrCat("requests were sent to ", kMaxNamedHosts, " other subdomains, and no more are served"));
  std::vector<std::string> warnings;
  THAW_RETURN_IF_ERROR(list_.AddProxied(PartsWith(warnings), host_prefix));
  ++named_hosts_;
  return list_.FindProxied(host_prefix);
}

absl::Status Pipelines::AddProxied(ProxiedRequest request) {
  THAW_ASSIGN_OR_RETURN(PipelineFlusher* const flusher, FlusherOf(request.host_prefix));
  request.request.payloads = {next_proxied_++};
  return flusher->Add(std::move(request.request));
}

}  // namespace thaw
