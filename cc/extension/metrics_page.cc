#include "cc/extension/metrics_page.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "cc/extension/own_metrics_table.h"
#include "cc/metrics/enhanced_names.h"

namespace thaw {
namespace {

constexpr std::string_view kBeginning =
    R"(<!-- Printed by `bazel run //cc/extension:print_metrics_page`, from cc/extension/own_metrics_table.h and
cc/metrics/enhanced_names.h. -->

# Metrics of the extension

The extension sends these metrics of its own, beside those that the function sends by DogStatsD. All of them are
distributions, and have the tags of the function and `cold_start`, `proactive_initialization`, `runtime`, `init_type`
and `durable_function`, as far as they are known. `DD_LAMBDA_CUSTOMER_METRICS_EXCLUDE_TAGS` takes nothing from them.

## Deliveries, drops and times of the extension

Each flush sends what was counted since the flush before; a count that did not change is not sent. The sum of a metric
is the number of events; of a time, the distribution has each event. They are off with `DD_THAW_METRICS=false`. Where
the tag says `pipeline:NAME`, each kind of data has its own.

| metric | tag | count | unit | meaning |
|---|---|---|---|---|
)";

constexpr std::string_view kEnhanced =
    R"(
## Invocations and the environment

Each is sent once, with the time at which the platform says it happened. `DD_ENHANCED_METRICS=false` switches them off,
and `DD_LAMBDA_PROC_ENHANCED_METRICS=false` those from `rx_bytes` on, which are read from `/proc`.

* The first `invocations` waits for the record that tells whether the function is durable, at the latest until the
  invocation's end; the durations of the environment's start wait for the first invocation.
* Figures of `/proc` are read when an invocation begins and when its end becomes known, before its flush. If the
  environment may have been frozen in between, only the peaks that were counted before are sent. Files, threads and
  bytes of `/tmp` are counted four times a second at most, and so rarely that it takes a thousandth of the time. With
  five processes both ends together take 0.4 ms of processor time, and each count in between 0.05 ms
  (`cc/metrics/sandbox_figures_benchmark.cc`).
  On managed instances the peaks are sent at the shutdown, and the other figures are those of all invocations that ran
  meanwhile.
* Managed instances have no `billed_duration`, `max_memory_used`, `memorysize` and `estimated_cost`.
* `estimated_cost` is the price of the request and of its billed duration in AWS's first tier and in most of its
  regions, with the lower price of time in environments of provisioned concurrency. Other tiers, ephemeral storage, the
  price of keeping environments provisioned, and the regions of China and of the government of the United States are
  not in it.
* Without logs (`DD_SERVERLESS_LOGS_ENABLED=false`) `out_of_memory` follows from the platform's records alone.

| metric | unit | meaning |
|---|---|---|
)";

void AppendRow(const OwnMetricRow& row, std::string_view tag_before, std::string& page) {
  const std::string_view comma = tag_before.empty() || row.tag.empty() ? "" : ", ";
  const std::string tags =
      absl::StrCat(tag_before, comma, row.tag.empty() ? "" : absl::StrCat("`", row.tag, "`"));
  absl::StrAppend(&page, "| `", row.name, "` |", tags.empty() ? "" : " ", tags, " | `", row.count, "` |",
                  row.unit.empty() ? "" : " ", row.unit, " | ", row.help, " |\n");
}

}  // namespace

std::string MetricsPage() {
  std::string page(kBeginning);
  for (const OwnMetricRow& row : kOwnMetrics) AppendRow(row, "", page);
  for (const OwnMetricRow& row : kOwnTimes) AppendRow(row, "", page);
  for (const OwnMetricRow& row : kPipelineMetrics) AppendRow(row, "`pipeline:NAME`", page);
  absl::StrAppend(&page, kEnhanced);
  for (const EnhancedMetricRow& row : kEnhancedMetrics)
    absl::StrAppend(&page, "| `", row.name, "` |", row.unit.empty() ? "" : " ", row.unit, " | ", row.help,
                    " |\n");
  return page;
}

}  // namespace thaw
