#include "cc/extension/metrics_page.h"

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cc/base/read_file.h"
#include "cc/extension/own_metrics_table.h"
#include "cc/flush/drop_reason.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/net/exchange_failure.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(MetricsPageTest, TheFileEqualsThePageOfTheTables) {
  const absl::StatusOr<std::string> file = ReadWholeFile("docs/metrics.md", 1 << 20);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file, MetricsPage()) << "bazel run //cc/extension:print_metrics_page > docs/metrics.md";
}

TEST(MetricsPageTest, NoTwoRowsHaveMetricAndTagInCommon) {
  std::set<std::string> seen;
  const auto look = [&seen](const auto& rows) {
    for (const OwnMetricRow& row : rows) {
      EXPECT_FALSE(row.help.empty()) << row.name;
      EXPECT_TRUE(seen.insert(absl::StrCat(row.name, " ", row.tag)).second) << row.name;
    }
  };
  look(kOwnMetrics);
  look(kOwnTimes);
  look(kPipelineMetrics);
}

TEST(MetricsPageTest, EachReasonOfADropHasARow) {
  std::set<std::string> tags;
  for (const OwnMetricRow& row : kPipelineMetrics)
    if (row.name == "thaw.payloads.dropped") tags.insert(std::string(row.tag));
  for (const DropReason reason : kAllDropReasons)
    EXPECT_EQ(tags.count(absl::StrCat("reason:", ToString(reason))), 1) << ToString(reason);
  EXPECT_EQ(tags.size(), kAllDropReasons.size());
}

TEST(MetricsPageTest, EachClassOfAFailureHasARow) {
  std::set<std::string> tags;
  for (const OwnMetricRow& row : kOwnMetrics)
    if (row.name == "thaw.requests.failed") tags.insert(std::string(row.tag));
  for (const RetryClass each : kAllRetryClasses)
    EXPECT_EQ(tags.count(absl::StrCat("class:", ToString(each))), 1) << ToString(each);
}

TEST(MetricsPageTest, EachReasonToRefuseALineHasARow) {
  std::set<std::string> counts;
  for (const OwnMetricRow& row : kOwnMetrics)
    if (row.name == "thaw.metrics.refused") counts.insert(std::string(row.count));
  for (const RefusedLine each : kAllRefusedLines)
    EXPECT_EQ(counts.count(absl::StrCat("lines.", ToString(each))), 1) << ToString(each);
}

}  // namespace
}  // namespace thaw
