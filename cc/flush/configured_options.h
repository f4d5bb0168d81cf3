// Makes the options of flushers and the coordinator from the configuration.
//
//   const SharedLimits limits = MakeSharedLimits(executor, clock, config);
//   TraceFlusher traces(executor, clock, client, MakeFlusherOptions(config, Pipeline::kTraces), endpoints,
//                       limits);
//   FlushCoordinator coordinator(executor, clock, MakeFlushSchedule(config, clock.Now()), limits,
//                                MakeCoordinatorOptions(config));

#ifndef THAW_CC_FLUSH_CONFIGURED_OPTIONS_H_
#define THAW_CC_FLUSH_CONFIGURED_OPTIONS_H_

#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/flush_schedule.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/pipeline_flusher.h"

namespace thaw {

// Returns the pipeline's defaults with flush_timeout, outbox_bytes and, for traces, compression_level.
FlusherOptions MakeFlusherOptions(const Config& config, Pipeline pipeline);

// Makes the byte budget and the outage budget that all pipelines of the process share.
SharedLimits MakeSharedLimits(Executor& executor, Clock& clock, const Config& config);

FlushSchedule MakeFlushSchedule(const Config& config, const ClockReading& now);

CoordinatorOptions MakeCoordinatorOptions(const Config& config);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_CONFIGURED_OPTIONS_H_
