// How fast a tracer's request becomes the intake's protobuf: bytes of MessagePack a second, on one core.

#include <cstdint>
#include <string>

#include "benchmark/benchmark.h"
#include "cc/base/msgpack_writer.h"
#include "cc/trace/agent_payload.h"
#include "cc/trace/trace_payload.h"

namespace thaw {
namespace {

// One trace of `spans` spans with eight string tags each, as tracers send: about 370 bytes a span.
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

}  // namespace
}  // namespace thaw
