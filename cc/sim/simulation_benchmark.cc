// Measures freeze cycles per second on one core, with two payloads a cycle and various fault rates.

#include <cstdint>

#include "absl/log/check.h"
#include "benchmark/benchmark.h"
#include "cc/sim/real_tls.h"
#include "cc/sim/simulation.h"

namespace thaw {
namespace {

void Cycles(benchmark::State& state, FreezeScenario scenario, double fault_rate,
            const SimTlsFactory& tls = nullptr) {
  uint64_t seed = 1;
  int64_t cycles = 0;
  for (auto _ : state) {
    SimulationOptions options;
    options.seed = seed++;
    options.cycles = 1000;
    options.payloads_per_cycle = 2;
    options.scenario = scenario;
    options.intake.fault_rate = fault_rate;
    options.intake.idle_close = IdleClose::kMixed;
    options.function_time = absl::Seconds(1);
    options.tls = tls;
    const SimulationResult result = Simulate(options);
    CHECK(result.broken.ok()) << result.broken;
    cycles += options.cycles;
  }
  state.counters["cycles"] = benchmark::Counter(static_cast<double>(cycles), benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(Cycles, idle, FreezeScenario::kIdle, 0.0)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Cycles, idle_faults, FreezeScenario::kIdle, 0.3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Cycles, in_flight_faults, FreezeScenario::kInFlight, 0.3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Cycles, real_tls, FreezeScenario::kIdle, 0.0, RealTls())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Cycles, real_tls_in_flight_faults, FreezeScenario::kInFlight, 0.3, RealTls())
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace thaw
