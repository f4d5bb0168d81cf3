#include "cc/flush/stats_flusher.h"

#include <string>
#include <utility>
#include <vector>

#include "cc/flush/compress.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/payload_flusher_fixture.h"
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

class StatsFlusherTest : public PayloadFlusherFixture<StatsEncoding> {
 protected:
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
};

TEST_F(StatsFlusherTest, PayloadsShareARequest) {
  Make();
  Add(Payload(1, "one"));
  Add(Payload(2, "two"));
  Add(Payload(0, ""));
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

TEST_F(StatsFlusherTest, WithoutMemoryStatsWaitForTheNextFlush) {
  std::vector<StatsPayload> payloads;
  for (int i = 0; i < 3; ++i) payloads.push_back(Payload(1, std::string(900'000, 'r')));
  ExpectThatNoMemoryLosesNothing(std::move(payloads));
}

TEST_F(StatsFlusherTest, WithoutCoalescingEachPayloadHasARequest) {
  Make(FlusherOptions(), PeersOptions{.coalesce = false});
  Add(Payload(1, "one"));
  Add(Payload(2, "two"));
  EXPECT_EQ(RunFlush().delivered, 2);
  ASSERT_EQ(client_.sent().size(), 2);
  EXPECT_NE(Unpacked(client_.sent()[1]).find("two<1>"), std::string::npos);
}

TEST_F(StatsFlusherTest, BatchesAreNoLargerThanAllowed) {
  FlusherOptions options = DefaultFlusherOptions(StatsEncoding::kPipeline);
  options.max_batch_bytes = 3000;
  Make(options);
  for (int i = 0; i < 10; ++i) Add(Payload(5, std::string(1, 'a' + i)));
  Add(Payload(50, "large"));
  EXPECT_EQ(RunFlush().delivered, 11);
  for (const FakeClient::Sent& sent : client_.sent()) EXPECT_LE(Unpacked(sent).size(), 3000);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Sent("large<" + std::to_string(i) + ">"), 1);
}

TEST_F(StatsFlusherTest, ABodyThatTheIntakeFindsTooLargeIsSplit) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = Unpacked(sent).size() > 1000 ? Answered(413) : Accepted()};
  });
  Add(Payload(20, "x"));
  EXPECT_EQ(RunFlush().delivered, 1);
}

TEST_F(StatsFlusherTest, StatsThatMayHaveBeenCountedAreNotSentAgain) {
  Make();
  Add(Payload(1, "x"));
  RunFlush();
  EXPECT_FALSE(client_.sent()[0].options.retry_ambiguous);
}

}  // namespace
}  // namespace thaw
