// Measures what a sample costs: the mix of a usual function (50 names, 20 values of a tag, counts, gauges and
// distributions by turns), and samples that each have a tag of their own; and what it costs to hand them over.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "cc/base/fake_byte_account.h"
#include "cc/clock/clock.h"
#include "cc/clock/system_clock.h"
#include "cc/metrics/aggregator.h"
#include "cc/metrics/metric_points.h"
#include "cc/metrics/metric_sample.h"

namespace thaw {
namespace {

class MachineClock : public Clock {
 public:
  ClockReading Now() const override { return ReadSystemClocks(); }
  AlarmId SetAlarm(absl::Duration, LateAlarm, absl::AnyInvocable<void()>) override { return kNoAlarm; }
  bool CancelAlarm(AlarmId) override { return false; }
  std::optional<absl::Duration> UntilAlarm(AlarmId) const override { return std::nullopt; }
};

class NoTaker : public MetricPointTaker {
 public:
  void TakeSeries(const MetricLabel&, SeriesType, absl::Span<const SeriesPoint> points) override {
    benchmark::DoNotOptimize(points.data());
  }
  void TakeSketches(const MetricLabel&, absl::Span<const SketchPoint> points) override {
    benchmark::DoNotOptimize(points.data());
  }
};

constexpr int kNames = 50;
constexpr int kTagValues = 20;
constexpr MetricType kTypes[] = {MetricType::kCount, MetricType::kGauge, MetricType::kDistribution};

struct Sample {
  std::string name;
  std::string tag;
  MetricType type;
};

std::vector<Sample> UsualSamples() {
  std::vector<Sample> samples;
  for (int i = 0; i < 3000; ++i)
    samples.push_back({.name = absl::StrCat("checkout.metric.", i % kNames),
                       .tag = absl::StrCat("customer:", i * 7 % kTagValues),
                       .type = kTypes[i % kNames % 3]});
  return samples;
}

void TakeAll(const std::vector<Sample>& samples, Aggregator& aggregator) {
  double value = 1;
  for (const Sample& sample : samples) {
    value = value < 1e6 ? value * 1.01 : 1;
    const std::string_view tags[] = {sample.tag, "env:prod", "version:7"};
    aggregator.Add({.name = sample.name, .type = sample.type, .values = {&value, 1}, .tags = tags},
                   MetricOwner::kFunction);
  }
}

void BM_UsualSamples(benchmark::State& state) {
  FakeByteAccount account(std::numeric_limits<size_t>::max());
  NoTaker taker;
  MachineClock clock;
  Aggregator aggregator({.max_bytes = size_t{16} << 20}, clock, account);
  const std::vector<Sample> samples = UsualSamples();
  for (auto _ : state) TakeAll(samples, aggregator);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(samples.size()));
  state.counters["contexts"] = static_cast<double>(aggregator.contexts());
  state.counters["bytes"] = static_cast<double>(aggregator.bytes());
}
BENCHMARK(BM_UsualSamples);

// The first samples of a bucket make contexts; all are handed over each time.
void BM_UsualSamplesWithAFlush(benchmark::State& state) {
  FakeByteAccount account(std::numeric_limits<size_t>::max());
  NoTaker taker;
  MachineClock clock;
  Aggregator aggregator({.max_bytes = size_t{16} << 20}, clock, account);
  const std::vector<Sample> samples = UsualSamples();
  for (auto _ : state) {
    TakeAll(samples, aggregator);
    aggregator.Drain(Aggregator::Scope::kAll, taker);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(samples.size()));
}
BENCHMARK(BM_UsualSamplesWithAFlush);

void BM_FloodOfTags(benchmark::State& state) {
  FakeByteAccount account(std::numeric_limits<size_t>::max());
  MachineClock clock;
  Aggregator aggregator({.max_bytes = size_t{1} << 20}, clock, account);
  std::vector<Sample> samples;
  for (int i = 0; i < 100'000; ++i)
    samples.push_back({.name = "flood", .tag = absl::StrCat("user:", i), .type = MetricType::kCount});
  for (auto _ : state) TakeAll(samples, aggregator);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(samples.size()));
  state.counters["bytes"] = static_cast<double>(aggregator.bytes());
}
BENCHMARK(BM_FloodOfTags);

}  // namespace
}  // namespace thaw
