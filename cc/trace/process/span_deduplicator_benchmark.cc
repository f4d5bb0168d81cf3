// Measures what it costs to remember a span once the deduplicator is full.

#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"
#include "cc/base/seeded_random.h"
#include "cc/trace/process/span_deduplicator.h"

namespace thaw {
namespace {

// Inserts requests of this many spans. Other work evicts the processor's nearest caches between two of them.
void BM_RememberSpans(benchmark::State& state) {
  const uint64_t spans = state.range(0);
  SpanDeduplicator deduplicator;
  SeededRandom random(1);
  std::vector<uint64_t> ids(spans);
  std::vector<unsigned char> others(size_t{512} << 10);
  unsigned sum = 0;
  const auto insert_all = [&] {
    for (uint64_t& id : ids) id = random.Next();
    for (size_t i = 0; i < others.size(); i += 64) sum += others[i]++;
    return [&] {
      for (const uint64_t id : ids) deduplicator.Prefetch(7, id);
      for (const uint64_t id : ids) benchmark::DoNotOptimize(deduplicator.Insert(7, id));
    };
  };
  while (deduplicator.inserted() < deduplicator.capacity()) insert_all()();
  for (auto _ : state) {
    state.PauseTiming();
    const auto insert = insert_all();
    state.ResumeTiming();
    insert();
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * spans));
}
BENCHMARK(BM_RememberSpans)->Arg(100);

}  // namespace
}  // namespace thaw
