// World W0: many freeze cycles of the real client and flusher against the simulated intake, in one process on
// one virtual time, with the invariants of delivery checked after every step.
//
//   const SimulationResult result = Simulate({.seed = 7, .cycles = 1000});
//   EXPECT_TRUE(result.broken.ok()) << result.broken;
//
// Each cycle hands payloads over, flushes, lets the environment freeze and resumes. In scenario kIdle the
// flush ends first; in kInFlight the freeze falls between two steps drawn from the seed. After the last
// cycle, faults end, and flushes run until nothing is left to send.
//
// Invariants:
//   conservation   after every step: payloads handed over = delivered + kept + dropped with a reason
//   honesty        delivered means the intake accepted it
//   flags          accepted more than once only if it was flagged possible_duplicate
//   quiesce        no exchange is open at a freeze that followed the end of a flush
//   termination    a flush ends
//   completeness   at the end: delivered + dropped = payloads, and nothing is open, kept or waiting
//
// A broken invariant is reported with the seed, the cycle and the step; the same options replay it.

#ifndef THAW_CC_SIM_SIMULATION_H_
#define THAW_CC_SIM_SIMULATION_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/shared_resources.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/sim/sim_intake.h"
#include "cc/sim/sim_tls.h"
#include "cc/sim/sim_world.h"

namespace thaw {

enum class FreezeScenario {
  kIdle,      // between flushes
  kInFlight,  // between any two steps of one
};

struct SimulationOptions {
  uint64_t seed = 1;
  int64_t cycles = 1000;
  int payloads_per_cycle = 2;
  FreezeScenario scenario = FreezeScenario::kIdle;
  SimIntakeOptions intake;
  ClientOptions client;
  FlusherOptions flusher;
  LimitOptions limits;
  PeersOptions peers;  // the default emulates nothing
  absl::Duration flush_deadline = absl::Seconds(10);
  // How long the function runs in each cycle before its flush. Waits in active time, such as a breaker's
  // before a probe, need some.
  absl::Duration function_time;
  // A freeze's length is drawn evenly between these two.
  absl::Duration freeze_min = absl::Seconds(1);
  absl::Duration freeze_max = absl::Seconds(120);
  FrozenClocks clocks = FrozenClocks::kAllAdvance;
  bool random_clocks = false;  // draws the clocks' behaviour for each freeze instead
  // Tells the client of each resume, as a return from /next does. Peers' clients don't react to it.
  bool tell_client = true;
  // The maximum number of steps of a flush per kept payload; a flush that takes more is taken never to end.
  int64_t max_steps_per_payload = 500'000;
  // Off: broken invariants are only counted, since peers' clients break them.
  bool check = true;
  // Makes real TLS (see real_tls.h); unset: a scripted phase.
  SimTlsFactory tls;
};

struct SimulationResult {
  int64_t payloads = 0;
  int64_t delivered = 0;   // payloads that the flusher reported
  int64_t accepted = 0;    // payloads the intake accepted at least once
  int64_t lost = 0;        // never accepted
  int64_t duplicated = 0;  // accepted more than once
  int64_t flagged = 0;     // reported as possible duplicates
  int64_t unflagged_duplicates = 0;
  int64_t retained = 0;
  int64_t dropped = 0;
  int64_t errors = 0;  // lines logged at ERROR
  int64_t requests = 0;
  int64_t faults_met = 0;
  int64_t freezes = 0;
  int64_t steps = 0;
  // Percentiles of how long the cycles' flushes took, in virtual time without the frozen time.
  absl::Duration flush_p50;
  absl::Duration flush_p99;
  ClientCounts counts;
  // OK, or the first invariant that broke, with seed, cycle and step.
  absl::Status broken;
};

// `progress` is called after each cycle with its number; returning false stops the run.
SimulationResult Simulate(const SimulationOptions& options, absl::FunctionRef<bool(int64_t)> progress);
SimulationResult Simulate(const SimulationOptions& options);

}  // namespace thaw

#endif  // THAW_CC_SIM_SIMULATION_H_
