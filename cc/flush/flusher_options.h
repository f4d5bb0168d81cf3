// Options of a pipeline's flusher. The defaults are thaw's.
//
// Those marked (peers) exist so that an experiment can run the policies of peers' clients through the same code
// (peers_rules.h, peers_in_turn.h); no configuration sets them.
//
// Precedence: pipelines may share limits (SharedLimits, pipeline_flusher.h). A shared ByteBudget replaces
// `outbox_bytes`, and a shared OutageBudget replaces all options under "Outages". These options count only for
// a flusher that is given no shared limits.

#ifndef THAW_CC_FLUSH_FLUSHER_OPTIONS_H_
#define THAW_CC_FLUSH_FLUSHER_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace thaw {

struct PipelineSpec;

// The fate of a payload whose flush failed.
enum class OnFailure {
  kKeep,               // kept in the outbox and sent first in the next flush
  kDiscard,            // dropped (peers, strategy `end`)
  kRedriveAtShutdown,  // sent once more at shutdown, then dropped (peers)
};

struct FlusherOptions {
  OnFailure on_failure = OnFailure::kKeep;
  // Sends one request after the other, so that a slow answer delays all; the first failure ends it (peers).
  bool sequential = false;
  // With `sequential`: a failure makes all requests of the flush count as failed, including those already
  // accepted, which a redrive then sends twice (peers).
  bool return_all_on_failure = false;
  // Merges all payloads with the same headers into one request. Off: sends one request per payload.
  bool coalesce = true;
  // The level of zstd or gzip. A higher one makes smaller bodies and takes more processor time.
  int compression_level = 3;
  // Limits the bytes of everything kept: untried, being sent, failed. Beyond it, new data evicts data that
  // was tried, or is turned away. A shared ByteBudget replaces it.
  size_t outbox_bytes = 32 << 20;
  // Limits a payload's bytes before compression; larger ones are split. The intake refuses bodies that are
  // too large.
  size_t max_batch_bytes = 12'000'000;
  // Encodes without waiting for a flush when more bytes than this wait to be encoded: that costs a request
  // more now and then, but compressed data take a tenth of the memory. 0: only a flush encodes.
  size_t encode_above_bytes = 0;
  // Resends requests that may have been accepted, marked possible_duplicate. Off for stats and metrics, where
  // counting twice is wrong: such requests are dropped.
  bool retry_ambiguous = true;
  // Drops what the intake refused for good. Off: keeps it, so that every flush sends it again.
  bool drop_refused = true;
  // Retries every status from 400 on as often as the client tries, and then drops the request (peers).
  bool retry_all_statuses = false;
  // The deadline of a flush for which none is given.
  absl::Duration flush_timeout = absl::Seconds(30);

  // -- Outages (outage_budget.h). no_progress_limit = InfiniteDuration turns this off, as peers have none. A
  // -- shared OutageBudget replaces all of these.
  // Ends a flush in which nothing moved for this long. Shorter: an outage costs less, but a slow intake is
  // cut off.
  absl::Duration no_progress_limit = absl::Milliseconds(1500);
  // Opens the breaker of a destination after this many flushes in a row without progress.
  int breaker_strikes = 2;
  // Limits the time that a flush spends on checking whether the intake is back.
  absl::Duration probe_budget = absl::Milliseconds(250);
  // Active time until the first probe, doubled by each probe that fails.
  absl::Duration probe_backoff = absl::Seconds(1);
  // The longest wait between probes.
  absl::Duration probe_backoff_cap = absl::Seconds(60);

  // Returns InvalidArgument, naming the field and its value, if an option is out of range.
  absl::Status Validate() const;
};

// Returns the options of a pipeline for which nothing is configured.
FlusherOptions DefaultFlusherOptions(const PipelineSpec& spec);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSHER_OPTIONS_H_
