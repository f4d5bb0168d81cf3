#include "cc/lambda/invocation/data_streams.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/base/msgpack_reader.h"
#include "cc/clock/fake_clock.h"
#include "cc/lambda/invocation/event_json.h"
#include "cc/sketch/ddsketch_reading.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The vectors of dd-trace-js: a context's bytes, the same in base64, and the hash in it.
constexpr std::string_view kContext = "Z7CzXmXArPrE58Cfj2LI2cOfj2I=";
constexpr uint64_t kContextHash = 0xfaacc0655eb3b067;
constexpr int64_t kPathwayStartMs = 1685673482722;
constexpr int64_t kEdgeStartMs = 1685673506404;

std::string Raw(std::string_view base64) {
  std::string bytes;
  EXPECT_TRUE(absl::Base64Unescape(base64, &bytes));
  return bytes;
}

TEST(PathwayContextTest, IsThatOfOtherTracers) {
  const std::optional<PathwayContext> context = DecodePathwayContext(Raw(kContext));
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->hash, kContextHash);
  EXPECT_EQ(context->pathway_start, absl::FromUnixMillis(kPathwayStartMs));
  EXPECT_EQ(context->edge_start, absl::FromUnixMillis(kEdgeStartMs));
}

TEST(PathwayContextTest, MayBePadded) {
  EXPECT_TRUE(DecodePathwayContext(Raw(kContext) + std::string(3, '\0')).has_value());
}

TEST(PathwayContextTest, IsNothingElse) {
  const std::string whole = Raw(kContext);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(DecodePathwayContext(whole.substr(0, size)).has_value()) << size;
  EXPECT_FALSE(DecodePathwayContext(kContext).has_value()) << "base64 was taken for the bytes";
  EXPECT_FALSE(DecodePathwayContext(whole.substr(0, 8) + std::string(20, '\xFF')).has_value());
}

TEST(PathwayHashTest, IsThatOfTheTracerForNodeJs) {
  const std::vector<std::string> tags = {"direction:in", "group:group1", "topic:topic1", "type:kafka"};
  EXPECT_EQ(PathwayHash("test-service", "test-env", tags, 0), kContextHash);
}

TEST(PathwayHashTest, DependsOnEachPart) {
  const std::vector<std::string> tags = {"direction:in", "topic:orders", "type:sqs"};
  EXPECT_EQ(PathwayHash("Shop", "prod", tags, kContextHash), uint64_t{0x465591f1a16764ae});
  EXPECT_EQ(PathwayHash("Shop", "prod", tags, 0), uint64_t{0xb48de43128b95380});
  EXPECT_NE(PathwayHash("shop", "prod", tags, 0), PathwayHash("Shop", "prod", tags, 0));
  EXPECT_NE(PathwayHash("Shop", "", tags, 0), PathwayHash("Shop", "prod", tags, 0));
}

// The content of one group of the body.
struct Group {
  uint64_t hash = 0, parent_hash = 0;
  std::vector<std::string> tags;
  double count = 0, edge_s = 0, pathway_s = 0, bytes = 0;
};

class DataStreamsTest : public testing::Test {
 protected:
  DataStreamsTest() {
    clock_.Advance({.wall = absl::FromUnixMillis(kEdgeStartMs + 2000) - clock_.Now().wall});
  }

  // Returns the groups that an event makes.
  std::vector<Group> GroupsOf(std::string_view event, const DataStreamsOptions& options = {}) {
    const std::string text = absl::StrReplaceAll(event, {{"CONTEXT", kContext}});
    absl::StatusOr<EventJson> parsed = ParseEventJson(text);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    PathwayStats pathways({.service = "Shop", .env = "prod"}, clock_);
    AddCheckpoints(parsed->root, options, pathways);
    std::string body;
    EXPECT_TRUE(pathways
                    .HandOver([&body](PathwayPayload payload) {
                      body = PathwayBody({&payload});
                      return absl::OkStatus();
                    })
                    .ok());
    return body.empty() ? std::vector<Group>() : Read(body);
  }
  // Returns the only group that an event makes.
  Group GroupOf(std::string_view event, const DataStreamsOptions& options = {}) {
    std::vector<Group> groups = GroupsOf(event, options);
    EXPECT_EQ(groups.size(), 1) << event;
    return groups.empty() ? Group() : groups[0];
  }

 private:
  // Moves to the value of a member of the map at the reader's position.
  static bool MoveTo(MsgpackReader& reader, std::string_view name) {
    uint32_t members;
    if (!reader.ReadMap(members)) return false;
    for (; members > 0; --members) {
      std::string_view key;
      if (!reader.ReadString(key)) return false;
      if (key == name) return true;
      if (!reader.Skip()) return false;
    }
    return false;
  }
  static std::vector<Group> Read(std::string_view body) {
    std::vector<Group> groups;
    MsgpackReader reader(body);
    uint32_t count = 0;
    EXPECT_TRUE(MoveTo(reader, "Stats") && reader.ReadArray(count));
    EXPECT_EQ(count, 1);
    EXPECT_TRUE(MoveTo(reader, "Stats") && reader.ReadArray(count));
    for (; count > 0; --count) groups.push_back(ReadGroup(reader));
    return groups;
  }
  static Group ReadGroup(MsgpackReader& reader) {
    Group group;
    uint32_t members = 0;
    EXPECT_TRUE(reader.ReadMap(members));
    for (; members > 0; --members) {
      std::string_view name, bytes;
      EXPECT_TRUE(reader.ReadString(name));
      if (name == "Hash" || name == "ParentHash") {
        EXPECT_TRUE(reader.ReadInteger(name == "Hash" ? group.hash : group.parent_hash));
      } else if (name == "EdgeTags") {
        uint32_t tags = 0;
        EXPECT_TRUE(reader.ReadArray(tags));
        for (; tags > 0; --tags) {
          EXPECT_TRUE(reader.ReadString(bytes));
          group.tags.emplace_back(bytes);
        }
      } else {
        EXPECT_TRUE(reader.ReadString(bytes));
        const DDSketchReading sketch(bytes);
        group.count = sketch.count();
        (name == "EdgeLatency"      ? group.edge_s
         : name == "PathwayLatency" ? group.pathway_s
                                    : group.bytes) = sketch.At(0);
      }
    }
    return group;
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
};

constexpr std::string_view kSqs = R"({"Records": [{
    "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders", "body": "0123456789",
    "messageAttributes": {"_datadog": {"dataType": "String",
        "stringValue": "{\"dd-pathway-ctx-base64\": \"CONTEXT\"}"}}}]})";

TEST_F(DataStreamsTest, AQueuesMessageContinuesItsPathway) {
  const Group group = GroupOf(kSqs);
  EXPECT_THAT(group.tags, ElementsAre("direction:in", "topic:orders", "type:sqs"));
  EXPECT_EQ(group.parent_hash, kContextHash);
  EXPECT_EQ(group.hash, PathwayHash("Shop", "prod", group.tags, kContextHash));
  EXPECT_NEAR(group.edge_s, 2, 0.02);
  EXPECT_NEAR(group.pathway_s, 25.682, 0.26);
  EXPECT_NEAR(group.bytes, 10, 0.1);
}

TEST_F(DataStreamsTest, AMessageWithoutAPathwayBeginsOne) {
  const Group group = GroupOf(R"({"Records": [{"eventSource": "aws:sqs", "body": "x",
      "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders"}]})");
  EXPECT_EQ(group.parent_hash, 0);
  EXPECT_EQ(group.hash, PathwayHash("Shop", "prod", group.tags, 0));
  EXPECT_EQ(group.edge_s, 0);
  EXPECT_EQ(group.pathway_s, 0);
}

TEST_F(DataStreamsTest, EachRecordHasACheckpoint) {
  const std::string record = R"({"eventSource": "aws:sqs", "body": "x",
      "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders"})";
  const Group group = GroupOf(absl::StrCat("{\"Records\": [", record, ",", record, ",", record, "]}"));
  EXPECT_EQ(group.count, 3);
}

TEST_F(DataStreamsTest, AContextThatCannotBeReadIsNone) {
  for (const std::string_view bad : {"", "????", "AAAAAAAAAAAAAAAA", "Z7CzXmXArPo="})
    EXPECT_EQ(GroupOf(absl::StrReplaceAll(kSqs, {{"CONTEXT", bad}})).parent_hash, 0) << bad;
}

TEST_F(DataStreamsTest, AQueueThatATopicFedHasTheTopicsContext) {
  constexpr std::string_view kBody =
      R"({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": "m",
      "MessageAttributes": {"_datadog": {"Type": "String", "Value": "{\"dd-pathway-ctx-base64\": \"CONTEXT\"}"}}})";
  const Group group =
      GroupOf(absl::StrCat(R"({"Records": [{"eventSource": "aws:sqs",
      "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders", "body": ")",
                           absl::CHexEscape(absl::StrReplaceAll(kBody, {{"\n", ""}})), R"("}]})"));
  EXPECT_EQ(group.parent_hash, kContextHash);
  EXPECT_THAT(group.tags, ElementsAre("direction:in", "topic:orders", "type:sqs"));
}

TEST_F(DataStreamsTest, ATopicsMessageHasTheWholeArn) {
  const Group group =
      GroupOf(R"({"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": "arn:aws:sns:eu-west-1:1:news",
      "Message": "hello", "MessageAttributes": {"_datadog": {"Type": "Binary",
          "Value": "eyJkZC1wYXRod2F5LWN0eC1iYXNlNjQiOiAiWjdDelhtWEFyUHJFNThDZmoyTEkyY09majJJPSJ9"}}}}]})");
  EXPECT_THAT(group.tags, ElementsAre("direction:in", "topic:arn:aws:sns:eu-west-1:1:news", "type:sns"));
  EXPECT_EQ(group.parent_hash, kContextHash);
  EXPECT_NEAR(group.bytes, 5, 0.05);
}

TEST_F(DataStreamsTest, AStreamsRecordHasItsContextInTheData) {
  const std::string data =
      absl::StrCat(R"({"_datadog": {"dd-pathway-ctx-base64": ")", kContext, R"("}, "n": 1})");
  const Group group = GroupOf(absl::StrCat(R"({"Records": [{"eventSource": "aws:kinesis",
      "eventSourceARN": "arn:aws:kinesis:eu-west-1:1:stream/clicks", "kinesis": {"data": ")",
                                           absl::Base64Escape(data), R"("}}]})"));
  EXPECT_THAT(group.tags, ElementsAre("direction:in", "topic:clicks", "type:kinesis"));
  EXPECT_EQ(group.parent_hash, kContextHash);
  EXPECT_NEAR(group.bytes, data.size(), data.size() * 0.01);
}

std::string KafkaEvent(std::string_view name, std::string_view value) {
  std::string listed;
  for (const unsigned char byte : value) absl::StrAppend(&listed, listed.empty() ? "" : ",", byte);
  return absl::StrCat(
      R"({"eventSource": "aws:kafka", "records": {"clicks-0": [{"topic": "clicks", "value": "aGVsbG8=",
      "headers": [{")",
      name, R"(": [)", listed, "]}]}]}}");
}

TEST_F(DataStreamsTest, KafkasRecordsHaveTheGroupOfTheOption) {
  const Group group = GroupOf(KafkaEvent("dd-pathway-ctx-base64", kContext), {.kafka_group = "shoppers"});
  EXPECT_THAT(group.tags, ElementsAre("direction:in", "group:shoppers", "topic:clicks", "type:kafka"));
  EXPECT_EQ(group.parent_hash, kContextHash);
  EXPECT_NEAR(group.bytes, 5, 0.05);
  EXPECT_THAT(GroupOf(KafkaEvent("dd-pathway-ctx-base64", kContext)).tags,
              ElementsAre("direction:in", "topic:clicks", "type:kafka"));
}

TEST_F(DataStreamsTest, TheOldNameHoldsBytesOrBase64) {
  EXPECT_EQ(GroupOf(KafkaEvent("dd-pathway-ctx", Raw(kContext))).parent_hash, kContextHash);
  EXPECT_EQ(GroupOf(KafkaEvent("dd-pathway-ctx", kContext)).parent_hash, kContextHash);
}

TEST_F(DataStreamsTest, AHeaderThatARuntimeWroteInBase64IsDecoded) {
  EXPECT_EQ(GroupOf(absl::StrCat(R"({"eventSource": "aws:kafka", "records": {"c-0": [{"topic": "c",
      "headers": [{"dd-pathway-ctx-base64": ")",
                                 absl::Base64Escape(kContext), R"("}]}]}})"))
                .parent_hash,
            kContextHash);
}

TEST_F(DataStreamsTest, ABussEventHasTheBusOfTheRuleUnlessTheOptionNamesIt) {
  const std::string event = R"({"detail-type": "OrderPlaced", "source": "shop",
      "resources": ["arn:aws:s3:::x", "arn:aws:events:eu-west-1:1:rule/orders-bus/placed"],
      "detail": {"_datadog": {"dd-pathway-ctx-base64": "CONTEXT"}}})";
  const Group group = GroupOf(event);
  EXPECT_THAT(group.tags,
              ElementsAre("direction:in", "exchange:orders-bus", "topic:OrderPlaced", "type:eventbridge"));
  EXPECT_EQ(group.parent_hash, kContextHash);
  EXPECT_THAT(GroupOf(event, {.exchange = "mine"}).tags, testing::Contains("exchange:mine"));
  EXPECT_THAT(GroupOf(R"({"detail-type": "OrderPlaced", "source": "shop", "detail": {},
      "resources": ["arn:aws:events:eu-west-1:1:rule/placed"]})")
                  .tags,
              testing::Contains("exchange:default"));
}

TEST_F(DataStreamsTest, OtherEventsHaveNone) {
  for (const std::string_view event :
       {"{}", "[]", "null", R"({"httpMethod": "GET"})", R"({"Records": [{"s3": {"bucket": {"name": "b"}}}]})",
        R"({"Records": [{"eventSource": "aws:sqs", "body": "no queue"}]})", R"({"Records": 7})",
        R"({"records": {"c-0": [{"topic": 7}]}})", R"({"detail-type": 7, "source": "shop"})"})
    EXPECT_THAT(GroupsOf(event), IsEmpty()) << event;
}

}  // namespace
}  // namespace thaw
