// thaw.FlusherOptions and its enum.

#include "python/bindings/flusher_options.h"

#include <tuple>

#include "cc/flush/metric_flusher.h"
#include "cc/flush/pipeline_table.h"
#include "pybind11/native_enum.h"
#include "python/bindings/bindings.h"
#include "python/bindings/breaker_options_texts.h"
#include "python/bindings/flusher_options_texts.h"
#include "python/bindings/limit_options_texts.h"
#include "python/bindings/outage_options_texts.h"
#include "python/bindings/peers_options_texts.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using O = GivenFlusherOptions;

const auto& Fields() {
  static const auto fields = std::make_tuple(
      Field{"on_failure", &O::on_failure, PeersOptionsTexts::on_failure},
      Field{"sequential", &O::sequential, PeersOptionsTexts::sequential},
      Field{"return_all_on_failure", &O::return_all_on_failure, PeersOptionsTexts::return_all_on_failure},
      Field{"coalesce", &O::coalesce, PeersOptionsTexts::coalesce},
      Field{"compression_level", &O::compression_level, FlusherOptionsTexts::compression_level},
      Field{"outbox_bytes", &O::outbox_bytes, LimitOptionsTexts::outbox_bytes},
      Field{"max_batch_bytes", &O::max_batch_bytes, FlusherOptionsTexts::max_batch_bytes},
      Field{"retry_ambiguous", &O::retry_ambiguous, FlusherOptionsTexts::retry_ambiguous},
      Field{"drop_refused", &O::drop_refused, PeersOptionsTexts::drop_refused},
      Field{"retry_all_statuses", &O::retry_all_statuses, PeersOptionsTexts::retry_all_statuses},
      Field{"flush_timeout", &O::flush_timeout,
            "The deadline of a flush for which none is given. In seconds."},
      Field{"no_progress_limit", &O::no_progress_limit, OutageOptionsTexts::no_progress_limit},
      Field{"breaker_strikes", &O::breaker_strikes, BreakerOptionsTexts::strikes},
      Field{"probe_budget", &O::probe_budget, OutageOptionsTexts::probe_budget},
      Field{"probe_backoff", &O::probe_backoff, BreakerOptionsTexts::probe_backoff},
      Field{"probe_backoff_cap", &O::probe_backoff_cap, BreakerOptionsTexts::probe_backoff_cap});
  return fields;
}

}  // namespace

void BindFlusherOptions(py::module_& module) {
  py::native_enum<OnFailure>(module, "OnFailure", "enum.Enum",
                             "What becomes of a payload whose flush failed.")
      .value("KEEP", OnFailure::kKeep, "it stays in the outbox and goes first in the next flush")
      .value("DISCARD", OnFailure::kDiscard, "thrown away, counted")
      .value("REDRIVE_AT_SHUTDOWN", OnFailure::kRedriveAtShutdown,
             "sent once more at shutdown, then thrown away")
      .finalize();
  KeepMembers<OnFailure>(module, "OnFailure");

  py::class_<GivenFlusherOptions> type(module, "FlusherOptions", R"(How a pipeline flushes.

The defaults are those of traces. A StatsFlusher that is given no options takes stats_defaults(), which
sends nothing twice, a LogsFlusher logs_defaults(), whose requests are smaller, a MetricsFlusher
metrics_defaults(), which combines both.

>>> import thaw
>>> thaw.FlusherOptions(on_failure="discard", sequential=True)
FlusherOptions(on_failure='discard', sequential=True)
>>> thaw.FlusherOptions.stats_defaults().retry_ambiguous
False
)");
  BindOptions(
      type, "FlusherOptions", Fields(), [] { return DefaultGivenOptions(PipelineNamed("traces")); },
      [](const GivenFlusherOptions& options) { ThrowIfError(options.Validate()); },
      "Defaults are those of traces.");
  type.def_static(
      "stats_defaults", [] { return DefaultGivenOptions(PipelineNamed("stats")); },
      "The defaults of a StatsFlusher.");
  type.def_static(
      "logs_defaults", [] { return DefaultGivenOptions(PipelineNamed("logs")); },
      "The defaults of a LogsFlusher.");
  type.def_static(
      "metrics_defaults", [] { return DefaultGivenOptions(MetricReportEncoding::kPipeline); },
      "The defaults of a MetricsFlusher.");
}

}  // namespace thaw::python
