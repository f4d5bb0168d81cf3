// Measures what a log line costs from its record to the entry in a batch: strings and objects by turns, of 100
// characters, with the tags of a usual function.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "cc/logs/log_batch.h"
#include "cc/logs/log_entry.h"
#include "cc/logs/log_processor.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {
namespace {

constexpr int kLines = 1000;
constexpr std::string_view kTags =
    "account_id:123456789012,architecture:x86_64,aws_account:123456789012,dd_extension_version:100,env:prod,"
    "function_arn:arn:aws:lambda:eu-west-1:123456789012:function:checkout,functionname:checkout,"
    "init_type:on-demand,memorysize:1024,region:eu-west-1,resource:checkout,runtime:python3.13,service:checkout,"
    "version:7";

std::vector<std::string> Lines(bool objects) {
  std::vector<std::string> lines;
  for (int i = 0; i < kLines; ++i) {
    std::string line =
        objects ? absl::StrCat(R"({"level":"INFO","requestId":"6d68ca91","n":)", i, R"(,"message":")")
                : absl::StrCat(R"("INFO request )", i, R"( handled\tin \"main\" )");
    line.append(100 - line.size(), 'x');
    line.append(objects ? "\"}" : "\"");
    lines.push_back(std::move(line));
  }
  return lines;
}

void Take(benchmark::State& state, const std::vector<std::string>& lines, ProcessingRules rules = {}) {
  LogEntryWriter writer(
      {.function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:checkout", .service = "checkout"});
  writer.SetTags(kTags);
  LogBatch batch;
  LogProcessorOptions options;
  options.rules = std::move(rules);
  LogProcessor processor(std::move(options), [&](const LogEntry& entry) {
    batch.Begin();
    writer.Append(entry, batch.body);
  });
  processor.Take({.time = absl::UnixEpoch(),
                  .record = PlatformStart{.request_id = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa"}});
  for (auto _ : state) {
    batch.body.clear();
    batch.entries = 0;
    for (const std::string& line : lines)
      processor.Take({.time = absl::FromUnixMillis(1767323045678), .record = FunctionLog{line}});
    benchmark::DoNotOptimize(batch.body.data());
  }
  state.SetItemsProcessed(state.iterations() * kLines);
  state.counters["bytes_per_line"] = static_cast<double>(batch.size()) / kLines;
}

void BM_TakeStrings(benchmark::State& state) { Take(state, Lines(/*objects=*/false)); }
BENCHMARK(BM_TakeStrings);

void BM_TakeObjects(benchmark::State& state) { Take(state, Lines(/*objects=*/true)); }
BENCHMARK(BM_TakeObjects);

void BM_TakeStringsWithAMaskingRule(benchmark::State& state) {
  std::vector<std::string> errors;
  Take(state, Lines(/*objects=*/false),
       ProcessingRules(R"([{"type":"mask_sequences","name":"m","pattern":"\\d{16}"}])", errors));
}
BENCHMARK(BM_TakeStringsWithAMaskingRule);

}  // namespace
}  // namespace thaw
