#include "cc/flush/trace_flusher.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/msgpack_writer.h"
#include "cc/base/protobuf_reader.h"
#include "cc/clock/linear_work.h"
#include "cc/flush/compress.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/payload_flusher_fixture.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Returns one trace whose spans have the ids from `first` on, each as large as `filler`.
TracePayload Payload(uint64_t first, int spans = 1, const std::string& lang = "", size_t filler = 0,
                     uint64_t dropped = 0) {
  MsgpackWriter out;
  out.Array(spans == 0 ? 0 : 1);
  if (spans > 0) out.Array(spans);
  for (int i = 0; i < spans; ++i) {
    out.Map(3);
    out.String("span_id");
    out.Unsigned(first + i);
    out.String("parent_id");
    out.Unsigned(i == 0 ? 0 : first);
    out.String("resource");
    // The text does not compress to nothing, so that a body's size means something.
    std::string text;
    for (size_t at = 0; at < filler; ++at)
      text.push_back(static_cast<char>('a' + (at * at + first + i) % 26));
    out.String(text);
  }
  TracerHeaders headers;
  headers.lang = lang;
  headers.dropped_p0_spans = dropped;
  absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(out.bytes(), headers);
  EXPECT_TRUE(payload.ok()) << payload.status();
  return *std::move(payload);
}

void CountIds(std::string_view message, const std::vector<uint32_t>& path, std::map<uint64_t, int>& ids) {
  ProtobufReader reader(message);
  while (reader.Next()) {
    if (reader.field() != path[0]) continue;
    if (path.size() == 1) {
      ++ids[reader.value()];
    } else {
      CountIds(reader.bytes(), {path.begin() + 1, path.end()}, ids);
    }
  }
}

class TraceFlusherTest : public PayloadFlusherFixture<TraceEncoding> {
 protected:
  static std::string Unpacked(const FakeClient::Sent& sent) {
    const absl::StatusOr<std::string> body = DecompressZstd(*sent.request.body, 100'000'000);
    EXPECT_TRUE(body.ok()) << body.status();
    return body.value_or("");
  }
  // Returns how often each span was sent.
  std::map<uint64_t, int> SentIds() const {
    std::map<uint64_t, int> ids;
    for (const FakeClient::Sent& sent : client_.sent()) CountIds(Unpacked(sent), {5, 6, 3, 5}, ids);
    return ids;
  }
};

TEST_F(TraceFlusherTest, PayloadsWithTheSameHeadersShareARequest) {
  Make();
  Add(Payload(1, 2, "python", 0, 3));
  Add(Payload(10, 1, "nodejs"));
  Add(Payload(20, 1, "python", 0, 4));
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 3);
  EXPECT_EQ(report.requests, 2);
  ASSERT_EQ(client_.sent().size(), 2);
  const HttpRequest& first = client_.sent()[0].request;
  EXPECT_EQ(first.target, "/api/v0.2/traces");
  EXPECT_EQ(FindHeader(first.headers, "Content-Encoding"), "zstd");
  EXPECT_EQ(FindHeader(first.headers, "Datadog-Meta-Lang"), "python");
  EXPECT_EQ(FindHeader(first.headers, "Datadog-Client-Dropped-P0-Spans"), "7");
  EXPECT_EQ(FindHeader(client_.sent()[1].request.headers, "Datadog-Meta-Lang"), "nodejs");
  EXPECT_EQ(SentIds(), (std::map<uint64_t, int>{{1, 1}, {2, 1}, {10, 1}, {20, 1}}));
}

TEST_F(TraceFlusherTest, GroupingIsLinearInTheNumberOfTracers) {
  EXPECT_TRUE(IsLinear(4000, [](size_t tracers) {
    const auto held = std::make_shared<std::vector<HeldPayload<TracePayload>>>();
    for (size_t i = 0; i < tracers; ++i)
      held->push_back({PayloadId(), Payload(i + 1, 1, std::string(200, 'x') + std::to_string(i))});
    return [held] {
      TraceEncoding::Workspace workspace;
      size_t requests = 0;
      const auto count = [&requests](EncodedRequest) { ++requests; };
      ASSERT_TRUE(TraceEncoding::Encode(*held, FlusherOptions(), workspace, count).ok());
      EXPECT_EQ(requests, held->size());
    };
  }));
}

TEST_F(TraceFlusherTest, WithoutCoalescingEachPayloadIsARequest) {
  Make(FlusherOptions(), PeersOptions{.coalesce = false});
  for (uint64_t id = 1; id <= 3; ++id) Add(Payload(id));
  EXPECT_EQ(RunFlush().requests, 3);
}

TEST_F(TraceFlusherTest, WhenMuchWaitsItIsEncodedWithoutAFlush) {
  Make({.encode_above_bytes = 20'000});
  std::map<uint64_t, int> expected;
  size_t most_opened = 0;
  for (uint64_t id = 1; id <= 40; ++id) {
    Add(Payload(id, 1, "", 1500));
    expected[id] = 1;
    most_opened = std::max(most_opened, flusher_->pipeline().opened().bytes());
  }
  EXPECT_LE(most_opened, 20'000);
  EXPECT_LT(flusher_->bytes(), 40 * 1500) << "compressed, for the most part";
  EXPECT_TRUE(client_.sent().empty());
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 40);
  EXPECT_GE(report.requests, 3);
  EXPECT_LE(report.requests, 5);
  EXPECT_EQ(SentIds(), expected);
}

TEST_F(TraceFlusherTest, BatchesAreNoLargerThanAllowed) {
  Make({.max_batch_bytes = 10'000});
  std::map<uint64_t, int> expected;
  for (uint64_t id = 1; id <= 30; ++id) {
    Add(Payload(id, 1, "", 1500));
    expected[id] = 1;
  }
  Add(Payload(100, 40, "", 1000));  // larger than a request: cut between spans
  for (uint64_t id = 100; id < 140; ++id) expected[id] = 1;
  Add(Payload(200, 1, "", 20'000));  // one span: sent alone
  expected[200] = 1;
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 32);
  EXPECT_EQ(SentIds(), expected);
  for (const FakeClient::Sent& sent : client_.sent()) {
    const std::string body = Unpacked(sent);
    std::map<uint64_t, int> ids;
    CountIds(body, {5, 6, 3, 5}, ids);
    EXPECT_TRUE(body.size() <= 10'000 || ids.size() == 1) << body.size();
  }
}

TEST_F(TraceFlusherTest, ABodyThatTheIntakeFindsTooLargeIsSplitUntilItFits) {
  Make();
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{.result = Unpacked(sent).size() > 3000 ? Answered(413) : Accepted()};
  });
  std::map<uint64_t, int> expected;
  Add(Payload(1, 20, "", 500));
  for (uint64_t id = 1; id <= 20; ++id) expected[id] = 1;
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 1);
  EXPECT_EQ(report.dropped.total(), 0);
  std::map<uint64_t, int> accepted;
  for (const FakeClient::Sent& sent : client_.sent())
    if (const std::string body = Unpacked(sent); body.size() <= 3000) CountIds(body, {5, 6, 3, 5}, accepted);
  EXPECT_EQ(accepted, expected);
}

TEST_F(TraceFlusherTest, ASpanThatNeverFitsIsDroppedByName) {
  Make();
  client_.set_otherwise(
      [](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Answered(413)}; });
  Add(Payload(1, 2));
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.dropped[DropReason::kTooLarge], 1);
  EXPECT_EQ(report.retained, 0);
}

TEST_F(TraceFlusherTest, AResendIsByteIdentical) {
  Make();
  Add(Payload(1, 5, "python", 100));
  client_.Answer(Answered(503));
  EXPECT_EQ(RunFlush().retained, 1);
  const std::string before = *client_.sent().back().request.body;
  Add(Payload(50));
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.delivered, 2);
  ASSERT_EQ(client_.sent().size(), 3);
  EXPECT_EQ(*client_.sent()[1].request.body, before);  // kept requests are sent first
}

TEST_F(TraceFlusherTest, APayloadWithoutSpansMakesNoRequest) {
  Make();
  Add(Payload(1, 0));
  const FlushReport report = RunFlush();
  EXPECT_EQ(report.requests, 0);
  EXPECT_EQ(report.retained, 0);
  EXPECT_EQ(report.dropped.total(), 0);
}

TEST_F(TraceFlusherTest, WhileNothingCanBeSentNothingIsEncodedSoThatItSharesARequestLater) {
  Make();
  client_.Answer(Unreachable());
  client_.Answer(Unreachable());
  Add(Payload(1));
  RunFlush();
  RunFlush();
  for (uint64_t id = 2; id <= 4; ++id) {
    Add(Payload(id));
    EXPECT_TRUE(RunFlush().skipped);
  }
  EXPECT_EQ(flusher_->pipeline().outbox().untried_items(), 0);
  EXPECT_EQ(flusher_->kept_payloads(), 4);
  client_.clear_sent();
  clock_.Advance(absl::Seconds(1));
  executor_.RunAll();
  EXPECT_EQ(RunFlush().delivered, 4);
  EXPECT_EQ(client_.sent().size(), 2);
}

TEST_F(TraceFlusherTest, PayloadsThatTakeMuchRoomAreEncodedDuringAnOutage) {
  Make(FlusherOptions(), std::nullopt, {.outbox_bytes = 40'000});
  client_.Answer(Unreachable());
  client_.Answer(Unreachable());
  Add(Payload(1));
  RunFlush();
  RunFlush();
  for (uint64_t id = 2; id <= 8; ++id) Add(Payload(id, 1, "", 2000));
  const size_t before = flusher_->bytes();
  EXPECT_TRUE(RunFlush().skipped);
  EXPECT_EQ(flusher_->pipeline().outbox().untried_items(), 1);
  EXPECT_LT(flusher_->bytes(), before);
}

TEST_F(TraceFlusherTest, PayloadsNotYetEncodedCountAgainstTheBudget) {
  Make(FlusherOptions(), std::nullopt, {.outbox_bytes = 20'000});
  int taken = 0;
  while (flusher_->Add(Payload(1, 1, "", 1000)).ok()) ASSERT_LT(++taken, 100);
  EXPECT_GE(taken, 10);
  EXPECT_LE(flusher_->bytes(), 20'000);
  EXPECT_EQ(flusher_->pipeline().turned_away(), 1);
  EXPECT_EQ(RunFlush().delivered, taken);
  EXPECT_TRUE(flusher_->Add(Payload(1)).ok());
}

}  // namespace
}  // namespace thaw
