#include "cc/agent/telemetry_receiver.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/agent/receiver_fixture.h"
#include "cc/base/fake_byte_account.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

class TelemetryReceiverTest : public ReceiverFixture {
 protected:
  TelemetryReceiverTest() { Serve(receiver_.Routes()); }

  std::string Deliver(std::string_view body) { return Request("POST", "/", body); }

  FakeByteAccount account_{16 << 20};
  // The ids of the received ends, with "|" at the end of each batch.
  std::vector<std::string> seen_;
  TelemetryReceiver receiver_{executor_, clock_,
                              [this](TelemetryRecord&& record) {
                                if (const auto* done = std::get_if<PlatformRuntimeDone>(&record.record))
                                  seen_.push_back(done->request_id);
                              },
                              [this] { seen_.push_back("|"); }, &account_};
};

constexpr std::string_view kDone =
    R"({"time":"2026-01-02T03:04:05.678Z","type":"platform.runtimeDone","record":{"requestId":"a","status":"success"}})";

TEST_F(TelemetryReceiverTest, EachRecordOfABatchIsGivenOnAndThenTheBatchIsOver) {
  EXPECT_THAT(Deliver(absl::StrCat("[", kDone, ",", kDone, "]")), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(seen_, ElementsAre("a", "a", "|"));
  EXPECT_EQ(receiver_.counts().records, 2);
  EXPECT_EQ(receiver_.first_problem(), "");
}

TEST_F(TelemetryReceiverTest, AnUnknownRecordDoesNotLoseTheBatch) {
  Deliver(absl::StrCat(R"([{"time":"2026-01-02T03:04:05Z","type":"platform.unheardOf","record":{}},)", kDone,
                       "]"));
  EXPECT_THAT(seen_, ElementsAre("a", "|"));
  EXPECT_EQ(receiver_.counts().unknown_types, 1);
}

TEST_F(TelemetryReceiverTest, ABrokenRecordDoesNotLoseTheBatch) {
  Deliver(absl::StrCat(R"([{"type":"platform.runtimeDone","record":{}},7,)", kDone, R"(,{"type":)"));
  EXPECT_THAT(seen_, ElementsAre("a", "|"));
  EXPECT_EQ(receiver_.counts().incomplete, 1);
  EXPECT_NE(receiver_.first_problem(), "");
}

TEST_F(TelemetryReceiverTest, ABodyThatIsNotUtf8DoesNotEndTheProcess) {
  EXPECT_THAT(
      Deliver(absl::StrCat(
          "[{\"time\":\"2026-01-02T03:04:05Z\",\"type\":\"function\",\"record\":\"\xff\xfe\"},", kDone, "]")),
      StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(seen_, ElementsAre("a", "|"));
  EXPECT_EQ(receiver_.counts().repaired, 1);
}

TEST_F(TelemetryReceiverTest, ABodyWithoutRoomForRepairsIsAskedForAgain) {
  const std::string body =
      absl::StrCat("[{\"time\":\"2026-01-02T03:04:05Z\",\"type\":\"function\",\"record\":\"",
                   std::string(2 << 20, '\xff'), "\"},", kDone, "]");
  ASSERT_TRUE(account_.Take(12 << 20).ok());
  EXPECT_THAT(Deliver(body), StartsWith("HTTP/1.1 429"));
  EXPECT_TRUE(seen_.empty());
  account_.GiveBack(12 << 20);
  EXPECT_THAT(Deliver(body), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(seen_, ElementsAre("a", "|"));
}

TEST_F(TelemetryReceiverTest, ARecordOfThePlatformThatIsMuchTooLongIsLeftOut) {
  Deliver(absl::StrCat(
      R"([{"time":"2026-01-02T03:04:05Z","type":"platform.runtimeDone","record":{"requestId":"b","x":[)",
      std::string(100'000, '['), std::string(100'000, ']'), "]}},", kDone, "]"));
  Deliver(absl::StrCat(
      R"([{"time":"2026-01-02T03:04:05Z","type":"platform.runtimeDone","record":{"requestId":"b","x":")",
      std::string(100'000, 'x'), R"("}},)", kDone, "]"));
  EXPECT_THAT(seen_, testing::Contains("a"));
  EXPECT_THAT(seen_, testing::Not(testing::Contains("b")));
}

TEST_F(TelemetryReceiverTest, LargeBatchesAreReadInTurnsAndOneAfterTheOther) {
  const auto batch = [](std::string_view id) {
    const std::string one = absl::StrCat(
        R"({"time":"2026-01-02T03:04:05.678Z","type":"platform.runtimeDone","record":{"requestId":")", id,
        R"("}})");
    std::string body = "[";
    while (body.size() < 2 << 20) absl::StrAppend(&body, one, ",");
    return absl::StrCat(body, one, "]");
  };
  const auto post = [](std::string_view body) {
    return absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
  };
  const auto second = door_.Connect();
  client_->StartWrite(post(batch("a")), [](IoResult) {});
  second->StartWrite(post(batch("b")), [](IoResult) {});
  size_t most = 0;
  int turns = 0;
  for (size_t before = 0; executor_.Step(); before = seen_.size()) {
    most = std::max(most, seen_.size() - before);
    turns += seen_.size() > before;
  }
  // A step is 512 KiB of work, and each record more than 16 KiB of it.
  EXPECT_LT(most, 100u);
  EXPECT_GT(turns, 20);
  EXPECT_TRUE(std::is_sorted(seen_.begin(), seen_.end() - 1,
                             [](const auto& a, const auto& b) { return a == "a" && b == "b"; }));
  EXPECT_EQ(std::count(seen_.begin(), seen_.end(), "|"), 2);
  const size_t records = std::count(seen_.begin(), seen_.end(), "a");
  EXPECT_EQ(std::count(seen_.begin(), seen_.end(), "b"), records);
  EXPECT_EQ(receiver_.counts().records, 2 * records);
}

TEST_F(TelemetryReceiverTest, ASmallBatchBehindALargeOneIsReadAfterIt) {
  const auto done = [](std::string_view id) {
    return absl::StrCat(
        R"({"time":"2026-01-02T03:04:05Z","type":"platform.runtimeDone","record":{"requestId":")", id,
        R"("}})");
  };
  const auto post = [](std::string_view body) {
    return absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
  };
  const std::string large =
      absl::StrCat("[", done("a"), ",{\"record\":\"", std::string(4 << 20, 'x'), "\"},", done("b"), "]");
  const auto second = door_.Connect();
  executor_.RunAll();
  client_->StartWrite(post(large), [](IoResult) {});
  while (seen_.empty() && executor_.Step()) {
  }
  ASSERT_THAT(seen_, ElementsAre("a"));
  second->StartWrite(post(absl::StrCat("[", done("c"), "]")), [](IoResult) {});
  bool waited = false;
  Spawn(executor_, receiver_.WaitForWork(), [&] {
    waited = true;
    EXPECT_THAT(seen_, testing::Contains("b"));
  });
  executor_.RunAll();
  EXPECT_TRUE(waited);
  EXPECT_THAT(seen_, ElementsAre("a", "b", "|", "c", "|"));
}

TEST_F(TelemetryReceiverTest, ALargeBatchWhoseClientIsGoneEnds) {
  const std::string body =
      absl::StrCat("[", kDone, ",{\"record\":\"", std::string(4 << 20, 'x'), "\"},", kDone, "]");
  client_->StartWrite(
      absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", body.size(), "\r\n\r\n", body),
      [](IoResult) {});
  while (seen_.empty() && executor_.Step()) {
  }
  ASSERT_THAT(seen_, ElementsAre("a"));
  server_->Close();
  executor_.RunAll();
  EXPECT_EQ(account_.taken(), 0u);
}

TEST_F(TelemetryReceiverTest, ABatchThatIsCutShortAndComesAgainIsTakenOnce) {
  constexpr int kRecords = 3000;
  std::string body = "[";
  // So much that it is read in turns.
  const std::string more(1000, 'x');
  for (int i = 0; i < kRecords; ++i) {
    absl::StrAppend(&body, i > 0 ? "," : "",
                    R"({"time":"2026-01-02T03:04:05Z","type":"platform.runtimeDone","record":{"more":")",
                    more, R"(","requestId":"r)", i, R"("}})");
  }
  const std::string request =
      absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", body.size() + 1, "\r\n\r\n", body, "]");
  // The first two times the deadline passes: in the middle, and before anything new is read.
  int64_t handled = 0;
  for (const size_t until : {size_t{200}, size_t{0}}) {
    client_ = door_.Connect();
    client_->StartWrite(request, [](IoResult) {});
    ++handled;
    while ((server_->counts().handled < handled || seen_.size() < until) && executor_.Step()) {
    }
    clock_.Advance(clock_.UntilNextAlarm().value());
    executor_.RunAll();
    EXPECT_LT(seen_.size(), kRecords);
  }
  EXPECT_GE(seen_.size(), 200u);
  EXPECT_EQ(receiver_.counts().records, 0);
  client_ = door_.Connect();
  executor_.RunAll();
  // It may come with more behind it.
  EXPECT_THAT(Deliver(absl::StrCat(body, ",", kDone, "]")), StartsWith("HTTP/1.1 200"));
  std::vector<std::string> expected;
  for (int i = 0; i < kRecords; ++i) expected.push_back(absl::StrCat("r", i));
  expected.insert(expected.end(), {"a", "|"});
  EXPECT_EQ(seen_, expected);
  EXPECT_EQ(receiver_.counts().records, kRecords + 1);
}

TEST_F(TelemetryReceiverTest, AnUnreadableBodyIsNotAskedForAgain) {
  for (const std::string_view body : {"", "{}", "<html>", "\x00\x01", "[[[["})
    EXPECT_THAT(Deliver(body), StartsWith("HTTP/1.1 200")) << body;
  EXPECT_EQ(receiver_.counts().records, 0);
}

TEST_F(TelemetryReceiverTest, OnlyDeliveriesAreAnswered) {
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Request("POST", "/elsewhere", "[]"), StartsWith("HTTP/1.1 404"));
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace thaw
