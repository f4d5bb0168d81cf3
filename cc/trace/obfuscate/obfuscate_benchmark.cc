// Measures SQL obfuscation in bytes per second, and the check of fields that are normal already.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "benchmark/benchmark.h"
#include "cc/trace/obfuscate/obfuscate_http.h"
#include "cc/trace/obfuscate/obfuscate_redis.h"
#include "cc/trace/obfuscate/obfuscate_sql.h"
#include "cc/trace/process/normalize_span.h"
#include "cc/trace/process/replace_rules.h"
#include "cc/trace/process/tag_filter.h"

namespace thaw {
namespace {

// A query that an object mapper sends for one page.
constexpr std::string_view kSelect =
    R"(SELECT "orders"."id", "orders"."created_at" AS "created", COUNT("items"."id") AS "items" FROM "orders" )"
    R"(INNER JOIN "items" ON "items"."order_id" = "orders"."id" WHERE "orders"."customer_id" = 4711 AND )"
    R"("orders"."state" IN ('paid', 'sent', 'returned') AND "orders"."created_at" > '2026-01-01 00:00:00' )"
    R"(GROUP BY "orders"."id" ORDER BY "orders"."created_at" DESC LIMIT 20 /* page='orders' */)";

std::string Insert(int rows) {
  std::string query = "INSERT INTO events (id, kind, payload) VALUES ";
  for (int i = 0; i < rows; ++i) {
    if (i > 0) query += ", ";
    query += "(" + std::to_string(i) + R"(, 'click', '{"page": "/users/me", "button": "buy"}'))";
  }
  return query;
}

void ObfuscateAll(benchmark::State& state, std::string_view query) {
  std::string out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ObfuscateSql(query, SqlDialect::kGeneric, out));
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * query.size()));
}

void BM_SqlSelect(benchmark::State& state) { ObfuscateAll(state, kSelect); }
BENCHMARK(BM_SqlSelect);

void BM_SqlInsert(benchmark::State& state) { ObfuscateAll(state, Insert(static_cast<int>(state.range(0)))); }
BENCHMARK(BM_SqlInsert)->Arg(1)->Arg(100);

void BM_Redis(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    QuantizeRedisCommands("HSET session:0f3a5c1e user me token abcdef", out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_Redis);

void BM_Url(benchmark::State& state) {
  constexpr HttpObfuscation kOptions = {.remove_query_string = true, .remove_paths_with_digits = true};
  const std::string_view url = state.range(0) != 0 ? "https://api.example.com/api/v2/orders/4711?page=1"
                                                   : "https://api.example.com/api/orders/list";
  std::string buffer;
  for (auto _ : state) benchmark::DoNotOptimize(ObfuscateUrl(url, kOptions, buffer));
}
BENCHMARK(BM_Url)->ArgName("changes")->Arg(0)->Arg(1);

void BM_NormalService(benchmark::State& state) {
  std::string buffer;
  std::string_view service = "checkout-service";
  for (auto _ : state) {
    benchmark::DoNotOptimize(service);
    benchmark::DoNotOptimize(NormalizeService(service, buffer));
  }
}
BENCHMARK(BM_NormalService);

void BM_NormalOperationName(benchmark::State& state) {
  std::string buffer;
  std::string_view name = "aws.lambda.invoke";
  for (auto _ : state) {
    benchmark::DoNotOptimize(name);
    benchmark::DoNotOptimize(NormalizeOperationName(name, buffer));
  }
}
BENCHMARK(BM_NormalOperationName);

void BM_ReplaceRule(benchmark::State& state) {
  std::vector<std::string> warnings;
  const ReplaceRules rules(R"json([{"name": "http.url", "pattern": "(token/)([^/]*)", "repl": "${1}?"}])json",
                           warnings);
  const std::string_view url =
      state.range(0) != 0 ? "https://example.com/token/0f3a5c1e/x" : "https://example.com/orders/4711/x";
  std::string buffer;
  for (auto _ : state) benchmark::DoNotOptimize(rules.ApplyToTag("http.url", url, buffer));
}
BENCHMARK(BM_ReplaceRule)->ArgName("matches")->Arg(0)->Arg(1);

void BM_TagFilter(benchmark::State& state) {
  std::vector<std::string> warnings;
  const TagFilter filter({.require = "env:production", .regex_reject = "resource:^GET.*/health"}, warnings);
  const std::string_view env = "production";
  const auto find = [&env](std::string_view key) { return key == "env" ? &env : nullptr; };
  const RootSpan root = {.service = "shop",
                         .name = "http.request",
                         .resource = "GET /api/v2/orders",
                         .type = "web",
                         .meta = find};
  for (auto _ : state) benchmark::DoNotOptimize(filter.Keeps(root));
}
BENCHMARK(BM_TagFilter);

}  // namespace
}  // namespace thaw
