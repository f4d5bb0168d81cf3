#include "cc/sim/failure_table.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/globals.h"
#include "absl/strings/str_cat.h"
#include "cc/sim/explorer.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

const int quiet = [] {
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kFatal);
  return 0;
}();

// Runs small histories of a client that reuses connections, with one fault and one freeze.
FailureTable Explored() {
  FailureTable all;
  for (const int freezes : {0, 1}) {
    HistoryOptions options;
    options.flushes = {2};
    options.freezes = freezes;
    options.faults = 1;
    options.late = 0;
    // In such a short freeze, and in one that is longer than every deadline.
    options.lengths = {absl::Milliseconds(2), absl::Seconds(70)};
    options.client.max_connections_per_host = 1;
    options.client.max_idle_per_host = 1;
    options.client.on_resume = OnResume::kProbe;
    const ExplorationResult result = ExploreAll({.history = options});
    EXPECT_TRUE(result.complete && !result.broken.has_value()) << result.Text();
    all += result.failures;
  }
  return all;
}

TEST(FailureTable, EachReachableCellIsReachedAndNoOther) {
  const FailureTable explored = Explored();
  for (const FailureCell& cell : FailureTable::Cells()) {
    EXPECT_EQ(explored.count(cell) > 0, WhyUnreachable(cell).empty())
        << cell.ToString() << ": " << WhyUnreachable(cell);
  }
}

// The list of the cells that can be reached. A change of it is a change of what the client may meet.
TEST(FailureTable, ReachableCells) {
  std::vector<std::string> reachable;
  for (const FailureCell& cell : FailureTable::Cells()) {
    if (WhyUnreachable(cell).empty()) reachable.push_back(cell.ToString());
  }
  std::vector<std::string> expected;
  for (const char* phase : {"resolve", "connect", "tls"}) {
    for (const char* crossed : {"", ", crossed"})
      expected.push_back(absl::StrCat(phase, ", fresh", crossed, ", none written"));
  }
  for (const auto& [phase, written] :
       {std::pair<const char*, std::vector<const char*>>{"write", {"none", "part"}},
        {"head", {"none", "part", "all"}}}) {
    for (const char* use : {"fresh", "reused"}) {
      for (const char* crossed : {"", ", crossed"}) {
        for (const char* bytes : written)
          expected.push_back(absl::StrCat(phase, ", ", use, crossed, ", ", bytes, " written"));
      }
    }
  }
  expected.push_back("body, fresh, all written, head complete");
  EXPECT_EQ(reachable, expected);
}

TEST(FailureTable, EachUnreachableCellHasAReason) {
  std::set<std::string_view> reasons;
  for (const FailureCell& cell : FailureTable::Cells()) reasons.insert(WhyUnreachable(cell));
  EXPECT_EQ(FailureTable::Cells().size(), 168);
  EXPECT_EQ(reasons.size(), 10);  // nine, and none
}

}  // namespace
}  // namespace thaw
