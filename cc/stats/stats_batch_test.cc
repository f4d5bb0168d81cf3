#include "cc/stats/stats_batch.h"

#include <string>
#include <vector>

#include "cc/base/msgpack_reader.h"
#include "cc/stats/stats_payload.h"
#include "cc/stats/stats_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Payload(std::vector<WriteValue> buckets) {
  absl::StatusOr<StatsPayload> payload = StatsPayload::FromMsgpack(StatsBody(std::move(buckets)));
  EXPECT_TRUE(payload.ok()) << payload.status();
  return std::string(payload->bytes());
}

int Occurrences(const std::string& text, const std::string& of) {
  int count = 0;
  for (size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++count;
  return count;
}

TEST(StatsBatch, EncodesAsTheIntakeExpects) {
  const std::string payload = Payload({StatsBucket(1, {StatsGroup("a")})});
  const std::string body = EncodeStatsBatch({payload, payload});
  const WriteValue raw = [&](MsgpackWriter& out) { out.Raw(payload); };
  EXPECT_EQ(body, Encoded(Map({{"AgentHostname", Text("")},
                               {"AgentEnv", Text("")},
                               {"AgentVersion", Text("")},
                               {"ClientComputed", True()},
                               {"SplitPayload", [](MsgpackWriter& out) { out.Bool(false); }},
                               {"Stats", Array({raw, raw})}})));
  EXPECT_LE(body.size(), 2 * payload.size() + kStatsBatchFraming);
}

TEST(StatsBatch, SplitsBetweenPayloadsThenBucketsThenGroups) {
  const std::string one =
      Payload({StatsBucket(1, {StatsGroup("g1"), StatsGroup("g2")}), StatsBucket(2, {StatsGroup("g3")})});
  const std::string two = Payload({StatsBucket(3, {StatsGroup("g4")})});
  const std::string body = EncodeStatsBatch({one, two});
  std::vector<std::string> halves = SplitStatsBatch(body);
  EXPECT_EQ(halves, (std::vector<std::string>{EncodeStatsBatch({one}), EncodeStatsBatch({two})}));
  EXPECT_TRUE(SplitStatsBatch(halves[1]).empty());
  halves = SplitStatsBatch(halves[0]);
  ASSERT_EQ(halves.size(), 2);
  EXPECT_EQ(Occurrences(halves[0], "g1") + Occurrences(halves[0], "g2"), 2);
  EXPECT_EQ(Occurrences(halves[1], "g3"), 1);
  EXPECT_EQ(Occurrences(halves[1], "prod"), 1);
  halves = SplitStatsBatch(halves[0]);
  ASSERT_EQ(halves.size(), 2);
  EXPECT_EQ(Occurrences(halves[0], "g1"), 1);
  EXPECT_EQ(Occurrences(halves[1], "g2"), 1);
}

TEST(StatsBatch, OnlyAPartOfAPayloadSaysThatItIsOne) {
  const std::string with_split = "SplitPayload\xC3", without = "SplitPayload\xC2";
  const std::string one_group = Payload({StatsBucket(1, {StatsGroup("a")})});
  for (const std::string& half : SplitStatsBatch(EncodeStatsBatch({one_group, one_group})))
    EXPECT_EQ(Occurrences(half, without), 1);
  const std::string buckets =
      EncodeStatsBatch({Payload({StatsBucket(1, {StatsGroup("a")}), StatsBucket(2, {StatsGroup("b")})})});
  const std::string groups =
      EncodeStatsBatch({Payload({StatsBucket(1, {StatsGroup("a"), StatsGroup("b")})})});
  for (const std::string& body : {buckets, groups}) {
    const std::vector<std::string> halves = SplitStatsBatch(body);
    ASSERT_EQ(halves.size(), 2);
    for (const std::string& half : halves) EXPECT_EQ(Occurrences(half, with_split), 1);
  }
}

TEST(StatsBatch, EveryPartFitsOrIsOneGroup) {
  std::vector<WriteValue> groups;
  for (int i = 0; i < 100; ++i) groups.push_back(StatsGroup("<" + std::to_string(i) + ">"));
  const std::string payload = Payload({StatsBucket(1, groups)});
  for (const size_t limit : {10u, 1000u, 3000u}) {
    std::string all;
    const std::vector<std::string> parts = *SplitStatsToFit(EncodeStatsBatch({payload}), limit);
    for (const std::string& part : parts) {
      // also in TopLevelHits
      EXPECT_TRUE(part.size() <= limit || Occurrences(part, "Hits") == 2) << part.size();
      all += part;
    }
    for (int i = 0; i < 100; ++i) EXPECT_EQ(Occurrences(all, "<" + std::to_string(i) + ">"), 1);
  }
}

TEST(StatsBatch, APayloadIsCutByItselfAndItsPartsSayThatTheyAre) {
  const std::string whole = Payload({StatsBucket(1, {StatsGroup("g1"), StatsGroup("g2")})});
  const std::vector<std::string> halves = SplitStatsPayload(whole);
  EXPECT_EQ(halves, (std::vector<std::string>{Payload({StatsBucket(1, {StatsGroup("g1")})}),
                                              Payload({StatsBucket(1, {StatsGroup("g2")})})}));
  EXPECT_TRUE(SplitStatsPayload(halves[0]).empty());
  EXPECT_EQ(Occurrences(EncodeStatsBatch({halves[0]}, /*parts=*/true), "SplitPayload\xC3"), 1);
}

TEST(StatsBatch, FieldsThatEachPartWouldRepeatAreNotMultiplied) {
  std::vector<WriteValue> groups(200, StatsGroup("g"));
  absl::StatusOr<StatsPayload> payload = StatsPayload::FromMsgpack(
      StatsBody({StatsBucket(1, groups)}, {{"Version", Text(std::string(200'000, 'v'))}}));
  ASSERT_TRUE(payload.ok()) << payload.status();
  size_t bytes = 0;
  const std::vector<std::string> parts = *SplitStatsToFit(EncodeStatsBatch({payload->bytes()}), 1000);
  for (const std::string& part : parts) bytes += part.size();
  EXPECT_LE(bytes, 3 * payload->size());
}

TEST(StatsBatch, OnlyAStatsBodyIsSplit) {
  for (const char* bad : {"", "x", "\x90", "\x81\xA5Stats\x92\x01"})
    EXPECT_TRUE(SplitStatsBatch(bad).empty());
}

}  // namespace
}  // namespace thaw
