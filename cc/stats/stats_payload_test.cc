#include "cc/stats/stats_payload.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/clock/linear_work.h"
#include "cc/stats/stats_test_bodies.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

StatsPayload Parse(const std::string& body) {
  absl::StatusOr<StatsPayload> payload = StatsPayload::FromMsgpack(body);
  EXPECT_TRUE(payload.ok()) << payload.status();
  return *std::move(payload);
}

TEST(StatsPayload, TheHostNameIsEmptyAndStartsStay) {
  const StatsPayload payload =
      Parse(StatsBody({StatsBucket(1'700'000'000'123'456'789, {StatsGroup("GET /")})},
                      {{"Lang", Text("python")}, {"unknown", Int(1)}}));
  EXPECT_EQ(payload.counts().buckets, 1);
  EXPECT_EQ(payload.counts().groups, 1);
  const std::string expected =
      Encoded(Map({{"Hostname", Text("")},
                   {"Env", Text("prod")},
                   {"Lang", Text("python")},
                   {"Stats", Array({Map({{"Start", Int(1'700'000'000'123'456'789)},
                                         {"Duration", Int(10'000'000'000)},
                                         {"Stats", Array({StatsGroup("GET /")})}})})}}));
  EXPECT_EQ(payload.bytes(), expected);
}

TEST(StatsPayload, EveryOptionalFieldIsKept) {
  const Pairs optional = {{"Type", Text("web")},
                          {"DBType", Text("pg")},
                          {"SpanKind", Text("server")},
                          {"PeerTags", Array({Text("a:b")})},
                          {"IsTraceRoot", Int(1)},
                          {"GRPCStatusCode", Text("0")},
                          {"HTTPMethod", Text("GET")},
                          {"HTTPEndpoint", Text("/x")},
                          {"srv_src", Text("m")},
                          {"SpanDerivedPrimaryTags", Array({Text("x")})},
                          {"AdditionalMetricTags", Array({Text("y")})}};
  const StatsPayload payload = Parse(StatsBody({StatsBucket(1, {StatsGroup("r", optional)})}));
  const std::string bytes(payload.bytes());
  for (const auto& [key, write] : optional) {
    MsgpackWriter pair;
    pair.String(key);
    write(pair);
    EXPECT_NE(bytes.find(pair.bytes()), std::string::npos) << key;
  }
  // A payload reads the same again.
  EXPECT_EQ(Parse(bytes).bytes(), bytes);
}

TEST(StatsPayload, SummariesMayBeArraysOfIntegers) {
  const StatsPayload payload =
      Parse(StatsBody({StatsBucket(1, {StatsGroup("r", {{"OkSummary", Array({Int(1), Int(255)})}}),
                                       StatsGroup("bad", {{"OkSummary", Array({Int(256)})}}),
                                       StatsGroup("bad", {{"OkSummary", Array({Text("x")})}})})}));
  EXPECT_EQ(payload.counts().groups, 1);
  EXPECT_EQ(payload.counts().groups_left_out, 2);
  EXPECT_NE(payload.bytes().find("\xC4\x02\x01\xFF"), std::string_view::npos);
}

TEST(StatsPayload, ABadGroupOrBucketLosesNoOther) {
  for (const char* required : {"Service", "Name", "Resource", "HTTPStatusCode", "Hits", "Errors", "Duration",
                               "OkSummary", "ErrorSummary", "Synthetics", "TopLevelHits"}) {
    const StatsPayload payload = Parse(StatsBody(
        {StatsBucket(1, {StatsGroup("a"), StatsGroup("b", {{required, nullptr}}), StatsGroup("c")})}));
    EXPECT_EQ(payload.counts().groups, 2);
    EXPECT_EQ(payload.counts().groups_left_out, 1);
    EXPECT_NE(payload.first_problem().find(required), std::string::npos) << payload.first_problem();
    EXPECT_EQ(Parse(std::string(payload.bytes())).counts().groups, 2);
  }
  const StatsPayload payload = Parse(StatsBody(
      {Int(1), StatsBucket(1, {Int(2), StatsGroup("a")}), Map({{"Start", Int(1)}, {"Duration", Int(1)}}),
       Map({{"Start", Text("x")}, {"Duration", Int(1)}, {"Stats", Array({})}})}));
  EXPECT_EQ(payload.counts().buckets, 1);
  EXPECT_EQ(payload.counts().buckets_left_out, 3);
  EXPECT_EQ(payload.counts().groups, 1);
  EXPECT_EQ(payload.counts().groups_left_out, 1);
}

TEST(StatsPayload, ValuesOfOtherTypesAreConvertedWhereNoMeaningIsLost) {
  const auto real = [](double value) -> WriteValue {
    return [value](MsgpackWriter& out) { out.Double(value); };
  };
  const WriteValue yes = [](MsgpackWriter& out) { out.Bool(true); };
  EXPECT_EQ(Parse(StatsBody({StatsBucket(1, {StatsGroup("r", {{"Hits", real(3)},
                                                              {"Duration", Text("18446744073709551615")},
                                                              {"HTTPStatusCode", Text("200")},
                                                              {"Type", Int(-7)},
                                                              {"DBType", yes},
                                                              {"SpanKind", real(0.5)},
                                                              {"PeerTags", Map({})},
                                                              {"Synthetics", real(1)}})})}))
                .bytes(),
            Parse(StatsBody({StatsBucket(1, {StatsGroup("r", {{"Hits", Int(3)},
                                                              {"Duration", Unsigned(UINT64_MAX)},
                                                              {"HTTPStatusCode", Int(200)},
                                                              {"Type", Text("-7")},
                                                              {"DBType", Text("true")},
                                                              {"SpanKind", Text("0.5")},
                                                              {"PeerTags", Array({})},
                                                              {"Synthetics", yes}})})}))
                .bytes());
  EXPECT_TRUE(Parse(Encoded(Map({{"Stats", Map({})}}))).empty());
  MsgpackWriter number;
  number.Map(1);
  number.Signed(5);
  number.Signed(1);
  EXPECT_TRUE(Parse(number.bytes()).empty()) << "no field has a number as its key";
  for (const auto& [key, value] :
       std::vector<std::pair<const char*, WriteValue>>{{"Hits", real(1.5)},
                                                       {"Hits", real(-1)},
                                                       {"Hits", real(1e30)},
                                                       {"Hits", Text("many")},
                                                       {"Hits", Text("-1")},
                                                       {"Duration", Text("")},
                                                       {"Service", Array({})},
                                                       {"Synthetics", Text("yes")}}) {
    const StatsPayload payload =
        Parse(StatsBody({StatsBucket(1, {StatsGroup("a"), StatsGroup("b", {{key, value}})})}));
    EXPECT_EQ(payload.counts().groups_left_out, 1) << key;
    EXPECT_NE(payload.first_problem(), "") << key;
  }
}

TEST(StatsPayload, NilIsTheZeroValueOfRequiredFieldsToo) {
  Pairs nils;
  for (const char* key : {"Service", "Name", "Resource", "HTTPStatusCode", "Hits", "Errors", "Duration",
                          "OkSummary", "ErrorSummary", "Synthetics", "TopLevelHits", "Type", "PeerTags"})
    nils.emplace_back(key, Nil());
  const StatsPayload payload =
      Parse(Encoded(Map({{"Stats", Array({Map({{"Start", Nil()}, {"Duration", Nil()}, {"Stats", Nil()}}),
                                          StatsBucket(1, {StatsGroup("r", nils)})})},
                         {"Tags", Array({Nil(), Text("a:b")})},
                         {"Env", Text("overruled")},
                         {"Env", Nil()}})));
  EXPECT_EQ(payload.first_problem(), "");
  const WriteValue no = [](MsgpackWriter& out) { out.Bool(false); };
  const std::string expected =
      Encoded(Map({{"Hostname", Text("")},
                   {"Tags", Array({Text(""), Text("a:b")})},
                   {"Stats", Array({Map({{"Start", Int(0)}, {"Duration", Int(0)}, {"Stats", Array({})}}),
                                    StatsBucket(1, {Map({{"Service", Text("")},
                                                         {"Name", Text("")},
                                                         {"Resource", Text("")},
                                                         {"HTTPStatusCode", Int(0)},
                                                         {"Hits", Int(0)},
                                                         {"Errors", Int(0)},
                                                         {"Duration", Int(0)},
                                                         {"OkSummary", Bytes("")},
                                                         {"ErrorSummary", Bytes("")},
                                                         {"Synthetics", no},
                                                         {"TopLevelHits", Int(0)}})})})}}));
  EXPECT_EQ(payload.bytes(), expected);
}

TEST(StatsPayload, NumbersOutOfRangeAreWrongTypes) {
  const std::pair<const char*, WriteValue> bad[] = {{"Hits", Int(-1)},
                                                    {"Errors", Int(std::numeric_limits<int64_t>::min())},
                                                    {"HTTPStatusCode", Unsigned(uint64_t{1} << 32)},
                                                    {"IsTraceRoot", Int(-1)}};
  for (const auto& [key, value] : bad) {
    const StatsPayload payload =
        Parse(StatsBody({StatsBucket(1, {StatsGroup("a"), StatsGroup("b", {{key, value}})})}));
    EXPECT_EQ(payload.counts().groups, 1) << key;
    EXPECT_EQ(payload.counts().groups_left_out, 1) << key;
    EXPECT_TRUE(payload.first_problem().ends_with(" is out of range")) << payload.first_problem();
  }
  const auto bucket = [](WriteValue start, WriteValue shift) {
    return Map({{"Start", start}, {"Duration", Int(1)}, {"AgentTimeShift", shift}, {"Stats", Array({})}});
  };
  const uint64_t largest = std::numeric_limits<uint64_t>::max();
  const StatsPayload payload =
      Parse(StatsBody({bucket(Int(-1), Int(1)), bucket(Int(1), Unsigned(uint64_t{1} << 63)),
                       bucket(Unsigned(largest), Int(-1))}));
  EXPECT_EQ(payload.counts().buckets_left_out, 2);
  EXPECT_EQ(payload.bytes(), Encoded(Map({{"Hostname", Text("")},
                                          {"Env", Text("prod")},
                                          {"Stats", Array({Map({{"Start", Unsigned(largest)},
                                                                {"Duration", Int(1)},
                                                                {"AgentTimeShift", Int(-1)},
                                                                {"Stats", Array({})}})})}})));
  EXPECT_EQ(StatsPayload::FromMsgpack(StatsBody({}, {{"Sequence", Int(-1)}})).status().code(),
            absl::StatusCode::kInvalidArgument);
  // A hash has no sign.
  EXPECT_EQ(Parse(StatsBody({}, {{"ProcessTagsHash", Int(-1)}})).bytes(),
            Parse(StatsBody({}, {{"ProcessTagsHash", Unsigned(largest)}})).bytes());
}

TEST(StatsPayload, EmptyIsEmpty) {
  EXPECT_TRUE(Parse("\x80").empty());
  EXPECT_TRUE(Parse(StatsBody({})).empty());
  EXPECT_TRUE(Parse(Encoded(Map({{"Stats", Nil()}}))).empty());
}

TEST(StatsPayload, StringsAreRepairedAndTheLastOfAKeyCounts) {
  const StatsPayload payload = Parse(Encoded(Map({{"Env", Text("one")}, {"Env", Text("a\xFF")}})));
  EXPECT_EQ(payload.counts().strings_repaired, 1);
  EXPECT_NE(payload.bytes().find("a\xEF\xBF\xBD"), std::string_view::npos);
  EXPECT_EQ(payload.bytes().find("one"), std::string_view::npos);
}

TEST(StatsPayload, AnUnreadableBodyIsRefusedByName) {
  const auto refusal = [](const std::string& body) {
    const absl::StatusOr<StatsPayload> payload = StatsPayload::FromMsgpack(body);
    EXPECT_EQ(payload.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(payload.status().message());
  };
  EXPECT_EQ(refusal(""), "at byte 0: expected a map, the input of 0 bytes ends first");
  EXPECT_EQ(refusal("\x90"), "at byte 0: expected a map, found an array");
  EXPECT_EQ(refusal(Encoded(Map({{"Env", Array({})}}))), "at byte 5: expected a string, found an array");
  EXPECT_EQ(refusal(Encoded(Map({{"Stats", Int(1)}}))), "at byte 7: expected an array, found an integer");
  const std::string whole = StatsBody({StatsBucket(1, {StatsGroup("a")})});
  for (size_t cut = 0; cut < whole.size(); ++cut) refusal(whole.substr(0, cut));
  EXPECT_NE(refusal("\x81\xA1x" + std::string(1000, '\x91') + "\x01").find("nested deeper"),
            std::string::npos);
}

TEST(StatsPayload, FieldsThatEachPartRepeatsAreLimited) {
  const auto with_version = [](size_t bytes) {
    return StatsPayload::FromMsgpack(
        StatsBody({StatsBucket(1, {StatsGroup("a")})}, {{"Version", Text(std::string(bytes, 'v'))}}));
  };
  EXPECT_TRUE(with_version(250'000).ok());
  const absl::Status refused = with_version(300'000).status();
  EXPECT_TRUE(absl::IsOutOfRange(refused)) << refused;
}

TEST(StatsPayload, AGroupOfMoreThanAMegabyteLosesNoOther) {
  const WriteValue large = StatsGroup("large", {{"OkSummary", Bytes(std::string(2'000'000, 's'))}});
  const absl::StatusOr<StatsPayload> payload =
      StatsPayload::FromMsgpack(StatsBody({StatsBucket(1, {StatsGroup("a"), large, StatsGroup("b")})}));
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ(payload->counts().groups, 2);
  EXPECT_EQ(payload->counts().groups_left_out, 1);
  EXPECT_NE(payload->first_problem().find("1048576"), std::string::npos) << payload->first_problem();
}

TEST(StatsWork, StepsOfOneValueComeToTheSame) {
  const std::string body = StatsBody(
      {Int(1),
       StatsBucket(1, {Int(2), StatsGroup("a"), StatsGroup("b", {{"Hits", nullptr}}), StatsGroup("c")}),
       Map({{"Start", Int(1)}, {"Duration", Int(1)}}), StatsBucket(2, {StatsGroup("d")})},
      {{"unknown", Array({Int(1), Map({{"x", Array({})}})})}, {"Tags", Array({Text("a:b")})}});
  const StatsPayload at_once = Parse(body);
  for (const uint64_t values : {1, 2, 7, 1000}) {
    StatsWork work(body);
    absl::StatusOr<bool> done = false;
    int steps = 0;
    for (; done.ok() && !*done; ++steps) done = work.Step(values);
    ASSERT_TRUE(done.ok()) << done.status();
    const StatsPayload payload = work.Take();
    EXPECT_EQ(payload.bytes(), at_once.bytes());
    EXPECT_EQ(payload.first_problem(), at_once.first_problem());
    EXPECT_EQ(payload.counts().groups, 3);
    EXPECT_EQ(payload.counts().groups_left_out, 2);
    EXPECT_EQ(payload.counts().buckets_left_out, 2);
    EXPECT_EQ(steps > 1, values < 1000);
  }
}

TEST(StatsWork, AStepIsShortWhateverTheBodyIs) {
  constexpr size_t kMany = 1'000'000;
  const auto many = [](std::string_view element) {
    std::string all = "\xDD";
    for (int shift = 24; shift >= 0; shift -= 8) all.push_back(static_cast<char>(kMany >> shift & 0xFF));
    for (size_t i = 0; i < kMany; ++i) all += element;
    return all;
  };
  const auto with = [](std::string_view key, const std::string& value) {
    return absl::StrCat("\x81", std::string(1, static_cast<char>(0xA0 + key.size())), key, value);
  };
  const std::string bucket =
      "\x83\xA5Start\x01\xA8"
      "Duration\x01\xA5Stats";
  for (const std::string& body :
       {with("Stats", many("\x80")), with("Stats", many("\x01")),
        with("Stats", "\x91" + bucket + many("\x80")), with("Stats", "\x91" + bucket + many("\xC0")),
        with("Stats", "\x91" + bucket + "\x91" + many("\x01")), with("unknown", many("\x90"))}) {
    StatsWork work(body);
    absl::StatusOr<bool> done = false;
    int64_t steps = 0, longest = 0;
    for (; done.ok() && !*done; ++steps) {
      const int64_t before = ThreadCpuMicroseconds();
      done = work.Step(10'000);
      longest = std::max(longest, ThreadCpuMicroseconds() - before);
    }
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_GE(steps, static_cast<int64_t>(kMany / 10'000));
    EXPECT_LT(longest, 25'000);
    EXPECT_EQ(work.Take().counts().groups, 0);
  }
}

TEST(StatsPayload, OversizedArraysAreLimited) {
  std::vector<WriteValue> tags(20'000, Text("a:b"));
  const StatsPayload payload = Parse(StatsBody(
      {StatsBucket(1, {StatsGroup("a", {{"PeerTags", Array(tags)}}), StatsGroup("b"),
                       StatsGroup("c", {{"x", Array(std::vector<WriteValue>(40'000, Int(1)))}})})}));
  EXPECT_EQ(payload.counts().groups, 1);
  EXPECT_EQ(payload.counts().groups_left_out, 2);
  EXPECT_NE(payload.first_problem().find("an array of 20000 texts"), std::string::npos);
  EXPECT_EQ(StatsPayload::FromMsgpack(Encoded(Map({{"Tags", Array(tags)}}))).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace thaw
