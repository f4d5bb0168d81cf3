// Measures the decoding of a full buffer of telemetry: 1,000 records in 262 kB, the smallest buffer Lambda
// allows.

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {
namespace {

constexpr int kRecords = 1000;
constexpr size_t kBytes = 262'144;

// Makes a body of a function's log lines, every second one JSON; or of platform records only.
std::string Body(bool platform) {
  std::string body = "[";
  for (int i = 0; i < kRecords; ++i) {
    if (i > 0) body += ',';
    const size_t begin = body.size();
    absl::StrAppend(&body, R"({"time":"2026-01-02T03:04:05.)", 100 + i % 900, R"(Z","type":")");
    if (platform) {
      absl::StrAppend(&body, R"(platform.runtimeDone","record":{"requestId":"6d68ca91-49c9-448d-89b8-)", i,
                      R"(","status":"success","metrics":{"durationMs":20.5,"producedBytes":15}}})");
      continue;
    }
    absl::StrAppend(&body, "function\",\"record\":");
    const size_t used = body.size() - begin;
    const size_t room = kBytes / kRecords - used - 2;
    if (i % 2 == 0) {
      const std::string line = absl::StrCat("INFO request ", i, " handled\\tin \\\"main\\\" ");
      absl::StrAppend(&body, "\"", line, std::string(room - line.size() - 2, 'x'), "\"}");
    } else {
      const std::string line =
          absl::StrCat(R"({"level":"INFO","requestId":"6d68ca91","n":)", i, R"(,"message":")");
      absl::StrAppend(&body, line, std::string(room - line.size() - 2, 'x'), "\"}}");
    }
  }
  return body + "]";
}

void Decode(benchmark::State& state, const std::string& body) {
  int64_t records = 0;
  for (auto _ : state) {
    records = 0;
    const TelemetryBatch batch =
        DecodeTelemetry(body, absl::UnixEpoch(), [&records](TelemetryRecord&& record) {
          benchmark::DoNotOptimize(record);
          ++records;
        });
    if (!batch.first_problem.empty()) state.SkipWithError(batch.first_problem.c_str());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
  state.counters["records"] = static_cast<double>(records);
  state.counters["body_bytes"] = static_cast<double>(body.size());
}

void BM_DecodeLogs(benchmark::State& state) { Decode(state, Body(/*platform=*/false)); }
BENCHMARK(BM_DecodeLogs);

void BM_DecodePlatformRecords(benchmark::State& state) { Decode(state, Body(/*platform=*/true)); }
BENCHMARK(BM_DecodePlatformRecords);

}  // namespace
}  // namespace thaw
