#include "cc/lambda/invocation/trigger_parts.h"

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr std::string_view kArn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders";

absl::Time At(std::string_view time, TimeUnit unit) {
  return TimeAt(boost::json::parse(R"({"time":)" + std::string(time) + "}"), {"time"}, unit);
}

TEST(TriggerPartsTest, TextsAreCutToParts) {
  EXPECT_EQ(Part(kArn, ':', 2), "dynamodb");
  EXPECT_EQ(Part(kArn, '/', 1), "orders");
  EXPECT_EQ(Part(kArn, '/', 2), "");
  EXPECT_EQ(LastPart(kArn, ':'), "table/orders");
  EXPECT_EQ(LastPart("none", ':'), "none");
}

TEST(TriggerPartsTest, ATagWithoutAValueIsLeftOut) {
  SpanTags tags;
  Add(tags, "a", "1");
  Add(tags, "b", "");
  Add(tags, "a", "2");
  EXPECT_THAT(tags, ElementsAre(Pair("a", "1")));
}

TEST(TriggerPartsTest, TimesAreReadInEachOfTheirForms) {
  const absl::Time time = absl::FromUnixMillis(1767225600123);
  EXPECT_EQ(At("1767225600.123", TimeUnit::kSeconds), time);
  EXPECT_EQ(At("\"1767225600123\"", TimeUnit::kMilliseconds), time);
  EXPECT_EQ(At("1767225600123", TimeUnit::kSeconds), time);
  EXPECT_EQ(At("\"2026-01-01T00:00:00.123Z\"", TimeUnit::kSeconds), time);
  for (const std::string_view none : {"null", "\"\"", "0", "-1", "1e300", "\"infinite-future\""})
    EXPECT_EQ(At(none, TimeUnit::kMilliseconds), absl::InfinitePast()) << none;
}

TEST(TriggerPartsTest, ASpansServiceIsMappedOrItsInstanceOrItsKind) {
  const auto service = [](const ServiceNames& names, const TriggerOptions& options) {
    Trigger trigger{.source = "s3"};
    AddSpan(trigger, {.name = "aws.s3"}, names, options);
    EXPECT_THAT(trigger.spans, SizeIs(1));
    return trigger.spans.back().service;
  };
  const ServiceNames names = {"bucket", "lambda_s3", "bucket", "s3"};
  TriggerOptions options;
  EXPECT_EQ(service(names, options), "bucket");
  EXPECT_EQ(service({}, options), "s3");
  options.aws_service_representation = false;
  EXPECT_EQ(service(names, options), "s3");
  options.service_mapping = {{"lambda_s3", "storage"}};
  EXPECT_EQ(service(names, options), "storage");
  options.service_mapping.emplace("bucket", "photos");
  EXPECT_EQ(service(names, options), "photos");
}

TEST(TriggerPartsTest, AnObjectWithoutTraceHeadersIsNoCarrier) {
  Trigger trigger;
  AddCarrier(trigger, nullptr);
  const boost::json::value other = boost::json::parse(R"({"accept":"*/*"})");
  AddCarrier(trigger, &other);
  EXPECT_THAT(trigger.carriers, IsEmpty());
  const boost::json::value headers = boost::json::parse(R"({"traceparent":"t"})");
  AddCarrier(trigger, &headers);
  EXPECT_THAT(trigger.carriers, SizeIs(1));
}

}  // namespace
}  // namespace thaw
