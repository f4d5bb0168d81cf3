// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <gtest/gtest.h>

#include "cc/base/task.h"
#include "cc/sim/real_tls.h"
#include "cc/sim/sim_world.h"
#include "cc/sim/simulation.h"

namespace thaw {
namespace {

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

}  // namespace
}  // namespace thaw
