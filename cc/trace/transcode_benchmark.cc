// Measures how fast a tracer's request becomes the intake's protobuf, in bytes of MessagePack per second on
// one core: transcoded only, and with all processing.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "benchmark/benchmark.h"
#include "cc/base/manual_executor.h"
#include "cc/base/msgpack_writer.h"
#include "cc/clock/fake_clock.h"
#include "cc/trace/agent_payload.h"
#include "cc/trace/process/trace_processor.h"
#include "cc/trace/span_view.h"
#include "cc/trace/trace_payload.h"

namespace thaw {
namespace {

// Makes one trace of `spans` spans with eight string tags each, as tracers send: about 370 bytes a span.
std::string Body(int spans) {
  MsgpackWriter out;
  out.Array(1);
  out.Array(spans);
  for (int i = 0; i < spans; ++i) {
    out.Map(12);
    const auto text = [&out](const char* key, std::string value) {
      out.String(key);
      out.String(value);
    };
    const auto number = [&out](const char* key, uint64_t value) {
      out.String(key);
      out.Unsigned(value);
    };
    text("service", "checkout");
    text("name", "http.request");
    text("resource", "GET /api/v2/orders/" + std::to_string(i));
    text("type", "web");
    number("trace_id", 0x1234567890ABCDEF);
    number("span_id", 0x4000000000000000 + i);
    number("parent_id", i == 0 ? 0 : 0x4000000000000000 + i - 1);
    number("start", 1'700'000'000'000'000'000 + i);
    number("duration", 12'345'678);
    number("error", 0);
    out.String("meta");
    out.Map(8);
    text("env", "production");
    text("version", "1.42.0");
    text("language", "python");
    text("runtime-id", "0f3a5c1e7b9d4f2a8c6e1d3b5a7f9e0c");
    text("component", "requests");
    text("span.kind", "client");
    text("http.method", "GET");
    text("http.url", "https://api.example.com/api/v2/orders?page=1");
    out.String("metrics");
    out.Map(2);
    number("_sampling_priority_v1", 1);
    number("process_id", 4711);
  }
  return out.Take();
}

void BM_Transcode(benchmark::State& state) {
  const std::string body = Body(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(body);
    AgentPayloadBuilder builder;
    builder.Add(*payload);
    benchmark::DoNotOptimize(builder.Finish());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(BM_Transcode)->Arg(1)->Arg(10)->Arg(100)->Arg(10'000);

// Settings of a typically deployed function.
TraceProcessorOptions Options() {
  TraceProcessorOptions options;
  options.function_tags = {
      {"function_arn", "arn:aws:lambda:eu-west-1:123456789012:function:checkout"},
      {"functionname", "checkout"},
      {"resource", "checkout"},
      {"region", "eu-west-1"},
      {"account_id", "123456789012"},
      {"aws_account", "123456789012"},
      {"service", "checkout"},
      {"env", "production"},
      {"version", "1.42.0"},
      {"init_type", "on-demand"},
      {"memorysize", "1024"},
      {"runtime", "python3.12"},
      {"architecture", "x86_64"},
      {"dd_extension_version", "1"},
  };
  options.env = "production";
  options.service = options.function_name = "checkout";
  options.runtime_api = "127.0.0.1:9001";
  return options;
}

class TagCounter : public SpanObserver {
 public:
  void OnSpan(const TracerView&, const SpanView& span) override { tags += span.meta.size(); }
  size_t tags = 0;
};

void Process(benchmark::State& state, TraceProcessorOptions options) {
  const std::string body = Body(static_cast<int>(state.range(0)));
  ManualExecutor executor;
  const FakeClock clock(executor);
  TagCounter observer;
  TraceProcessor processor(std::move(options), clock);
  for (auto _ : state) {
    absl::StatusOr<TracePayload> payload = processor.Process(body, TraceFormat::kV04, {}, &observer);
    // Otherwise the next request would be a duplicate.
    processor.ForgetLast();
    AgentPayloadBuilder builder;
    builder.Add(*payload);
    benchmark::DoNotOptimize(builder.Finish());
  }
  benchmark::DoNotOptimize(observer.tags);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}

void BM_Process(benchmark::State& state) { Process(state, Options()); }
BENCHMARK(BM_Process)->Arg(1)->Arg(10)->Arg(100)->Arg(10'000);

// Shows each span to the observer that computes stats.
void BM_ProcessAndObserve(benchmark::State& state) {
  TraceProcessorOptions options = Options();
  options.compute_stats_on_extension = true;
  Process(state, std::move(options));
}
BENCHMARK(BM_ProcessAndObserve)->Arg(10);

}  // namespace
}  // namespace thaw
