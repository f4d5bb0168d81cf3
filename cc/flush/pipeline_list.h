// The pipelines of a process: a flusher for each row of the table that is switched on. All have one client,
// one API key and the same limits, and are run by one coordinator.
//
//   PipelineList pipelines;
//   THAW_RETURN_IF_ERROR(pipelines.Add<TraceFlusher>(parts));
//   THAW_RETURN_IF_ERROR(pipelines.AddProxied(parts, "intake.profile"));
//   pipelines.Find<TraceFlusher>()->Add(std::move(payload)).IgnoreError();
//   pipelines.FindProxied("intake.profile")->Add(std::move(request)).IgnoreError();
//
// One thread: the executor's. The list must outlive the flushes of the coordinator.

#ifndef THAW_CC_FLUSH_PIPELINE_LIST_H_
#define THAW_CC_FLUSH_PIPELINE_LIST_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cc/base/executor.h"
#include "cc/base/status_macros.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/configured_options.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/flushable.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/flush/pipeline_spec.h"
#include "cc/flush/shared_resources.h"
#include "cc/net/client.h"

namespace thaw {

// The parts that the pipelines of a process share. Executor, clock, client and coordinator must outlive the
// list; configuration and warnings, to which unusable additional endpoints are added, are used only while a
// pipeline is added.
struct PipelineParts {
  Executor& executor;
  Clock& clock;
  Client& client;
  FlushCoordinator& coordinator;
  const SharedResources& shared;
  const std::shared_ptr<ApiKeySource>& api_key;
  const Config& config;
  std::vector<std::string>& warnings;
};

class PipelineList {
 public:
  PipelineList() = default;
  PipelineList(const PipelineList&) = delete;
  PipelineList& operator=(const PipelineList&) = delete;

  // Adds the pipeline of a PayloadFlusher, or nothing if its row is switched off. Returns InvalidArgument if
  // the primary endpoint is unusable.
  template <typename Flusher>
  absl::Status Add(const PipelineParts& parts) {
    const PipelineSpec& spec = Flusher::kPipeline;
    if (spec.enabled != nullptr && !spec.enabled(parts.config)) return absl::OkStatus();
    THAW_ASSIGN_OR_RETURN(std::vector<Endpoint> endpoints,
                          EndpointsFrom(parts.config, spec, parts.api_key, parts.warnings));
    AddEntry(parts, {.spec = &spec,
                     .flusher = std::make_unique<Flusher>(parts.executor, parts.clock, parts.client,
                                                          FlusherOptionsFrom(parts.config, spec),
                                                          std::move(endpoints), parts.shared)});
    return absl::OkStatus();
  }
  // Adds the pipeline "proxied.<host_prefix>" of requests that are passed on as they are, unless there is
  // one. An intake that is also that of a row of the table is where the configuration says for that row.
  // Returns InvalidArgument if no URL has this host.
  absl::Status AddProxied(const PipelineParts& parts, std::string_view host_prefix);

  // Returns the flusher of this type; nullptr if its pipeline is switched off.
  template <typename Flusher>
  Flusher* Find() const {
    for (const Entry& entry : entries_)
      if (entry.spec == &Flusher::kPipeline) return static_cast<Flusher*>(entry.flusher.get());
    return nullptr;
  }
  // Returns the flusher for requests to this intake; nullptr if there is none.
  PipelineFlusher* FindProxied(std::string_view host_prefix) const;

 private:
  struct Entry {
    const PipelineSpec* spec = nullptr;
    std::string host_prefix;  // of a proxied intake
    std::unique_ptr<Flushable> flusher;
  };

  void AddEntry(const PipelineParts& parts, Entry entry);

  std::vector<Entry> entries_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PIPELINE_LIST_H_
