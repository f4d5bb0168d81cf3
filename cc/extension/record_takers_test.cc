#include "cc/extension/record_takers.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

TEST(RecordTakers, EachTakerGetsEachRecordWhole) {
  RecordTakers takers;
  std::vector<std::string> lines;
  for (const char* name : {"a", "b"})
    takers.Add(name, [&lines, name](const TelemetryRecord& record) {
      if (const auto* log = std::get_if<FunctionLog>(&record.record))
        lines.push_back(name + (" log " + std::string(log->json)));
      if (const auto* start = std::get_if<PlatformStart>(&record.record))
        lines.push_back(name + (" start " + start->request_id));
    });
  EXPECT_EQ(takers.Names(), "a, b");
  takers.Give({absl::UnixEpoch(), FunctionLog{.json = "\"x\""}});
  takers.Give({absl::UnixEpoch(), PlatformStart{.request_id = "r1"}});
  EXPECT_THAT(lines, ElementsAre("a log \"x\"", "b log \"x\"", "a start r1", "b start r1"));
}

}  // namespace
}  // namespace thaw
