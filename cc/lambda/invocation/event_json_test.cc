#include "cc/lambda/invocation/event_json.h"

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;

EventJson Parse(std::string_view text, const EventJsonLimits& limits = {}) {
  absl::StatusOr<EventJson> parsed = ParseEventJson(text, limits);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? *std::move(parsed) : EventJson{};
}

std::string Repeat(std::string_view text, size_t times) {
  std::string all;
  for (; times > 0; --times) all.append(text);
  return all;
}

TEST(EventJsonTest, WithinTheLimitsNothingIsLost) {
  for (const char* text : {"null", "true", "-1", "1.5E0", "\"\"", "[]", "{}", "[[],[{}],[1,[2,[3]]]]",
                           "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"e\",\"f\\n\\u00fc\":\"g\\th\\u20ac\"}",
                           "18446744073709551615"}) {
    const EventJson parsed = Parse(text);
    EXPECT_EQ(parsed.root, boost::json::parse(text)) << text;
    EXPECT_EQ(parsed.values_left_out, 0) << text;
  }
}

TEST(EventJsonTest, AByteOrderMarkIsPassedOver) {
  EXPECT_EQ(Parse("\xEF\xBB\xBF {\"a\":1}").root, boost::json::parse("{\"a\":1}"));
  EXPECT_THAT(ParseEventJson("\xEF\xBB\xBF{} x").status().message(), HasSubstr("at byte 6: more follows"));
  for (const char* text : {"\xEF\xBB{}", "\xEF\xBB\xBF\xEF\xBB\xBF{}", "\xEF\xBB\xBF"})
    EXPECT_FALSE(ParseEventJson(text).ok()) << text;
}

TEST(EventJsonTest, LongArraysAreCut) {
  const EventJson parsed = Parse("{\"a\":[1,{\"x\":[7]},[3],[[4]],\"\\u0041b\"],\"b\":[5]}",
                                 {.max_elements = 2, .max_scalars = 2});
  EXPECT_EQ(boost::json::serialize(parsed.root), R"({"a":[1,{"x":[7]}],"b":[5]})");
  EXPECT_EQ(parsed.values_left_out, 3);
}

// The headers of Kafka's records are lists of bytes.
TEST(EventJsonTest, ListsOfPlainValuesAreNotCutLikeRecords) {
  for (const std::string_view element : {"1", "\"1\"", "\"\\u0031\""}) {
    const std::string bytes = absl::StrCat("[", Repeat(absl::StrCat(element, ","), 999), element, "]");
    const EventJson parsed = Parse(
        absl::StrCat("{\"a\":[{\"b\":", bytes, ",\"c\":[", Repeat("{},", 999), "{}]}],\"d\":", bytes, "}"));
    EXPECT_EQ(FindAt(parsed.root.at("a").at(0), {"b"})->get_array().size(), 1000u);
    EXPECT_EQ(FindAt(parsed.root.at("a").at(0), {"c"})->get_array().size(), 128u);
    EXPECT_EQ(FindAt(parsed.root, {"d"})->get_array().size(), 1000u);
    EXPECT_EQ(parsed.values_left_out, 872);
  }
}

TEST(EventJsonTest, AListThatDoesNotFitIsLeftOutAsAWhole) {
  const EventJsonLimits limits = {.max_elements = 1, .max_scalars = 2};
  for (const auto& [text, tree, left_out] : std::vector<std::tuple<std::string_view, std::string_view, int>>{
           {"[[1,2,3]]", "[null]", 3},
           {"[1,2,3]", "null", 3},
           {R"({"a":["1","2","3"],"b":[1,2]})", R"({"a":null,"b":[1,2]})", 3},
           {R"({"a":[1,null,true]})", R"({"a":null})", 3},
           {"[[1,2,3,{}]]", "[null]", 4},
           {R"([{"a":[1,2,3],"b":"c"}])", R"([{"a":null,"b":"c"}])", 3},
           {R"({"a":[],"b":{"":[1,2]}})", R"({"a":[],"b":{"":[1,2]}})", 0}}) {
    const EventJson parsed = Parse(text, limits);
    EXPECT_EQ(boost::json::serialize(parsed.root), tree) << text;
    EXPECT_EQ(parsed.values_left_out, left_out) << text;
  }
}

TEST(EventJsonTest, ValuesAfterTheLimitAreLeftOut) {
  const EventJson parsed =
      Parse(R"({"a":1,"b":[2,3,4],"c":{"d":{"e":"\u0041"}},"f\u0041":"g"})", {.max_values = 4});
  EXPECT_EQ(boost::json::serialize(parsed.root), R"({"a":1,"b":null})");
  EXPECT_EQ(parsed.values_left_out, 5);
}

TEST(EventJsonTest, DeeplyNestedValuesAreNull) {
  const EventJson parsed = Parse(R"({"a":{"b":{"c":[1]}},"d":[[[2]]],"e":3})", {.max_depth = 2});
  EXPECT_EQ(boost::json::serialize(parsed.root), R"({"a":{"b":null},"d":[null],"e":3})");
  EXPECT_EQ(parsed.values_left_out, 2);
}

TEST(EventJsonTest, DeepJsonNeitherEndsTheProcessNorIsLost) {
  const size_t deep = kMaxEventJsonDepth - 2;
  const EventJson parsed =
      Parse(absl::StrCat("{\"a\":", Repeat("[", deep), Repeat("]", deep), ",\"b\":\"c\"}"));
  EXPECT_EQ(TextAt(parsed.root, {"b"}), "c");
  const absl::Status status = ParseEventJson(Repeat("[", 1'000'000)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("at byte"));
}

TEST(EventJsonTest, LargestEventIsSmall) {
  // Each of these texts has two million values.
  for (const char* part : {"0,", "{},", "[],"}) {
    const std::string body = absl::StrCat("{\"Records\":[", Repeat(part, (6 << 20) / 3), "0],\"b\":\"c\"}");
    const EventJson parsed = Parse(body);
    const boost::json::value* const records = FindAt(parsed.root, {"Records"});
    if (part == std::string_view("0,")) {
      EXPECT_TRUE(records->is_null());
    } else {
      EXPECT_EQ(records->get_array().size(), EventJsonLimits().max_elements);
    }
    EXPECT_EQ(TextAt(parsed.root, {"b"}), "c");
  }
  std::string members = "{\"b\":\"c\"";
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&members, ",\"", i, "\":0");
  const EventJson parsed = Parse(members + "}");
  EXPECT_EQ(parsed.root.get_object().size(), EventJsonLimits().max_values);
  EXPECT_EQ(TextAt(parsed.root, {"b"}), "c");
}

TEST(EventJsonTest, BadJsonIsRefusedWithItsPlace) {
  for (const char* text :
       {"", " ", "{", "{\"a\"", "{\"a\":}", "[1,]", "nul", "\"abc", "{} x", "[1]]", "01", "\"\\x\""}) {
    const absl::Status status = ParseEventJson(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr("at byte ")) << text;
  }
  EXPECT_THAT(ParseEventJson("[1] 2").status().message(), HasSubstr("at byte 4"));
}

TEST(EventJsonTest, TextThatIsNotUtf8LosesNothingElse) {
  const EventJson parsed = Parse("{\"a\":\"\xff\xfe\",\"b\":\"c\",\"d\":\"\\ud800\"}");
  EXPECT_EQ(TextAt(parsed.root, {"a"}), "\xff\xfe");
  EXPECT_EQ(TextAt(parsed.root, {"b"}), "c");
}

TEST(EventJsonTest, Lookups) {
  const EventJson parsed = Parse(R"({"a":{"b":"text","n":12,"t":true,"s":"1.5","x":"y1","z":null},"c":[1]})");
  EXPECT_EQ(TextAt(parsed.root, {"a", "b"}), "text");
  EXPECT_EQ(TextAt(parsed.root, {"a", "n"}), "");
  EXPECT_EQ(TextAt(parsed.root, {"a", "b", "c"}), "");
  EXPECT_EQ(TextAt(parsed.root, {"c", "b"}), "");
  EXPECT_EQ(FindAt(parsed.root, {}), &parsed.root);
  EXPECT_EQ(FindAt(parsed.root, {"d"}), nullptr);
  EXPECT_EQ(ScalarAt(parsed.root, {"a", "n"}), "12");
  EXPECT_EQ(ScalarText(boost::json::value(1.5)), "1.5");
  EXPECT_EQ(ScalarText(boost::json::value(-1e300)), "-1e+300");
  EXPECT_EQ(ScalarAt(parsed.root, {"a", "t"}), "true");
  EXPECT_EQ(ScalarAt(parsed.root, {"a", "z"}), "");
  EXPECT_EQ(ScalarAt(parsed.root, {"c"}), "");
  EXPECT_EQ(NumberAt(parsed.root, {"a", "n"}), 12.0);
  EXPECT_EQ(NumberAt(parsed.root, {"a", "s"}), 1.5);
  EXPECT_EQ(NumberAt(parsed.root, {"a", "x"}), std::nullopt);
  EXPECT_EQ(NumberAt(parsed.root, {"a", "z"}), std::nullopt);
  EXPECT_EQ(NumberAt(Parse(R"({"a":"inf","b":"nan"})").root, {"a"}), std::nullopt);
}

TEST(EventJsonWork, AnyStepsComeToTheSame) {
  for (
      const std::string_view text :
      {R"( {"key":"value","k\u00e9y é":["a\"b\\c","","é\ud83d\ude00x",-1.25e3,12345678901,true,null,{}],"z":[[1],[2]]} )",
       "\xEF\xBB\xBF[\"\xff\",1 ] ", R"({"a" 1})", R"(["x)", "7", "[1] 2", "", R"("plain \n text")"}) {
    const absl::StatusOr<EventJson> whole = ParseEventJson(text);
    for (size_t step = 1; step <= 9; ++step) {
      EventJsonWork work(text);
      size_t steps = 0;
      while (!work.Step(step)) ASSERT_LE(++steps, text.size()) << text;
      const absl::StatusOr<EventJson> parsed = work.Take();
      ASSERT_EQ(parsed.status().code(), whole.status().code()) << text << " in steps of " << step;
      if (!whole.ok()) continue;
      EXPECT_EQ(boost::json::serialize(parsed->root), boost::json::serialize(whole->root));
      EXPECT_EQ(parsed->values_left_out, whole->values_left_out);
    }
  }
}

TEST(EventJsonWork, AStepReadsNoMoreThanItSays) {
  for (const char* part : {"{},", "1,", "\"text\",", "      "}) {
    const std::string text = absl::StrCat("[", Repeat(part, 100'000), "1]");
    EventJsonWork work(text);
    size_t steps = 1;
    while (!work.Step(1'000)) ++steps;
    EXPECT_GE(steps, text.size() / 1'000) << part;
  }
}

}  // namespace
}  // namespace thaw
