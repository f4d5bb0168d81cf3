#include "cc/flush/configured_options.h"

#include <memory>

#include "cc/flush/byte_budget.h"
#include "cc/flush/outage_budget.h"

namespace thaw {

namespace {

// About a hundred requests of tracers: a function that sends less gets them all into one request.
constexpr size_t kEncodeAboveBytes = size_t{1} << 20;

}  // namespace

FlusherOptions MakeFlusherOptions(const Config& config, Pipeline pipeline) {
  FlusherOptions options = DefaultFlusherOptions(pipeline);
  options.flush_timeout = config.flush_timeout;
  options.outbox_bytes = config.outbox_bytes;
  options.encode_above_bytes = kEncodeAboveBytes;
  // The configured level is one of zstd; other encodings have their own.
  if (pipeline == Pipeline::kTraces) options.compression_level = config.compression_level;
  return options;
}

SharedLimits MakeSharedLimits(Executor& executor, Clock& clock, const Config& config) {
  return {.bytes = std::make_shared<ByteBudget>(config.outbox_bytes),
          .outage = std::make_shared<OutageBudget>(executor, clock, OutageOptions())};
}

FlushSchedule MakeFlushSchedule(const Config& config, const ClockReading& now) {
  return FlushSchedule(config.flush_strategy, config.flush_timeout, now);
}

CoordinatorOptions MakeCoordinatorOptions(const Config& config) {
  return {.flush_timeout = config.flush_timeout};
}

}  // namespace thaw
