// Runs one small history of world W0: a few payloads, flushes, freezes and faults. A list of choices decides
// when each of them happens.
//
//   RecordedChoices choices({0, 0, 1, 2});
//   const HistoryResult result = RunHistory({.freezes = 1}, choices);
//   EXPECT_FALSE(result.broken.has_value()) << ToString(*result.broken);
//
// Before each step of a flush, and after it, the environment may freeze. While it is frozen, each open
// connection may end: by FIN, by RST, forgotten by the intake, or with its path cut. It ends at once, while a
// request is being answered, or so that its end is on the way at the resume. The client may learn of the
// resume before or after it handles the events that were queued during the freeze. Dials and requests may
// meet a fault, and packets of one connection may be overtaken by those of another. After the last flush,
// faults end and SHUTDOWN flushes.
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
#include "cc/flush/shared_resources.h"
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
  // The number of times that the environment may freeze.
  int freezes = 1;
  // The number of dials and requests that may meet a fault.
  int faults = 0;
  // The kinds of faults that may occur; empty: all.
  std::vector<SimFault> faults_of;
  // The number of packets that may be overtaken.
  int late = 1;
  // The lengths that a freeze may have. Packets that are under way do not arrive within the first, and do
  // arrive within the second; the third is longer than idle_timeout.
  std::vector<absl::Duration> lengths = {absl::Milliseconds(2), absl::Seconds(2), absl::Seconds(70)};
  FrozenClocks clocks = FrozenClocks::kAllAdvance;
  bool tell_client = true;  // whether the client is told of each resume

  ClientOptions client;
  FlusherOptions flusher;
  LimitOptions limits;
  PeersOptions peers;  // the default emulates nothing
  absl::Duration flush_deadline = absl::Seconds(10);

  // The rules that the client is checked against; unset: those that follow from its own options.
  std::optional<InvariantRules> rules;
  // Wraps the client in one that breaks a rule, for tests of the invariants.
  std::function<std::unique_ptr<Client>(std::unique_ptr<Client>, SimWorld&)> around_client;
  // The number of times that each outcome of the flusher is recorded; another number than 1 breaks an
  // invariant, for its test.
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
  bool known = false;                     // `is_known` returned true, so the rest was left out
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
