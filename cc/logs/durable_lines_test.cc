#include "cc/logs/durable_lines.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DurableLinesTest : public testing::Test {
 protected:
  void Take(std::string_view request_id, std::string_view text, LogKind kind = LogKind::kLine,
            std::string_view execution = "") {
    lines_.Take({.pieces = {&text, 1}, .request_id = request_id, .kind = kind, .durable = {.id = execution}},
                [this](const LogEntry& entry) { Note(entry); });
  }
  void OnExecution(std::string_view request_id, std::string id) {
    lines_.OnExecution(request_id, {.id = id, .name = "n", .status = "SUCCEEDED", .first_invocation = true},
                       [this](const LogEntry& entry) { Note(entry); });
  }
  void Release() {
    lines_.Release([this](const LogEntry& entry) { Note(entry); });
  }
  // Notes text, execution, and what only platform lines have.
  void Note(const LogEntry& entry) {
    seen_.push_back(absl::StrCat(entry.pieces[0], ":", entry.durable.id, ":", entry.durable.status,
                                 entry.durable.first_invocation.value_or(false) ? ":first" : ""));
  }

  DurableLines lines_{{.most_invocations = 2, .most_bytes = 4000}};
  std::vector<std::string> seen_;
};

TEST_F(DurableLinesTest, LinesOfOtherFunctionsWaitForNothing) {
  Take("a", "x");
  EXPECT_THAT(seen_, ElementsAre("x::"));
  EXPECT_EQ(lines_.bytes(), 0);
}

TEST_F(DurableLinesTest, LinesWaitForTheExecutionAndGetItsFacts) {
  lines_.set_durable();
  Take("a", "start", LogKind::kPlatform);
  Take("a", "x");
  Take("a", "end", LogKind::kOutcome);
  Take("a", "named", LogKind::kLine, "own");
  Take("", "none");
  EXPECT_THAT(seen_, ElementsAre("named:own:", "none::"));
  seen_.clear();
  OnExecution("a", "e");
  EXPECT_THAT(seen_, ElementsAre("start:e::first", "x:e:", "end:e:SUCCEEDED:first"));
  EXPECT_EQ(lines_.bytes(), 0);
  Take("a", "late");
  EXPECT_EQ(seen_.back(), "late:e:");
}

TEST_F(DurableLinesTest, TheOldestOfTooManyInvocationsGoesWithoutAnExecution) {
  lines_.set_durable();
  Take("a", "1");
  Take("b", "2");
  Take("a", "3");
  EXPECT_THAT(seen_, IsEmpty());
  Take("c", "4");
  EXPECT_THAT(seen_, ElementsAre("1::", "3::"));
  OnExecution("b", "e");
  EXPECT_EQ(seen_.back(), "2:e:");
  Release();
  EXPECT_EQ(seen_.back(), "4::");
  EXPECT_EQ(lines_.bytes(), 0);
}

TEST_F(DurableLinesTest, LinesThatWaitAreBoundedInBytes) {
  lines_.set_durable();
  for (int i = 0; i < 1000; ++i) Take("a", std::string(100, 'x'));
  EXPECT_LE(lines_.bytes(), 4000);
  EXPECT_GT(seen_.size(), 900);
}

TEST_F(DurableLinesTest, ABufferOfNoneHoldsNothing) {
  DurableLines none({.most_invocations = 0});
  none.set_durable();
  const std::string_view text = "x";
  none.Take({.pieces = {&text, 1}, .request_id = "a"}, [this](const LogEntry& entry) { Note(entry); });
  EXPECT_THAT(seen_, ElementsAre("x::"));
}

}  // namespace
}  // namespace thaw
