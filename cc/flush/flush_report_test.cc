#include "cc/flush/flush_report.h"

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

FlushReport One() {
  FlushReport report;
  report.payloads = 5;
  report.delivered = 3;
  report.dropped[DropReason::kRefused] = 2;
  report.retained = 7;
  report.requests = 4;
  report.attempts = 6;
  report.possible_duplicates = 1;
  report.additional_delivered = 2;
  report.additional_dropped[DropReason::kTooLarge] = 1;
  report.additional_retained = 3;
  report.held = 1;
  report.out_of_reach = {"https://a can't be reached"};
  report.refused_by_status = {{400, 1}, {404, 2}};
  report.failures.resize(2);
  report.exchanges.resize(3);
  report.errors = {"first"};
  report.stalled = true;
  report.elapsed = absl::Milliseconds(30);
  return report;
}

TEST(FlushReportTest, AddsUpAllButTheKeptCounts) {
  FlushReport total = One();
  FlushReport more = One();
  more.retained = 1;
  more.additional_retained = 2;
  more.out_of_reach.push_back("https://b can't be reached");
  more.cause.emplace().error = absl::UnavailableError("the last");
  more.refused_by_status = {{404, 1}, {410, 1}};
  more.stalled = false;
  more.skipped = true;
  total.Accumulate(more);
  EXPECT_EQ(total.payloads, 10);
  EXPECT_EQ(total.delivered, 6);
  EXPECT_EQ(total.dropped[DropReason::kRefused], 4);
  EXPECT_EQ(total.dropped.total(), 4);
  EXPECT_EQ(total.retained, 1);
  EXPECT_EQ(total.requests, 8);
  EXPECT_EQ(total.attempts, 12);
  EXPECT_EQ(total.possible_duplicates, 2);
  EXPECT_EQ(total.additional_delivered, 4);
  EXPECT_EQ(total.additional_dropped[DropReason::kTooLarge], 2);
  EXPECT_EQ(total.additional_retained, 2);
  EXPECT_EQ(total.held, 2);
  EXPECT_EQ(total.out_of_reach,
            (std::vector<std::string>{"https://a can't be reached", "https://b can't be reached"}));
  ASSERT_TRUE(total.cause.has_value());
  EXPECT_EQ(total.cause->error.message(), "the last");
  EXPECT_EQ(total.refused_by_status, (std::map<int, int64_t>{{400, 1}, {404, 3}, {410, 1}}));
  EXPECT_EQ(total.failures.size(), 4);
  EXPECT_EQ(total.exchanges.size(), 6);
  EXPECT_EQ(total.errors.size(), 2);
  EXPECT_TRUE(total.stalled);
  EXPECT_TRUE(total.skipped);
  EXPECT_EQ(total.elapsed, absl::Milliseconds(60));
}

TEST(FlushReportTest, UndeliveredPayloadsAreNamedWithTheirReasons) {
  FlushReport report;
  report.delivered = 4;
  EXPECT_TRUE(report.all_delivered());
  EXPECT_EQ(report.Undelivered(), "");
  report.retained = 2;
  report.dropped[DropReason::kRefused] = 1;
  report.cause.emplace().error = absl::UnavailableError("connection refused");
  EXPECT_FALSE(report.all_delivered());
  EXPECT_EQ(
      report.Undelivered().find("not everything was delivered: 4 delivered, 2 kept, 1 dropped (refused)"), 0u)
      << report.Undelivered();
  EXPECT_NE(report.Undelivered().find("connection refused"), std::string::npos) << report.Undelivered();
  report.out_of_reach = {"https://a can't be reached"};
  EXPECT_EQ(
      report.Undelivered(),
      "not everything was delivered: 4 delivered, 2 kept, 1 dropped (refused); https://a can't be reached");
}

TEST(FlushReportTest, AdditionalEndpointsBelongToEverything) {
  FlushReport report;
  report.additional_retained = 1;
  EXPECT_FALSE(report.all_delivered());
  report.additional_retained = 0;
  report.additional_dropped[DropReason::kEvicted] = 1;
  EXPECT_FALSE(report.all_delivered());
}

TEST(FlushReportTest, HowMuchItTellsIsBounded) {
  FlushReport total;
  FlushReport more;
  more.failures.resize(FlushReport::kMaxFailures - 1);
  more.errors.assign(FlushReport::kMaxFailures - 1, "another");
  for (int i = 0; i < 3; ++i) total.Accumulate(more);
  EXPECT_EQ(total.failures.size(), FlushReport::kMaxFailures);
  EXPECT_EQ(total.errors.size(), FlushReport::kMaxFailures);
}

TEST(FlushReportTest, ASumKeepsTheLatestFailuresAndErrors) {
  FlushReport total;
  for (int i = 0; i < 5; ++i) {
    FlushReport one;
    one.errors = {std::to_string(i)};
    one.failures.resize(1);
    total.Accumulate(one);
    total.KeepLatest(2);
  }
  EXPECT_EQ(total.errors, (std::vector<std::string>{"3", "4"}));
  EXPECT_EQ(total.failures.size(), 2);
}

}  // namespace
}  // namespace thaw
