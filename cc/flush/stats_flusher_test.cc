#include "cc/flush/stats_flusher.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/compress.h"
#include "cc/flush/fake_client.h"
#include "cc/stats/stats_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

StatsPayload Payload(int groups, const std::string& resource) {
  std::vector<WriteValue> list;
  for (int i = 0; i < groups; ++i) list.push_back(StatsGroup(resource + "<" + std::to_string(i) + ">"));
  absl::StatusOr<StatsPayload> payload =
      StatsPayload::FromMsgpack(groups == 0 ? StatsBody({}) : StatsBody({StatsBucket(1, list)}));
  EXPECT_TRUE(payload.ok()) << payload.status();
  return *std::move(payload);
}

class StatsFlusherTest : public testing::Test {
 protected:
  void Make(FlusherOptions options = DefaultFlusherOptions(Pipeline::kStats)) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(
        *MakeEndpoint("https://intake.example", Pipeline::kStats, std::make_shared<LiteralApiKey>("key")));
    flusher_ = std::make_unique<StatsFlusher>(executor_, clock_, client_, options, std::move(endpoints));
    client_.set_otherwise([](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Accepted()}; });
  }
  FlushReport RunFlush() {
    std::optional<FlushReport> report;
    Cancellation cancellation;
    Spawn<FlushReport>(executor_, flusher_->Flush(absl::Seconds(10), cancellation),
                       [&report](FlushReport got) { report = std::move(got); });
    for (int step = 0; !report.has_value() && step < 100'000; ++step)
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    EXPECT_TRUE(report.has_value());
    EXPECT_TRUE(flusher_->pipeline().CheckInvariantByWalking().ok());
    return *std::move(report);
  }
  static std::string Unpacked(const FakeClient::Sent& sent) {
    const absl::StatusOr<std::string> body = DecompressGzip(*sent.request.body, 100'000'000);
    EXPECT_TRUE(body.ok()) << body.status();
    return body.value_or("");
  }
  int Sent(const std::string& text) const {
    int times = 0;
    for (const FakeClient::Sent& sent : client_.sent()) {
      const std::string body = Unpacked(sent);
      for (size_t at = body.find(text); at != std::string::npos; at = body.find(text, at + 1)) ++times;
    }
    return times;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  FakeClient client_{executor_, clock_};
  std::unique_ptr<StatsFlusher> flusher_;
};

TEST_F(StatsFlusherTest, PayloadsShareARequest) {
  Make();
  ASSERT_TRUE(flusher_->Add(Payload(1, "one")).ok());
  ASSERT_TRUE(flusher_->Add(Payload(2, "two")).ok());
  ASSERT_TRUE(flusher_->Add(Payload(0, "")).ok());
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 2);
  ASSERT_EQ(client_.sent().size(), 1);
  const HttpRequest& request = client_.sent()[0].request;
  EXPECT_EQ(request.target, "/api/v0.2/stats");
  EXPECT_EQ(FindHeader(request.headers, "Content-Type"), "application/msgpack");
  EXPECT_EQ(FindHeader(request.headers, "Content-Encoding"), "gzip");
  EXPECT_EQ(Sent("one<0>"), 1);
  EXPECT_EQ(Sent("two<1>"), 1);
}

TEST_F(StatsFlusherTest, BatchesAreNoLargerThanAllowed) {
  FlusherOptions options = DefaultFlusherOptions(Pipeline::kStats);
  options.max_batch_bytes = 3000;
  Make(options);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(flusher_->Add(Payload(5, std::string(1, 'a' + i))).ok());
  ASSERT_TRUE(flusher_->Add(Payload(50, "large")).ok());
  EXPECT_EQ(RunFlush().delivered, 11);
  for (const FakeClient::Sent& sent : client_.sent()) EXPECT_LE(Unpacked(sent).size(), 3000);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Sent("large<" + std::to_string(i) + ">"), 1);
}

TEST_F(StatsFlusherTest, WhatTheIntakeFindsTooLargeIsCut) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = Unpacked(sent).size() > 1000 ? Answered(413) : Accepted()};
  });
  ASSERT_TRUE(flusher_->Add(Payload(20, "x")).ok());
  EXPECT_EQ(RunFlush().delivered, 1);
}

TEST_F(StatsFlusherTest, WhatMayHaveBeenCountedIsNotSentAgain) {
  Make();
  ASSERT_TRUE(flusher_->Add(Payload(1, "x")).ok());
  RunFlush();
  EXPECT_FALSE(client_.sent()[0].options.retry_ambiguous);
}

}  // namespace
}  // namespace thaw
