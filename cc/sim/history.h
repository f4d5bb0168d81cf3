// One small history of world W0: a few payloads, flushes, freezes and faults, of which a list of choices says
// what happens when.
//
//   RecordedChoices choices({0, 0, 1, 2});
//   const HistoryResult result = RunHistory({.freezes = 1}, choices);
//   EXPECT_FALSE(result.broken.has_value()) << ToString(*result.broken);
//
// Before each step of a flush, and after it, the environment may freeze. While it is frozen, each open
// connection may end: by FIN, by RST, forgotten by the intake, or with its path cut; at once, while a request
// is being answered, or on the way as the environment resumes. The resume may be told before what was queued
// meanwhile or after it. Dials and requests may meet a fault, and packets of one connection may be overtaken
// by another's. After the last flush, faults end and SHUTDOWN flushes.
//
// The client, its pool and the flusher are the real ones. Invariants are checked after every step
// (invariants.h).

#ifndef THAW_CC_SIM_HISTORY_H_
#define THAW_CC_SIM_HISTORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/shared_limits.h"
#include "cc/net/client.h"
#include "cc/net/client_options.h"
#include "cc/sim/choices.h"
#include "cc/sim/failure_table.h"
#include "cc/sim/invariants.h"
#include "cc/sim/sim_intake.h"
#include "cc/sim/sim_world.h"

namespace thaw {

struct HistoryOptions {
  // The payloads that are handed over before each flush.
  std::vector<int> flushes = {1, 1};
  // How often the environment may freeze.
  int freezes = 1;
  // How many dials and requests may meet a fault, and which.
  int faults = 0;
  std::vector<SimFault> faults_of;  // empty: all
  // How many packets may be overtaken.
  int late = 1;
  // The lengths that a freeze may have. In the first, what is under way does not arrive; in the second it
  // does; the third is longer than idle_timeout.
  std::vector<absl::Duration> lengths = {absl::Milliseconds(2), absl::Seconds(2), absl::Seconds(70)};
  FrozenClocks clocks = FrozenClocks::kAllAdvance;
  bool tell_client = true;  // of each resume

  ClientOptions client;
  FlusherOptions flusher;
  LimitOptions limits;
  PeersOptions peers;  // the default emulates nothing
  absl::Duration flush_deadline = absl::Seconds(10);

  // What the client is held to; unset: its own options.
  std::optional<InvariantRules> rules;
  // Puts something between flusher and client, or client and network, that breaks a rule.
  std::function<std::unique_ptr<Client>(std::unique_ptr<Client>, SimWorld&)> around_client;
  // How often an outcome is noted that the flusher reports once.
  int outcomes_noted = 1;
};

struct BrokenInvariant {
  Invariant invariant;
  std::string text;
  int64_t step = 0;
};
std::string ToString(const BrokenInvariant& broken);

struct HistoryResult {
  std::optional<BrokenInvariant> broken;  // the first one
  bool known = false;                     // the history was given up: `is_known` said so
  int64_t steps = 0;
  int64_t freezes = 0;
  int64_t faults = 0;
  int64_t accepted = 0;
  int64_t dropped = 0;
  int64_t flagged = 0;
  FailureTable failures;
};

// Returns the rules that follow from a client's own options.
InvariantRules RulesOf(const HistoryOptions& options);

// Runs a history. `is_known` is asked with a fingerprint of the state before each flush and before each
// choice of a freeze; if it returns true, the rest is left out.
HistoryResult RunHistory(const HistoryOptions& options, Choices& choices,
                         absl::FunctionRef<bool(uint64_t)> is_known);
HistoryResult RunHistory(const HistoryOptions& options, Choices& choices);

}  // namespace thaw

#endif  // THAW_CC_SIM_HISTORY_H_
