// Measures the reading of /proc for one invocation. In an invocation that lasts, files and threads are counted four
// times a second at most, and so rarely that it takes a thousandth of the time; the two ends are read once each.
// The counter has the number of processes, for each of which time is taken.

#include <cstdint>

#include "benchmark/benchmark.h"
#include "cc/metrics/sandbox_figures.h"
#include "cc/metrics/system_proc_reader.h"

namespace thaw {
namespace {

int64_t Processes(SystemProcReader& reader) {
  int64_t processes = 0;
  reader.ForEachProcess([&processes](int) { ++processes; });
  return processes;
}

// Reads both ends of an invocation.
void BM_BothEnds(benchmark::State& state) {
  SystemProcReader reader;
  SandboxFigures figures(reader);
  for (auto _ : state) {
    figures.Begin("a");
    benchmark::DoNotOptimize(figures.End("a"));
  }
  state.counters["processes"] = static_cast<double>(Processes(reader));
}
BENCHMARK(BM_BothEnds)->Unit(benchmark::kMicrosecond);

// Counts files, threads and bytes of /tmp once.
void BM_Sample(benchmark::State& state) {
  SystemProcReader reader;
  SandboxFigures figures(reader);
  for (auto _ : state) figures.Sample();
  state.counters["processes"] = static_cast<double>(Processes(reader));
}
BENCHMARK(BM_Sample)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace thaw
