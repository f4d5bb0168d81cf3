// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "cc/base/task.h"
#include "cc/sim/choices.h"
#include "cc/sim/explorer.h"
#include "cc/sim/failure_table.h"
#include "cc/sim/history.h"
#include "cc/sim/invariants.h"
#include "cc/sim/real_tls.h"
#include "cc/sim/sim_world.h"
#include "cc/sim/simulation.h"
#include "cc/sim/state_hash.h"
#include "cc/sim/watched_client.h"
#include "cc/sim/watched_dialer.h"

namespace thaw {
namespace {

void ChoicesExample(uint64_t seed) {
#include "cc/sim/choices.h.example"
}

void ExplorerExample() {
#include "cc/sim/explorer.h.example"
}

void Print(const FailureCell& cell, int64_t count, std::string_view why_unreachable);

void FailureTableExample(const ExchangeFailure& failure) {
#include "cc/sim/failure_table.h.example"
}

void HistoryExample() {
#include "cc/sim/history.h.example"
}

void Report(Invariant invariant, std::string wrong);

void InvariantsExample() {
#include "cc/sim/invariants.h.example"
}

void RealTlsExample() {
#include "cc/sim/real_tls.h.example"
}

Task<void> Deliver();

void SimWorldExample(uint64_t seed) {
#include "cc/sim/sim_world.h.example"
}

void SimulationExample() {
#include "cc/sim/simulation.h.example"
}

void StateHashExample(uint64_t seed) {
#include "cc/sim/state_hash.h.example"
}

void WatchedClientExample(std::unique_ptr<Client> inner) {
#include "cc/sim/watched_client.h.example"
}

void WatchedDialerExample(SimWorld& world, std::unique_ptr<Dialer> inner, absl::Duration length) {
#include "cc/sim/watched_dialer.h.example"
}

}  // namespace
}  // namespace thaw
