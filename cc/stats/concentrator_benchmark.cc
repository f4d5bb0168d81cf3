// Measures the cost of counting: a duration into a sketch, a span of a known key, and all counts into a
// payload.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/sketch/ddsketch.h"
#include "cc/stats/concentrator.h"
#include "cc/stats/stats_payload.h"
#include "cc/trace/span_view.h"

namespace thaw {
namespace {

// Makes durations over three decades, the same each time.
std::vector<int64_t> Durations() {
  std::vector<int64_t> durations;
  for (int64_t i = 0; i < 1024; ++i) durations.push_back(1'000'000 + i * i * 1000);
  return durations;
}

void BM_SketchInsert(benchmark::State& state) {
  const std::vector<int64_t> durations = Durations();
  DDSketch sketch;
  size_t i = 0;
  for (auto _ : state) sketch.Insert(static_cast<double>(durations[i++ % durations.size()]));
  benchmark::DoNotOptimize(sketch);
}
BENCHMARK(BM_SketchInsert);

// Makes spans as they come from the processor, with the function's tags.
class Spans {
 public:
  explicit Spans(std::string_view kind) : concentrator_({.env = "production"}, clock_) {
    for (const SpanMeta& entry : std::vector<SpanMeta>{
             {"env", "production"},
             {"version", "1.42.0"},
             {"language", "python"},
             {"runtime-id", "0f3a5c1e7b9d4f2a8c6e1d3b5a7f9e0c"},
             {"component", "requests"},
             {"span.kind", kind},
             {"http.method", "GET"},
             {"http.url", "https://api.example.com/api/v2/orders?page=1"},
             {"http.route", "/api/v2/orders"},
             {"out.host", "10.0.0.7"},
             {"peer.service", "orders"},
             {"functionname", "checkout"},
             {"region", "eu-west-1"},
             {"memorysize", "1024"},
             {"_dd.origin", "lambda"},
             {"function_arn", "arn:aws:lambda:eu-west-1:123456789012:function:checkout"},
         })
      meta_.push_back(entry);
    span_.service = "checkout";
    span_.name = "http.request";
    span_.type = "web";
    span_.start = absl::ToUnixNanos(clock_.Now().wall);
    span_.parent_id = 1;
    span_.top_level = true;
    span_.meta = meta_;
    span_.metrics = metrics_;
    for (int i = 0; i < 16; ++i) resources_.push_back("GET /api/v2/orders/" + std::to_string(i));
  }

  void CountOne() {
    span_.resource = resources_[number_ % resources_.size()];
    span_.duration = durations_[number_ % durations_.size()];
    ++number_;
    concentrator_.OnSpan(tracer_, span_);
  }
  Concentrator& concentrator() { return concentrator_; }

 private:
  ManualExecutor executor_;
  const FakeClock clock_{executor_};
  Concentrator concentrator_;
  const TracerView tracer_{"python", "2.9.1", "0f3a5c1e7b9d4f2a8c6e1d3b5a7f9e0c", ""};
  std::vector<SpanMeta> meta_;
  const std::vector<SpanMetric> metrics_ = {
      {"_sampling_priority_v1", 1}, {"process_id", 4711}, {"_top_level", 1}, {"http.status_code", 200}};
  std::vector<std::string> resources_;
  const std::vector<int64_t> durations_ = Durations();
  SpanView span_;
  size_t number_ = 0;
};

void CountSpans(benchmark::State& state, std::string_view kind) {
  Spans spans(kind);
  for (auto _ : state) spans.CountOne();
  benchmark::DoNotOptimize(spans.concentrator().memory());
}
void BM_ServerSpan(benchmark::State& state) { CountSpans(state, "server"); }
BENCHMARK(BM_ServerSpan);
// The span has peers, one of them an address.
void BM_ClientSpan(benchmark::State& state) { CountSpans(state, "client"); }
BENCHMARK(BM_ClientSpan);

// One invocation: 100 spans of 16 keys, counted and sent.
void BM_CountAndFlush(benchmark::State& state) {
  Spans spans("server");
  size_t bytes = 0;
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i) spans.CountOne();
    const absl::Status status = spans.concentrator().Flush(FlushScope::kAll, [&](StatsPayload payload) {
      bytes += payload.size();
      return absl::OkStatus();
    });
    benchmark::DoNotOptimize(status.ok());
  }
  state.counters["payload_bytes"] = static_cast<double>(bytes) / static_cast<double>(state.iterations());
}
BENCHMARK(BM_CountAndFlush);

}  // namespace
}  // namespace thaw
