#include "cc/lambda/invocation/lifecycle_endpoints.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cc/lambda/invocation/invocation_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

class LifecycleEndpointsTest : public InvocationFixture {};

TEST_F(LifecycleEndpointsTest, ReplySaysTheContext) {
  Invoke("r1");
  EXPECT_THAT(Start("r1", {{"x-datadog-trace-id", "7"}},
                    R"({"headers":{"x-datadog-trace-id":"9","x-datadog-sampling-priority":"2",
                        "x-datadog-tags":"_dd.p.tid=640cfd8d00000000"}})")
                  .headers,
              ElementsAre(Pair("x-datadog-trace-id", "9"), Pair("x-datadog-sampling-priority", "2"),
                          Pair("x-datadog-tags", "_dd.p.tid=640cfd8d00000000")));
}

TEST_F(LifecycleEndpointsTest, AnErrorIsCountedOnceWhicheverSideReportsIt) {
  Invoke("r1");
  Start("r1");
  EndOfTrace("r1", 70,
             {{"x-datadog-invocation-error", "true"},
              {"x-datadog-invocation-error-msg", absl::Base64Escape("it broke")},
              {"x-datadog-invocation-error-type", "not base64!"},
              {"x-datadog-invocation-error-stack", absl::Base64Escape("\xff\xfe")}});
  PlatformEnded("r1", {.failed = true, .error_type = "Function.Error"});
  EXPECT_EQ(counts().finished, 1);
  EXPECT_EQ(counts().errors, 1);
  ASSERT_THAT(spans(), SizeIs(1));
  EXPECT_TRUE(spans()[0].is_error);
  EXPECT_EQ(spans()[0].meta.at("error.msg"), "it broke");
  EXPECT_EQ(spans()[0].meta.at("error.type"), "not base64!");
  EXPECT_EQ(spans()[0].meta.at("error.stack"), "//4=");
}

TEST_F(LifecycleEndpointsTest, AnyErrorHeaderIsAnError) {
  for (const char* header : {"x-datadog-invocation-error-msg", "x-datadog-invocation-error-type",
                             "x-datadog-invocation-error-stack"}) {
    Invoke("r1");
    Start("r1");
    EndOfTrace("r1", 70, {{header, "x"}});
    PlatformEnded("r1");
    EXPECT_TRUE(spans().back().is_error) << header;
  }
}

TEST_F(LifecycleEndpointsTest, StatusCodeOfTheResponse) {
  const auto status = [this](std::string_view response) {
    Invoke("r1");
    Start("r1", {{"x-datadog-trace-id", "9"}});
    End("r1", {}, response);
    PlatformEnded("r1");
    const SentSpan& span = spans().back();
    const auto code = span.meta.find("http.status_code");
    return std::pair(code == span.meta.end() ? "" : code->second, span.is_error);
  };
  EXPECT_THAT(status(R"({"statusCode":200})"), Pair("200", false));
  EXPECT_THAT(status(R"({"statusCode":"503"})"), Pair("503", true));
  for (const char* bad : {"{}", "[]", "5", R"({"statusCode":"50"})", R"({"statusCode":5000})",
                          R"({"statusCode":"5xx"})", R"({"statusCode":null})", "{", ""})
    EXPECT_THAT(status(bad), Pair("", false)) << bad;
}

TEST_F(LifecycleEndpointsTest, LargestEventIsTakenAndALargerOneLosesOnlyItsBody) {
  const std::string head = R"({"headers":{"x-datadog-trace-id":"9"},"a":")";
  std::string event = absl::StrCat(head, std::string(kMaxLifecycleBody - head.size() - 2, 'x'), "\"}");
  Invoke("r1");
  EXPECT_THAT(Start("r1", {}, event).headers, Contains(Pair("x-datadog-trace-id", "9")));
  EXPECT_EQ(calls().bodies_over_limit, 0);

  event.insert(head.size(), 1, 'x');
  EndOfTrace("r1");
  PlatformEnded("r1");
  Invoke("r2");
  const LifecycleReply reply = Start("r2", {{"x-datadog-trace-id", "4"}}, event);
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.headers, Contains(Pair("x-datadog-trace-id", "4")));
  const HttpHeaders headers = {{"lambda-runtime-aws-request-id", "r2"}, {"x-datadog-span-id", "5"}};
  endpoints_->Handle(
      {.method = "POST", .path = "/lambda/end-invocation", .headers = headers, .body_over_limit = true});
  PlatformEnded("r2");
  EXPECT_EQ(calls().bodies_over_limit, 2);
  EXPECT_EQ(spans().back().trace_id, 4u);
  EXPECT_EQ(spans().back().span_id, 5u);
}

TEST_F(LifecycleEndpointsTest, BodiesThatAreNoJson) {
  Invoke("r1");
  for (const char* body : {"{", "\xff", "text", "[1,", "{}{}"})
    EXPECT_THAT(Start("r1", {{"x-datadog-trace-id", "4"}}, body).headers,
                Contains(Pair("x-datadog-trace-id", "4")));
  EXPECT_EQ(calls().bodies_not_json, 5);
  EXPECT_EQ(Start("r1", {}, std::string(100'000, '[')).status, 200);
  EXPECT_EQ(Start("r1", {}, "").status, 200);
  EXPECT_EQ(calls().bodies_not_json, 6);
}

TEST_F(LifecycleEndpointsTest, Routes) {
  EXPECT_EQ(Call("/lambda/hello", {}, "", "GET").body, "{}");
  EXPECT_EQ(calls().hellos, 1);
  EXPECT_EQ(Call("/lambda/flush").status, 404);
  EXPECT_EQ(Call("/").status, 404);
  const LifecycleReply reply = Call("/lambda/start-invocation", {}, "", "GET");
  EXPECT_EQ(reply.status, 405);
  EXPECT_THAT(reply.headers, Contains(Pair("Allow", "POST")));
  EXPECT_THAT(Call("/lambda/hello").headers, Contains(Pair("Allow", "GET")));
  EXPECT_EQ(calls().refused, 4);
}

TEST_F(LifecycleEndpointsTest, MessagesOfAnInvocationAreCountedOnceInDataStreams) {
  constexpr std::string_view kEvent = R"({"Records": [
      {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:orders", "body": "x"},
      {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:orders", "body": "y"}]})";
  Invoke("r1");
  Start("r1", {}, kEvent);  // without Data Streams
  PathwayStats pathways({.service = "shop"}, clock_);
  endpoints_.emplace(LifecycleOptions(), *assembler_, &pathways);
  Invoke("r2");
  Start("r2", {}, kEvent);
  Start("r2", {}, kEvent);
  EXPECT_EQ(pathways.counts().checkpoints, 2);
  Start("r3", {}, kEvent);  // overtakes its invocation
  Invoke("r3");
  EXPECT_EQ(pathways.counts().checkpoints, 4);
}

TEST_F(LifecycleEndpointsTest, PayloadsAreCapturedOnlyIfAskedFor) {
  const auto run = [this] {
    Invoke("r1");
    Start("r1", {}, R"({"a":{"password":"x","b":1}})");
    HttpHeaders headers = {{"x-datadog-trace-id", "7"}};
    End("r1", headers, R"({"c":2})");
    PlatformEnded("r1");
    return spans().back().meta;
  };
  EXPECT_THAT(run(), Not(Contains(Pair("function.request.a.b", "1"))));
  Options options;
  options.calls.payload_tags.enabled = true;
  Restart(options);
  const std::map<std::string, std::string> meta = run();
  EXPECT_EQ(meta.at("function.request.a.b"), "1");
  EXPECT_EQ(meta.at("function.request.a.password"), "redacted");
  EXPECT_EQ(meta.at("function.response.c"), "2");
}

}  // namespace
}  // namespace thaw
