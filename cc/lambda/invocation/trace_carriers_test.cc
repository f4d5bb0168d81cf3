#include "cc/lambda/invocation/trace_carriers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

boost::json::value Json(std::string_view text) {
  absl::StatusOr<EventJson> event = ParseEventJson(text);
  EXPECT_TRUE(event.ok()) << event.status() << text;
  return event.ok() ? std::move(event->root) : nullptr;
}

HttpHeaders Carrier(std::string_view text) {
  const boost::json::value value = Json(text);
  return CarrierOf(&value);
}

std::vector<HttpHeaders> Kafka(std::string_view headers) {
  return KafkaCarriers(Json(absl::StrCat("{\"headers\":", headers, "}")));
}

TEST(TraceCarriersTest, HeadersOfATraceContextAreTaken) {
  const HttpHeaders carrier = Carrier(
      R"({"X-Datadog-Trace-Id":["7","8"],"traceparent":"t","Accept":"*/*","b3":null,"x-b3-traceid":9})");
  EXPECT_THAT(carrier, SizeIs(3));
  EXPECT_EQ(FindHeader(carrier, "x-datadog-trace-id"), "7");
  EXPECT_EQ(FindHeader(carrier, "traceparent"), "t");
  EXPECT_EQ(FindHeader(carrier, "x-b3-traceid"), "9");
  for (const char* text : {"null", "[]", "\"traceparent\"", "{}"})
    EXPECT_THAT(Carrier(text), IsEmpty()) << text;
  EXPECT_THAT(CarrierOf(nullptr), IsEmpty());
}

TEST(TraceCarriersTest, ATraceIsNamedByAnyStyle) {
  for (const char* text : {R"({"x-datadog-trace-id":"7"})", R"({"traceparent":"t"})", R"({"b3":"b"})",
                           R"({"x-b3-traceid":"9"})"})
    EXPECT_TRUE(NamesTrace(Carrier(text))) << text;
  for (const char* text : {"{}", R"({"x-datadog-trace-id":"no number"})", R"({"x-datadog-parent-id":"7"})",
                           R"({"traceparent":""})"})
    EXPECT_FALSE(NamesTrace(Carrier(text))) << text;
}

TEST(TraceCarriersTest, AMessagesAttributeIsTextOrBytes) {
  const std::string bytes = absl::Base64Escape(R"({"a":1})");
  for (const std::string& message :
       {std::string(R"({"messageAttributes":{"_datadog":{"dataType":"String","stringValue":"{\"a\":1}"}}})"),
        std::string(R"({"MessageAttributes":{"_datadog":{"Type":"String","Value":"{\"a\":1}"}}})"),
        absl::StrCat(R"({"messageAttributes":{"_datadog":{"dataType":"Binary","binaryValue":")", bytes,
                     "\"}}}"),
        absl::StrCat(R"({"MessageAttributes":{"_datadog":{"Type":"Binary","Value":")", bytes, "\"}}}")}) {
    EXPECT_EQ(boost::json::serialize(DatadogAttribute(Json(message))), R"({"a":1})") << message;
  }
  for (const char* message :
       {"{}", R"({"messageAttributes":{}})", R"({"messageAttributes":{"_datadog":{}}})"})
    EXPECT_TRUE(DatadogAttribute(Json(message)).is_null()) << message;
}

TEST(TraceCarriersTest, KafkaHeadersAreAListOrAnObjectOfBytes) {
  for (const char* headers :
       {R"([{"x-datadog-trace-id":[55]},{"other":[1]}])", R"({"x-datadog-trace-id":[55]})",
        R"([{"key":"x-datadog-trace-id","value":[55]}])"}) {
    const std::vector<HttpHeaders> carriers = Kafka(headers);
    ASSERT_THAT(carriers, SizeIs(1)) << headers;
    EXPECT_EQ(FindHeader(carriers[0], "x-datadog-trace-id"), "7") << headers;
  }
  EXPECT_THAT(Kafka(R"([{"other":[55]}])"), IsEmpty());
  EXPECT_THAT(KafkaCarriers(Json("{}")), IsEmpty());
}

// An id with a digit missing is another id.
TEST(TraceCarriersTest, AKafkaHeaderWithAMissingByteLosesOnlyItself) {
  const std::vector<HttpHeaders> carriers =
      Kafka(R"([{"x-datadog-trace-id":{"0":49,"2":50}},{"x-datadog-parent-id":{"0":49,"1":50}}])");
  ASSERT_THAT(carriers, SizeIs(1));
  EXPECT_EQ(FindHeader(carriers[0], "x-datadog-trace-id"), std::nullopt);
  EXPECT_EQ(FindHeader(carriers[0], "x-datadog-parent-id"), "12");
}

TEST(TraceCarriersTest, AKafkaHeaderThatDoesNotFitIntoTheEventLosesOnlyItself) {
  for (const std::string_view id :
       {"[49,50,51]", R"(["49","50","51"])", R"({"0":49,"1":50,"2":51})", R"({"0":"49","1":"50","2":"51"})",
        R"({"type":"Buffer","data":[49,50,51]})", R"({"hb":{"0":49,"1":50,"2":51},"offset":0})"}) {
    const std::string text =
        absl::StrCat(R"({"a":[{"headers":[{"x-datadog-parent-id":[55]},{"x-datadog-trace-id":)", id, "}]}]}");
    int read = 0;
    // The event ends behind each of its values in turn.
    for (size_t values = 1; values < 20; ++values) {
      const absl::StatusOr<EventJson> event = ParseEventJson(text, {.max_values = values});
      ASSERT_TRUE(event.ok());
      const boost::json::value* const records = FindAt(event->root, {"a"});
      if (records == nullptr || !records->is_array() || records->get_array().empty()) continue;
      for (const HttpHeaders& carrier : KafkaCarriers(records->get_array()[0])) {
        const std::optional<std::string_view> trace = FindHeader(carrier, "x-datadog-trace-id");
        read += trace.has_value();
        EXPECT_EQ(trace.value_or("123"), "123") << id << " at " << values << " values";
        EXPECT_EQ(FindHeader(carrier, "x-datadog-parent-id"), "7");
      }
    }
    EXPECT_GT(read, 5) << id;
  }
  const std::string long_list = absl::StrCat("[", absl::StrJoin(std::vector<int>(9'000, 49), ","), "]");
  EXPECT_THAT(Kafka(absl::StrCat(R"([{"x-datadog-trace-id":)", long_list, "}]")), IsEmpty());
}

// A text may be the value itself or base64 of it.
TEST(TraceCarriersTest, AKafkaHeaderThatMayBeBase64IsGivenBothWays) {
  const std::vector<HttpHeaders> carriers = Kafka(R"([{"traceparent":"Nzc3"}])");
  ASSERT_THAT(carriers, SizeIs(2));
  EXPECT_EQ(FindHeader(carriers[0], "traceparent"), "Nzc3");
  EXPECT_EQ(FindHeader(carriers[1], "traceparent"), "777");
}

}  // namespace
}  // namespace thaw
