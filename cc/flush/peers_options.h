// Options of the emulation of peers' clients, with which an experiment runs their policies through the same
// code. No configuration sets them, and a flusher that is given none emulates nothing.
//
//   const PeersOptions v93 = {.on_failure = OnFailure::kDiscard, .sequential = true};
//   PipelineFlusher flusher(executor, clock, client, options, "traces", {endpoint}, LimitOptions(), v93);
//
// peers_rules.h and peers_in_turn.h carry them out.

#ifndef THAW_CC_FLUSH_PEERS_OPTIONS_H_
#define THAW_CC_FLUSH_PEERS_OPTIONS_H_

#include "absl/status/status.h"

namespace thaw {

// The fate of a payload whose flush failed.
enum class OnFailure {
  kKeep,               // kept in the outbox and sent first in the next flush, as thaw does
  kDiscard,            // dropped (strategy `end`)
  kRedriveAtShutdown,  // sent once more at shutdown, then dropped
};

// The defaults are thaw's own policy. The comment of each field is its docstring in Python, too
// (python/bindings/option_texts.py).
struct PeersOptions {
  // The fate of a payload whose flush failed: kKeep keeps it in the outbox and sends it first in the next
  // flush, as thaw does. Peers' clients lose it: kDiscard drops it, and kRedriveAtShutdown sends it once more
  // at shutdown and then drops it.
  OnFailure on_failure = OnFailure::kKeep;
  // Sends one request after the other, so that a slow answer delays all; the first failure ends the flush.
  bool sequential = false;
  // With `sequential`: a failure makes all requests of the flush count as failed, including those already
  // accepted, which a redrive then sends twice.
  bool return_all_on_failure = false;
  // Retries every status from 400 on as often as the client tries, and then drops the request, as peers'
  // clients do. Off: only a status that may pass is retried, and its request is kept.
  bool retry_all_statuses = false;
  // Drops requests that the intake refused for good. Off: keeps them, so that every flush sends them again.
  bool drop_refused = true;
  // Merges all payloads with the same headers into one request. Off: sends one request per payload.
  bool coalesce = true;

  // Returns InvalidArgument, naming the field and its value, if the combination is invalid.
  absl::Status Validate() const;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_PEERS_OPTIONS_H_
