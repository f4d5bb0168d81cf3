// The options that Python knows as thaw.FlusherOptions: those of a flusher, of the emulation of peers and of
// the limits, all in one struct.

#ifndef THAW_PYTHON_BINDINGS_FLUSHER_OPTIONS_H_
#define THAW_PYTHON_BINDINGS_FLUSHER_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/status_macros.h"
#include "cc/flush/breaker.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/outage_budget.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/pipeline_spec.h"
#include "cc/flush/shared_resources.h"

namespace thaw::python {

struct GivenFlusherOptions : FlusherOptions, PeersOptions {
  size_t outbox_bytes = LimitOptions().outbox_bytes;
  absl::Duration no_progress_limit = OutageOptions().no_progress_limit;
  int breaker_strikes = BreakerOptions().strikes;
  absl::Duration probe_budget = OutageOptions().probe_budget;
  absl::Duration probe_backoff = BreakerOptions().probe_backoff;
  absl::Duration probe_backoff_cap = BreakerOptions().probe_backoff_cap;
  absl::Duration flush_timeout = absl::Seconds(30);

  LimitOptions limits() const {
    LimitOptions limits;
    limits.outbox_bytes = outbox_bytes;
    limits.outage.no_progress_limit = no_progress_limit;
    limits.outage.probe_budget = probe_budget;
    limits.outage.breaker = {
        .strikes = breaker_strikes, .probe_backoff = probe_backoff, .probe_backoff_cap = probe_backoff_cap};
    return limits;
  }
  // Returns InvalidArgument, naming the field and its value, if an option is out of range.
  absl::Status Validate() const {
    THAW_RETURN_IF_ERROR(FlusherOptions::Validate());
    if (flush_timeout <= absl::ZeroDuration()) {
      return absl::InvalidArgumentError("flush_timeout is " + absl::FormatDuration(flush_timeout) +
                                        "; it must be above 0");
    }
    THAW_RETURN_IF_ERROR(limits().Validate());
    return PeersOptions::Validate();
  }
};

// Returns a pipeline's defaults, except that only a flush encodes.
inline GivenFlusherOptions DefaultGivenOptions(const PipelineSpec& spec) {
  GivenFlusherOptions options;
  static_cast<FlusherOptions&>(options) = DefaultFlusherOptions(spec);
  options.encode_above_bytes = 0;
  return options;
}

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_FLUSHER_OPTIONS_H_
