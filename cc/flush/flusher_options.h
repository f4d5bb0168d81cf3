// How a pipeline flushes. The defaults are thaw's; the other values exist so that an experiment can run
// what peers' clients do through the same code.

#ifndef THAW_CC_FLUSH_FLUSHER_OPTIONS_H_
#define THAW_CC_FLUSH_FLUSHER_OPTIONS_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace thaw {

enum class Pipeline {
  kTraces,
  kStats,
  kProxied,  // what tracers send to other intakes: each request has its own path
};

constexpr std::string_view ToString(Pipeline pipeline) {
  switch (pipeline) {
    case Pipeline::kTraces:
      return "traces";
    case Pipeline::kStats:
      return "stats";
    case Pipeline::kProxied:
      return "proxied";
  }
  return "";
}

// What becomes of a payload whose flush failed.
enum class OnFailure {
  kKeep,               // it stays in the outbox and goes first in the next flush
  kDiscard,            // peers, strategy `end`: thrown away
  kRedriveAtShutdown,  // peers, in-flight flushes: sent once more at shutdown, then thrown away
};

struct FlusherOptions {
  OnFailure on_failure = OnFailure::kKeep;
  // One request after the other; the first failure ends the flush (peers).
  bool sequential = false;
  // With `sequential`: a failure makes all requests of the flush failed ones, also those already accepted,
  // which a redrive then sends twice (peers).
  bool return_all_on_failure = false;
  // One request for all payloads with the same headers; off: one for each payload.
  bool coalesce = true;
  int compression_level = 3;
  // Bound of everything kept: what was not tried yet, what is being sent, what failed.
  size_t outbox_bytes = 32 << 20;
  // Of an encoded payload before compression; larger ones are split.
  size_t max_batch_bytes = 12'000'000;
  // When more than this waits to be encoded, it is, without a flush: a request more or less costs little, and
  // what is compressed takes a tenth of the memory. 0: only a flush encodes.
  size_t encode_above_bytes = 0;
  // Send again what may have been accepted, marked possible_duplicate. Traces and logs: yes. Stats and
  // metrics: no (a count twice is wrong).
  bool retry_ambiguous = true;
  // Drop what the intake refused for good; off: keep it.
  bool drop_refused = true;
  // Peers: every status from 400 is tried again as often as the client tries, and then dropped.
  bool retry_all_statuses = false;
  // The deadline of a flush for which none is given.
  absl::Duration flush_timeout = absl::Seconds(30);

  // -- Outages (outage_budget.h). InfiniteDuration in the first turns it off, as peers have none. -----------
  // A flush that made no progress for this long ends.
  absl::Duration no_progress_limit = absl::Milliseconds(1500);
  // So many in a row open the breaker.
  int breaker_strikes = 2;
  // What a flush may spend to find out whether the intake is back.
  absl::Duration probe_budget = absl::Milliseconds(250);
  // Active time until the first probe, doubled with each that fails.
  absl::Duration probe_backoff = absl::Seconds(1);
  absl::Duration probe_backoff_cap = absl::Seconds(60);

  // InvalidArgument names the field and the value.
  absl::Status Validate() const;
};

// The defaults of a pipeline: stats are not sent twice.
FlusherOptions DefaultFlusherOptions(Pipeline pipeline);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSHER_OPTIONS_H_
