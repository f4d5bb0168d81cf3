// thaw.FlusherOptions and its enum.

#include "python/bindings/flusher_options.h"

#include <tuple>

#include "cc/flush/pipeline_table.h"
#include "pybind11/native_enum.h"
#include "python/bindings/bindings.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using O = GivenFlusherOptions;

const auto& Fields() {
  static const auto fields = std::make_tuple(
      Field{
          "on_failure", &O::on_failure,
          "What becomes of a payload whose flush failed: keep (it goes first in the next flush), discard or "
          "redrive_at_shutdown (both as peers' clients do)."},
      Field{"sequential", &O::sequential, "One request after the other; the first failure ends the flush."},
      Field{"return_all_on_failure", &O::return_all_on_failure,
            "With sequential: a failure makes all requests of the flush failed ones, also those accepted."},
      Field{"coalesce", &O::coalesce,
            "One request for all payloads with the same headers; off: one for each payload."},
      Field{"compression_level", &O::compression_level, "Of zstd, or of gzip where the intake wants that."},
      Field{"outbox_bytes", &O::outbox_bytes, "Bound of everything that is kept."},
      Field{"max_batch_bytes", &O::max_batch_bytes, "Of a body before compression; larger ones are split."},
      Field{"retry_ambiguous", &O::retry_ambiguous,
            "Send again what may have been accepted, marked possible_duplicate. Traces: yes; stats: no."},
      Field{"drop_refused", &O::drop_refused, "Drop what the intake refused for good; off: keep it."},
      Field{"retry_all_statuses", &O::retry_all_statuses,
            "Every status from 400 is tried again, and then dropped (as peers' clients do)."},
      Field{"flush_timeout", &O::flush_timeout,
            "The deadline of a flush for which none is given, in seconds."},
      Field{"no_progress_limit", &O::no_progress_limit,
            "A flush without progress for this many seconds ends; inf: never, and the breaker never opens."},
      Field{"breaker_strikes", &O::breaker_strikes, "So many such flushes in a row open the breaker."},
      Field{"probe_budget", &O::probe_budget,
            "Seconds a flush may spend to find out whether the intake is back."},
      Field{"probe_backoff", &O::probe_backoff,
            "Active seconds until the first probe, doubled with each that fails."},
      Field{"probe_backoff_cap", &O::probe_backoff_cap,
            "The longest wait between probes, in active seconds."});
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

The defaults are those of traces; a StatsFlusher that is given no options takes stats_defaults(), which
sends nothing twice.

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
}

}  // namespace thaw::python
