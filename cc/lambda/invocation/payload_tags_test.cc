#include "cc/lambda/invocation/payload_tags.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

SpanTags Tags(std::string_view text, PayloadTagOptions options = {}, int64_t left_out = 0) {
  options.enabled = true;
  absl::StatusOr<EventJson> payload = ParseEventJson(text);
  EXPECT_TRUE(payload.ok()) << payload.status();
  SpanTags tags;
  EXPECT_EQ(AddPayloadTags("function.request", payload->root, options, tags), left_out);
  return tags;
}

TEST(PayloadTagsTest, OffUnlessAskedFor) {
  SpanTags tags;
  EXPECT_EQ(AddPayloadTags("function.request", ParseEventJson(R"({"a":1})")->root, {}, tags), 0);
  EXPECT_THAT(tags, IsEmpty());
}

TEST(PayloadTagsTest, Flattens) {
  EXPECT_THAT(Tags(R"({"a":[{"b":1},"x",null,true,1.5],"c":[],"d":{},"e":""})"),
              ElementsAre(Pair("function.request.a.0.b", "1"), Pair("function.request.a.1", "x"),
                          Pair("function.request.a.2", "null"), Pair("function.request.a.3", "true"),
                          Pair("function.request.a.4", "1.5"), Pair("function.request.c", "[]"),
                          Pair("function.request.d", "{}"), Pair("function.request.e", "")));
  EXPECT_THAT(Tags("7"), ElementsAre(Pair("function.request", "7")));
}

TEST(PayloadTagsTest, DeeperThanAllowedIsOneValue) {
  EXPECT_THAT(Tags(R"({"a":{"b":{"c":[1]}},"d":2})", {.max_depth = 2}),
              ElementsAre(Pair("function.request.a.b", R"({"c":[1]})"), Pair("function.request.d", "2")));
  EXPECT_THAT(Tags(R"({"a":1})", {.max_depth = 0}), ElementsAre(Pair("function.request", R"({"a":1})")));
}

TEST(PayloadTagsTest, TextsThatHoldJsonAreTakenApart) {
  EXPECT_THAT(Tags(R"({"body":"{\"a\":[1,\"[2]\"]}","text":"{no","number":"7"})"),
              ElementsAre(Pair("function.request.body.a.0", "1"), Pair("function.request.body.a.1.0", "2"),
                          Pair("function.request.number", "7"), Pair("function.request.text", "{no")));
}

TEST(PayloadTagsTest, SecretsAreHiddenInAnyCaseAndOfAnyType) {
  EXPECT_THAT(
      Tags(R"({"Password":"x","token":{"a":"x"},"PWD":12,"h":{"X-Authorization":["x"]},"secrets":"seen"})"),
      ElementsAre(Pair("function.request.PWD", "redacted"), Pair("function.request.Password", "redacted"),
                  Pair("function.request.h.X-Authorization", "redacted"),
                  Pair("function.request.secrets", "seen"), Pair("function.request.token", "redacted")));
  // The same holds where a value that is too deep is one tag.
  EXPECT_THAT(
      Tags(R"({"a":[{"api_key":"x"}],"b":[{"c":1}]})", {.max_depth = 1}),
      ElementsAre(Pair("function.request.a", "redacted"), Pair("function.request.b", R"([{"c":1}])")));
}

TEST(PayloadTagsTest, LongValuesAreCutBetweenCharacters) {
  EXPECT_THAT(Tags(R"({"a":"xxü"})", {.max_value = 3}), ElementsAre(Pair("function.request.a", "xx")));
  EXPECT_THAT(Tags(R"({"a":"xxü"})", {.max_value = 4}), ElementsAre(Pair("function.request.a", "xxü")));
  EXPECT_EQ(Tags(absl::StrCat("{\"a\":\"", std::string(10'000, 'x'), "\"}")).at("function.request.a").size(),
            4096u);
  const std::string deep = absl::StrCat("{\"a\":[\"", std::string(10'000, 'x'), "\"]}");
  EXPECT_EQ(Tags(deep, {.max_depth = 1}).at("function.request.a").size(), 4096u);
}

// A Kafka record's headers are lists of bytes, kept whole for their readers.
TEST(PayloadTagsTest, AListOfBytesDoesNotTakeAllTheRoom) {
  std::string bytes = "[0";
  for (int i = 1; i < 1000; ++i) bytes += ",0";
  const SpanTags tags =
      Tags(absl::StrCat("{\"r\":[{\"h\":", bytes, "],\"x\":\"y\"}]}"), {}, /*left_out=*/872);
  EXPECT_THAT(tags, SizeIs(129));
  EXPECT_EQ(tags.at("function.request.r.0.x"), "y");
}

TEST(PayloadTagsTest, NumberAndBytesAreBounded) {
  EXPECT_THAT(Tags("[1,2,3,4]", {.max_tags = 2}, /*left_out=*/2), SizeIs(2));
  EXPECT_THAT(Tags(R"({"a":"12345","b":"1"})", {.max_bytes = 23}, /*left_out=*/1),
              ElementsAre(Pair("function.request.a", "12345")));
}

}  // namespace
}  // namespace thaw
