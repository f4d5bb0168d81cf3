#include "cc/stats/pathway_stats.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/msgpack_reader.h"
#include "cc/clock/fake_clock.h"
#include "cc/sketch/ddsketch_reading.h"
#include "cc/stats/stats_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

// Reads a body: the values of each map by their names, as MessagePack.
std::map<std::string, std::string> Members(std::string_view map) {
  std::map<std::string, std::string> members;
  MsgpackReader reader(map);
  uint32_t count = 0;
  EXPECT_TRUE(reader.ReadMap(count));
  for (; count > 0; --count) {
    std::string_view name;
    EXPECT_TRUE(reader.ReadString(name));
    const size_t begin = reader.position();
    EXPECT_TRUE(reader.Skip());
    members.emplace(name, map.substr(begin, reader.position() - begin));
  }
  EXPECT_TRUE(reader.at_end());
  return members;
}

std::vector<std::string> Elements(std::string_view array) {
  std::vector<std::string> elements;
  MsgpackReader reader(array);
  uint32_t count = 0;
  EXPECT_TRUE(reader.ReadArray(count));
  for (; count > 0; --count) {
    const size_t begin = reader.position();
    EXPECT_TRUE(reader.Skip());
    elements.emplace_back(array.substr(begin, reader.position() - begin));
  }
  return elements;
}

std::string Text(std::string_view value) {
  MsgpackReader reader(value);
  std::string_view text;
  EXPECT_TRUE(reader.ReadString(text));
  return std::string(text);
}

uint64_t Number(std::string_view value) {
  MsgpackReader reader(value);
  uint64_t number = 0;
  EXPECT_TRUE(reader.ReadInteger(number));
  return number;
}

double CountOf(std::string_view group) {
  return DDSketchReading(Text(Members(group)["EdgeLatency"])).count();
}

class PathwayStatsTest : public testing::Test {
 protected:
  static PathwayCheckpoint Checkpoint(uint64_t hash) {
    return {.hash = hash, .parent_hash = 1, .edge_tags = {"direction:in", "type:sqs"}, .payload_bytes = 100};
  }
  // Returns the bodies' intervals.
  std::vector<std::string> HandOver(absl::Status answer = absl::OkStatus()) {
    std::vector<std::string> intervals;
    const absl::Status status = pathways_.HandOver([&](PathwayPayload payload) {
      body_ = PathwayBody({&payload});
      for (std::string& interval : Elements(Members(body_)["Stats"]))
        intervals.push_back(std::move(interval));
      return answer;
    });
    EXPECT_EQ(status, answer);
    return intervals;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  PathwayStats pathways_{{.service = "Shop",
                          .env = "prod",
                          .version = "7",
                          .tags = {"functionname:shop"},
                          .extension_version = "1.2.3"},
                         clock_};
  std::string body_;
};

TEST_F(PathwayStatsTest, WithoutCheckpointsNothingIsHandedOver) { EXPECT_TRUE(HandOver().empty()); }

TEST_F(PathwayStatsTest, TheBodyNamesTheService) {
  pathways_.Add(Checkpoint(5));
  HandOver();
  std::map<std::string, std::string> members = Members(body_);
  EXPECT_EQ(members.size(), 7);
  EXPECT_EQ(Text(members["Service"]), "Shop");
  EXPECT_EQ(Text(members["Env"]), "prod");
  EXPECT_EQ(Text(members["Version"]), "7");
  EXPECT_EQ(Text(members["TracerVersion"]), "1.2.3");
  EXPECT_EQ(Text(Elements(members["Tags"])[0]), "functionname:shop");
}

TEST_F(PathwayStatsTest, AnIntervalHasTenSeconds) {
  clock_.Advance({.wall = absl::FromUnixSeconds(1'767'225'604) - clock_.Now().wall});
  pathways_.Add(Checkpoint(5));
  clock_.Advance(absl::Seconds(5));
  pathways_.Add(Checkpoint(5));
  pathways_.Add(Checkpoint(6));
  clock_.Advance(absl::Seconds(1));
  pathways_.Add(Checkpoint(5));
  const std::vector<std::string> intervals = HandOver();
  ASSERT_EQ(intervals.size(), 2);
  std::map<std::string, std::string> first = Members(intervals[0]), second = Members(intervals[1]);
  EXPECT_EQ(Number(first["Start"]), 1'767'225'600'000'000'000u);
  EXPECT_EQ(Number(first["Duration"]), 10'000'000'000u);
  EXPECT_EQ(Number(second["Start"]), 1'767'225'610'000'000'000u);
  const std::vector<std::string> groups = Elements(first["Stats"]);
  ASSERT_EQ(groups.size(), 2);
  EXPECT_EQ(Number(Members(groups[0])["Hash"]), 5);
  EXPECT_EQ(CountOf(groups[0]), 2);
  EXPECT_EQ(CountOf(groups[1]), 1);
  EXPECT_EQ(Elements(second["Stats"]).size(), 1);
}

TEST_F(PathwayStatsTest, CountsThatAreHandedOverAreForgotten) {
  pathways_.Add(Checkpoint(5));
  EXPECT_GT(pathways_.memory(), 0);
  EXPECT_EQ(HandOver().size(), 1);
  EXPECT_EQ(pathways_.memory(), 0);
  EXPECT_TRUE(HandOver().empty());
}

TEST_F(PathwayStatsTest, CountsThatAreRefusedAreKept) {
  pathways_.Add(Checkpoint(5));
  HandOver(absl::ResourceExhaustedError("full"));
  EXPECT_EQ(pathways_.counts().payloads_refused, 1);
  pathways_.Add(Checkpoint(5));
  const std::vector<std::string> intervals = HandOver();
  ASSERT_EQ(intervals.size(), 1);
  EXPECT_EQ(CountOf(Elements(Members(intervals[0])["Stats"])[0]), 2);
}

TEST_F(PathwayStatsTest, ASenderWhoseClockIsAheadHasNoLatency) {
  PathwayCheckpoint checkpoint = Checkpoint(5);
  checkpoint.edge_start = clock_.Now().wall + absl::Seconds(3);
  pathways_.Add(checkpoint);
  const std::string group = Elements(Members(HandOver()[0])["Stats"])[0];
  EXPECT_EQ(DDSketchReading(Text(Members(group)["EdgeLatency"])).zero_count, 1);
}

TEST_F(PathwayStatsTest, MemoryIsBoundedAndDropsAreCounted) {
  constexpr int kMany = 20'000;
  for (int i = 0; i < kMany; ++i) {
    PathwayCheckpoint checkpoint = Checkpoint(i);
    checkpoint.payload_bytes = 1 << (i % 20);
    pathways_.Add(checkpoint);
    ASSERT_LE(pathways_.memory(), size_t{1} << 20);
  }
  EXPECT_GT(pathways_.counts().checkpoints, 500);
  EXPECT_EQ(pathways_.counts().checkpoints + pathways_.counts().checkpoints_dropped, kMany);
  HandOver();
  pathways_.Add(Checkpoint(5));
  EXPECT_EQ(HandOver().size(), 1);
}

TEST_F(PathwayStatsTest, ABodyIsHalvedDownToOneGroup) {
  for (int i = 0; i < 4; ++i) pathways_.Add(Checkpoint(i));
  HandOver();
  std::vector<uint64_t> hashes;
  std::vector<std::string> bodies = {body_};
  while (!bodies.empty()) {
    const std::string body = std::move(bodies.back());
    bodies.pop_back();
    std::vector<std::string> halves = SplitPathwayBody(body);
    for (std::string& half : halves) bodies.push_back(std::move(half));
    if (!halves.empty()) continue;
    const std::vector<std::string> intervals = Elements(Members(body)["Stats"]);
    ASSERT_EQ(intervals.size(), 1);
    EXPECT_EQ(Members(body).size(), 7);
    for (const std::string& group : Elements(Members(intervals[0])["Stats"]))
      hashes.push_back(Number(Members(group)["Hash"]));
  }
  EXPECT_THAT(hashes, testing::UnorderedElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace thaw
