// Measures the way from a tracer's request to the intake's compressed body: decoding, encoding and zstd.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "cc/base/msgpack_writer.h"
#include "cc/flush/trace_flusher.h"
#include "cc/trace/trace_payload.h"

namespace thaw {
namespace {

std::string Body(int number, int spans) {
  MsgpackWriter out;
  out.Array(1);
  out.Array(spans);
  for (int i = 0; i < spans; ++i) {
    const auto text = [&out](const char* key, const std::string& value) {
      out.String(key);
      out.String(value);
    };
    out.Map(6);
    text("service", "checkout");
    text("name", "http.request");
    text("resource", "GET /api/v2/orders/" + std::to_string(number * 31 + i));
    out.String("span_id");
    out.Unsigned(0x9E3779B97F4A7C15u * (number * 1000 + i + 1));
    out.String("start");
    out.Unsigned(1'700'000'000'000'000'000 + number * 1'000'000 + i);
    out.String("meta");
    out.Map(4);
    text("env", "production");
    text("component", "requests");
    text("http.method", "GET");
    text("http.url", "https://api.example.com/api/v2/orders?page=" + std::to_string(i));
  }
  return out.Take();
}

void BM_DecodeEncodeCompress(benchmark::State& state) {
  const FlusherOptions options;
  std::vector<std::string> bodies;
  size_t bytes = 0;
  for (int number = 0; number < state.range(0); ++number) {
    bodies.push_back(Body(number, 10));
    bytes += bodies.back().size();
  }
  size_t compressed = 0;
  // The memory is reused, as under load.
  TraceEncoding::Workspace workspace;
  for (auto _ : state) {
    std::vector<HeldPayload<TracePayload>> held;
    for (const std::string& body : bodies) held.push_back({1, *TracePayload::FromMsgpack(body)});
    compressed = 0;
    const absl::Status status =
        TraceEncoding::Encode(held, options, workspace,
                              [&compressed](EncodedRequest request) { compressed += request.body->size(); });
    if (!status.ok()) state.SkipWithError("not encoded");
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
  state.counters["ratio"] = static_cast<double>(bytes) / static_cast<double>(compressed);
}
BENCHMARK(BM_DecodeEncodeCompress)->Arg(1)->Arg(100);

}  // namespace
}  // namespace thaw
