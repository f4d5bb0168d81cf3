#include "cc/lambda/invocation/span_pointers.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<SpanPointer> OfEvent(std::string_view text) {
  absl::StatusOr<EventJson> event = ParseEventJson(text);
  EXPECT_TRUE(event.ok()) << event.status();
  return event.ok() ? SpanPointersOfEvent(event->root) : std::vector<SpanPointer>{};
}

std::optional<SpanPointer> OfItem(std::string_view keys) {
  return DynamoDbItemPointer("orders", boost::json::parse(keys).get_object());
}

TEST(SpanPointersTest, PublishedVectorOfS3) {
  EXPECT_EQ(S3ObjectPointer("some-bucket", "some-key.data", "ab12ef34"),
            (SpanPointer{"aws.s3.object", "e721375466d4116ab551213fdea08413"}));
  EXPECT_EQ(S3ObjectPointer("some-bucket", "some-key.data", "\"ab12ef34\"").hash,
            "e721375466d4116ab551213fdea08413");
  EXPECT_EQ(S3ObjectPointer("bucket", "key ü", "ab").hash, "ea0d894b72fbfaa0d25fd7c40fe58637");
}

// The hashes were computed with another implementation of SHA-256.
TEST(SpanPointersTest, DynamoDbItems) {
  EXPECT_EQ(OfItem(R"({"id":{"S":"a-1"}})"),
            (SpanPointer{"aws.dynamodb.item", "7a59260f21ce3a0910d2054780f4954e"}));
  // Keys are sorted by name, and numbers hashed as their text.
  for (const char* keys : {R"({"id":{"S":"a-1"},"row":{"N":"42"}})", R"({"row":{"N":"42"},"id":{"S":"a-1"}})",
                           R"({"row":{"N":42},"id":{"S":"a-1"}})"})
    EXPECT_EQ(OfItem(keys)->hash, "e69a2d794c7ecaf397cd05a9164677e7") << keys;
  EXPECT_EQ(OfItem(R"({"id":{"B":"aGVsbG8="}})")->hash, "d7bea6879358db4c4a7cdf665df7da68");
  for (const char* keys : {"{}", R"({"a":{"S":"1"},"b":{"S":"2"},"c":{"S":"3"}})", R"({"a":{"BOOL":true}})",
                           R"({"a":{"B":"%"}})", R"({"a":null})", R"({"a":[]})"})
    EXPECT_FALSE(OfItem(keys)) << keys;
}

TEST(SpanPointersTest, EveryRecordCountsAndABadOneLosesOnlyItself) {
  const std::string good =
      R"({"s3":{"bucket":{"name":"some-bucket"},"object":{"key":"some-key.data","eTag":"ab12ef34"}}})";
  EXPECT_THAT(
      OfEvent(absl::StrCat(
          R"({"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"deleted"}}},null,7,)", good, ",", good,
          R"(,{"eventSourceARN":"arn:aws:dynamodb:eu-west-1:1:table/orders/stream/2026","dynamodb":{"Keys":)",
          R"({"id":{"S":"a-1"}}}},{"dynamodb":{"Keys":{"id":{"S":"x"}}}},{"dynamodb":{"Keys":[]}}]})")),
      ElementsAre(SpanPointer{"aws.s3.object", "e721375466d4116ab551213fdea08413"},
                  SpanPointer{"aws.dynamodb.item", "7a59260f21ce3a0910d2054780f4954e"}));
  for (const char* none :
       {"{}", "[]", "null", R"({"Records":[]})", R"({"Records":{}})", R"({"Records":[[]]})"})
    EXPECT_THAT(OfEvent(none), IsEmpty()) << none;
}

TEST(SpanPointersTest, NumberIsBounded) {
  std::string records;
  for (int i = 0; i < 120; ++i)
    absl::StrAppend(&records, i == 0 ? "" : ",", R"({"s3":{"bucket":{"name":"b"},"object":{"key":"k)", i,
                    R"(","eTag":"e"}}})");
  EXPECT_EQ(OfEvent(absl::StrCat("{\"Records\":[", records, "]}")).size(), kMaxSpanPointers);
}

TEST(SpanPointersTest, LinksThatAreThereStay) {
  const std::vector<SpanPointer> pointers = {{"aws.s3.object", "ab"}};
  const boost::json::value link = boost::json::parse(
      R"({"trace_id":"00000000000000000000000000000000","span_id":"0000000000000000","attributes":
          {"link.kind":"span-pointer","ptr.dir":"u","ptr.hash":"ab","ptr.kind":"aws.s3.object"}})");
  EXPECT_EQ(boost::json::parse(SpanLinksWithPointers("", pointers)), (boost::json::array{link}));
  EXPECT_EQ(boost::json::parse(SpanLinksWithPointers(R"([{"a":1}])", pointers)),
            (boost::json::array{{{"a", 1}}, link}));
  for (const char* bad : {"{}", "[", "7", "null"})
    EXPECT_EQ(boost::json::parse(SpanLinksWithPointers(bad, pointers)), (boost::json::array{link})) << bad;
  EXPECT_EQ(SpanLinksWithPointers("", {}), "[]");
}

}  // namespace
}  // namespace thaw
