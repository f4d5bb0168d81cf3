#include "cc/metrics/statsd_item.h"

#include <string>
#include <string_view>
#include <vector>

#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using testing::IsEmpty;

const std::string kFunctionTags =
    EncodeStatsdTags(std::vector<std::string>{"functionname:shop", "region:eu-west-1"});
const absl::Time kNow = absl::FromUnixMillis(1767323045678);

TEST(StatsdItem, AnEventHasTheMembersThatTheAgentSends) {
  const std::string_view tags[] = {"a:b"};
  const StatsdItem item = EventItem({.title = "t \"1\"",
                                     .text = "one\ntwo",
                                     .time = absl::FromUnixSeconds(7),
                                     .host = "h",
                                     .aggregation_key = "k",
                                     .priority = "low",
                                     .source_type = "nagios",
                                     .alert_type = "error",
                                     .tags = tags},
                                    kFunctionTags, kNow);
  EXPECT_EQ(item.source, "nagios");
  EXPECT_EQ(item.json,
            R"({"msg_title":"t \"1\"","msg_text":"one\ntwo","timestamp":7,"priority":"low","host":"h",)"
            R"("tags":["a:b","functionname:shop","region:eu-west-1"],"alert_type":"error",)"
            R"("aggregation_key":"k","source_type_name":"nagios"})");
}

TEST(StatsdItem, MissingFieldsOfAnEventHaveTheDefaults) {
  const StatsdItem item = EventItem({.title = "t"}, {}, kNow);
  EXPECT_EQ(item.source, "api");
  EXPECT_EQ(item.json,
            R"({"msg_title":"t","msg_text":"","timestamp":1767323045,"priority":"normal","host":"",)"
            R"("tags":[],"alert_type":"info"})");
}

TEST(StatsdItem, AServiceCheckHasTheMembersThatTheAgentSends) {
  const std::string_view tags[] = {"a:b"};
  const StatsdItem item = ServiceCheckItem({.name = "db.up",
                                            .status = ServiceCheckStatus::kCritical,
                                            .host = "h",
                                            .message = "gone",
                                            .tags = tags},
                                           kFunctionTags, kNow);
  EXPECT_EQ(item.source, "");
  EXPECT_EQ(item.json,
            R"({"check":"db.up","host_name":"h","timestamp":1767323045,"status":2,"message":"gone",)"
            R"("tags":["a:b","functionname:shop","region:eu-west-1"]})");
}

std::vector<const StatsdItem*> PointersTo(absl::Span<const StatsdItem> items) {
  std::vector<const StatsdItem*> pointers;
  for (const StatsdItem& item : items) pointers.push_back(&item);
  return pointers;
}

TEST(StatsdItem, BytesThatAreNotUtf8AreReplaced) {
  const StatsdItem event = EventItem({.title = "\xff", .source_type = "s\xfe"}, {}, kNow);
  EXPECT_EQ(event.source, "s\uFFFD");
  EXPECT_EQ(boost::json::parse(event.json).at("msg_title").as_string(), "\uFFFD");
  const StatsdItem check = ServiceCheckItem({.name = "n\xff"}, {}, kNow);
  EXPECT_EQ(boost::json::parse(check.json).at("check").as_string(), "n\uFFFD");
}

TEST(StatsdItem, TextsOfEveryKindAreJson) {
  const std::string_view tags[] = {"q:\"", "n:é"};
  const StatsdItem item = EventItem({.title = "\\\x01\x7f", .text = "é\xff", .tags = tags},
                                    EncodeStatsdTags(std::vector<std::string>{"b:\\"}), kNow);
  const boost::json::value value = boost::json::parse(item.json);
  EXPECT_EQ(value.at("msg_title").as_string(), "\\\x01\x7f");
  EXPECT_EQ(value.at("msg_text").as_string(), "é\uFFFD");
  EXPECT_EQ(boost::json::serialize(value.at("tags")), R"(["q:\"","n:é","b:\\"])");
}

TEST(StatsdItem, ABodyHasEventsBySourceAndGivesThemBack) {
  const StatsdItem items[] = {{"api", R"({"n":1})"}, {"b\"", R"({"n":2})"}, {"api", R"({"n":3})"}};
  const std::string body = EventsBody(PointersTo(items));
  EXPECT_EQ(body,
            R"({"apiKey":"","events":{"api":[{"n":1},{"n":3}],"b\"":[{"n":2}]},"internalHostname":""})");
  EXPECT_EQ(EventsBody(PointersTo(ItemsOfBody(body))), body);
  EXPECT_LE(body.size(), StatsdBodyBytes(PointersTo(items)));
  EXPECT_EQ(ItemsOfBody(body).size(), 3u);
}

TEST(StatsdItem, ABodyHasChecksInOrderAndGivesThemBack) {
  const StatsdItem items[] = {{"", R"({"n":1})"}, {"", R"({"n":2})"}};
  const std::string body = ServiceChecksBody(PointersTo(items));
  EXPECT_EQ(body, R"([{"n":1},{"n":2}])");
  EXPECT_EQ(ServiceChecksBody(PointersTo(ItemsOfBody(body))), body);
  EXPECT_LE(body.size(), StatsdBodyBytes(PointersTo(items)));
  for (const std::string_view bad : {"", "{", "7", "{}", R"({"events":[]})", R"({"events":{"api":7}})"})
    EXPECT_THAT(ItemsOfBody(bad), IsEmpty()) << bad;
}

}  // namespace
}  // namespace thaw
