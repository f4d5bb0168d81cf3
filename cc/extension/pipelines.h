// What is delivered to Datadog, and how: one client, one flusher for each kind of data, and who flushes them
// all.
//
//   THAW_ASSIGN_OR_RETURN(std::unique_ptr<Pipelines> pipelines, Pipelines::Make(loop, loop, network, config,
//   …)); pipelines->traces().Add(std::move(payload)); co_await
//   pipelines->coordinator().Flush(FlushReason::kEnd);
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_PIPELINES_H_
#define THAW_CC_EXTENSION_PIPELINES_H_

#include <functional>
#include <map>
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
#include "cc/flush/byte_budget.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/flush/stats_flusher.h"
#include "cc/flush/trace_flusher.h"
#include "cc/lambda/keys/configured_api_key.h"
#include "cc/net/client.h"
#include "cc/net/transport.h"

namespace thaw {

class Pipelines {
 public:
  // Executor, clock and network must outlive what is made. `limits`: what of it there is already. `warnings`
  // gets what of the configuration can't be used: an additional endpoint, a certificate file.
  // InvalidArgument: not even the primary endpoint can be.
  static absl::StatusOr<std::unique_ptr<Pipelines>> Make(Executor& executor, Clock& clock, Network& network,
                                                         const Config& config, std::function<double()> random,
                                                         std::vector<std::string>& warnings,
                                                         SharedLimits limits = {});

  TraceFlusher& traces() { return *traces_; }
  StatsFlusher& stats() { return *stats_; }
  const PipelineFlusher& proxied(const ProxyRoute& route) const {
    return *proxied_.find(route.host_prefix)->second;
  }
  // ResourceExhausted: there is no room for it.
  absl::Status AddProxied(ProxiedRequest request);

  // What all of it is kept in.
  ByteBudget& bytes() { return *limits_.bytes; }

  FlushCoordinator& coordinator() { return *coordinator_; }
  const FlushCoordinator& coordinator() const { return *coordinator_; }
  // The environment was restored from a snapshot: what other clones of it may have too is forgotten.
  void ForgetSecrets() { api_key_->Forget(); }

 private:
  Pipelines() = default;

  std::unique_ptr<Client> client_;      // to the intake
  std::unique_ptr<Client> aws_client_;  // to where keys are kept
  std::shared_ptr<ConfiguredApiKey> api_key_;
  SharedLimits limits_;
  std::unique_ptr<TraceFlusher> traces_;
  std::unique_ptr<StatsFlusher> stats_;
  std::map<std::string, std::unique_ptr<PipelineFlusher>, std::less<>>
      proxied_;  // by the intake's host prefix
  uint64_t next_proxied_ = 1;
  std::unique_ptr<FlushCoordinator> coordinator_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_PIPELINES_H_
