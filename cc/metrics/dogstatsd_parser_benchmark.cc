// Measures what a datagram of five lines costs from its bytes to the samples: counts, gauges and distributions of 50
// names with 20 values of a tag.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"

namespace thaw {
namespace {

constexpr int kDatagrams = 1000;
constexpr int kLinesOfDatagram = 5;

class CountingSink : public MetricSink {
 public:
  void Add(const MetricSample& sample) override {
    for (const double value : sample.values) sum_ += value;
    benchmark::DoNotOptimize(sample.tags.size());
  }
  double sum_ = 0;
};

std::vector<std::string> Datagrams(std::string_view tags) {
  constexpr std::string_view kTypes[] = {"c", "g", "d"};
  std::vector<std::string> datagrams;
  int line = 0;
  for (int i = 0; i < kDatagrams; ++i) {
    std::string datagram;
    for (int j = 0; j < kLinesOfDatagram; ++j, ++line)
      absl::StrAppend(&datagram, "checkout.step.", line % 50, ".value:", line % 1000, ".", line % 97, "|",
                      kTypes[line % 3], "|#env:prod,", tags, line % 20, "\n");
    datagrams.push_back(std::move(datagram));
  }
  return datagrams;
}

void Parse(benchmark::State& state, const std::vector<std::string>& datagrams, std::string prefix) {
  CountingSink sink;
  DogStatsdParser parser({.name_prefix = std::move(prefix)}, sink, nullptr, nullptr);
  int64_t bytes = 0;
  for (const std::string& datagram : datagrams) bytes += static_cast<int64_t>(datagram.size());
  for (auto _ : state)
    for (const std::string& datagram : datagrams) parser.Parse(datagram);
  benchmark::DoNotOptimize(sink.sum_);
  state.SetItemsProcessed(state.iterations() * kDatagrams);
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["time_per_line"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kDatagrams * kLinesOfDatagram,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_ParseNormalDatagrams(benchmark::State& state) { Parse(state, Datagrams("route:r"), ""); }
BENCHMARK(BM_ParseNormalDatagrams);

void BM_ParseWithANamespace(benchmark::State& state) { Parse(state, Datagrams("route:r"), "shop."); }
BENCHMARK(BM_ParseWithANamespace);

void BM_ParseTagsThatHaveToChange(benchmark::State& state) { Parse(state, Datagrams("Route:R "), ""); }
BENCHMARK(BM_ParseTagsThatHaveToChange);

void BM_ParseLinesThatAreRefused(benchmark::State& state) {
  Parse(state, std::vector<std::string>(kDatagrams, std::string("a:nan|c\nb\n:1|c\nc:1|x\n_e{9,9}:a|b")), "");
}
BENCHMARK(BM_ParseLinesThatAreRefused);

}  // namespace
}  // namespace thaw
