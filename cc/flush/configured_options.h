// Makes the options of flushers and the coordinator from the configuration.
//
//   const SharedResources shared = SharedResourcesFrom(executor, clock, config);
//   FlushCoordinator coordinator(executor, clock, FlushScheduleFrom(config, clock.Now()), shared,
//                                CoordinatorOptionsFrom(config));
//   const FlusherOptions options = FlusherOptionsFrom(config, PipelineNamed("traces"));

#ifndef THAW_CC_FLUSH_CONFIGURED_OPTIONS_H_
#define THAW_CC_FLUSH_CONFIGURED_OPTIONS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/flush/api_key_source.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/flush_schedule.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/pipeline_spec.h"
#include "cc/flush/shared_resources.h"

namespace thaw {

// Returns the pipeline's defaults, with the values of the options that its row names.
FlusherOptions FlusherOptionsFrom(const Config& config, const PipelineSpec& spec);

// Returns the pipeline's primary endpoint, which takes `api_key`, and the additional ones, each with its own
// key. Adds a line to `warnings` for each additional endpoint that is unusable. Returns InvalidArgument if
// the primary one is.
absl::StatusOr<std::vector<Endpoint>> EndpointsFrom(const Config& config, const PipelineSpec& spec,
                                                    const std::shared_ptr<ApiKeySource>& api_key,
                                                    std::vector<std::string>& warnings);

// Makes the byte budget, the outage budget and, unless the function is small, the memory to compress in that all
// pipelines of the process share.
SharedResources SharedResourcesFrom(Executor& executor, Clock& clock, const Config& config);

FlushSchedule FlushScheduleFrom(const Config& config, const ClockReading& now);

CoordinatorOptions CoordinatorOptionsFrom(const Config& config);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_CONFIGURED_OPTIONS_H_
