// The delivery to Datadog: one client, the list of pipelines, and the coordinator of their flushes.
//
//   absl::StatusOr<std::unique_ptr<Pipelines>> pipelines =
//       Pipelines::Make(loop, loop, network, config, random, warnings);
//   (*pipelines)->traces().Add(std::move(payload));
//   co_await (*pipelines)->coordinator().Flush(FlushReason::kEnd);
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_PIPELINES_H_
#define THAW_CC_EXTENSION_PIPELINES_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/agent/proxied_request.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/log_flusher.h"
#include "cc/flush/metric_flusher.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/flush/pipeline_list.h"
#include "cc/flush/shared_resources.h"
#include "cc/flush/stats_flusher.h"
#include "cc/flush/trace_flusher.h"
#include "cc/lambda/keys/configured_api_key.h"
#include "cc/net/client.h"
#include "cc/net/client_counts.h"
#include "cc/net/network.h"

namespace thaw {

class Pipelines {
 public:
  // Limits the hosts that tracers name beside those of ProxyRoutes(): each has a pipeline, with counts of its
  // own, for as long as the process runs.
  static constexpr int kMaxNamedHosts = 16;

  // Executor, clock, network and configuration must outlive the pipelines. `limits`: parts that exist already. Unusable
  // parts of the configuration, an additional endpoint or a certificate file, are added to `warnings`.
  // InvalidArgument: even the primary endpoint is unusable.
  static absl::StatusOr<std::unique_ptr<Pipelines>> Make(Executor& executor, Clock& clock, Network& network,
                                                         const Config& config, std::function<double()> random,
                                                         std::vector<std::string>& warnings,
                                                         SharedResources limits = {});

  // Returns the flusher of one kind of payloads; nullptr if its pipeline is switched off.
  template <typename Flusher>
  Flusher* Find() const {
    return list_.Find<Flusher>();
  }
  // The pipelines that are always on.
  TraceFlusher& traces() { return *Find<TraceFlusher>(); }
  StatsFlusher& stats() { return *Find<StatsFlusher>(); }
  const PipelineFlusher& proxied(const ProxyRoute& route) const {
    return *list_.FindProxied(route.host_prefix);
  }
  // Takes a request that is passed on to any host of the site. Returns ResourceExhausted if there is no room for
  // it, and InvalidArgument for a host that no URL can have, or if tracers have named kMaxNamedHosts other ones.
  absl::Status AddProxied(ProxiedRequest request);

  // Counts of everything that happened to the client to the intake.
  const ClientCounts& client_counts() const { return client_->counts(); }

  // The budget that holds all queued data.
  ByteBudget& bytes() { return *shared_.bytes; }

  FlushCoordinator& coordinator() { return *coordinator_; }
  const FlushCoordinator& coordinator() const { return *coordinator_; }
  // Forgets what other clones of a snapshot may have too: secrets, names and TLS sessions. Call it after a
  // restore.
  void Forget();

 private:
  Pipelines(Executor& executor, Clock& clock, const Config& config)
      : executor_(executor), clock_(clock), config_(config) {}

  // Returns the parts of a pipeline that is added to the list.
  PipelineParts PartsWith(std::vector<std::string>& warnings) {
    return {.executor = executor_,
            .clock = clock_,
            .client = *client_,
            .coordinator = *coordinator_,
            .shared = shared_,
            .api_key = key_source_,
            .config = config_,
            .warnings = warnings};
  }
  // Returns the flusher for a host, which it makes if there is none.
  absl::StatusOr<PipelineFlusher*> FlusherOf(std::string_view host_prefix);

  Executor& executor_;
  Clock& clock_;
  const Config& config_;
  std::unique_ptr<Client> client_;      // to the intake
  std::unique_ptr<Client> aws_client_;  // to the stores of API keys
  std::shared_ptr<ConfiguredApiKey> api_key_;
  std::shared_ptr<ApiKeySource> key_source_;  // the same
  SharedResources shared_;
  PipelineList list_;
  PayloadId next_proxied_ = 1;
  int named_hosts_ = 0;
  std::unique_ptr<FlushCoordinator> coordinator_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_PIPELINES_H_
