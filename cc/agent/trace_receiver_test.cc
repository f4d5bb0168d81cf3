#include "cc/agent/trace_receiver.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "cc/agent/receiver_fixture.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/flush/compress.h"
#include "cc/trace/trace_payload.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Reads traces as the extension does, and records them.
class RecordingSink : public TraceSink {
 public:
  std::optional<absl::Status> TakeTracesAtOnce(const TraceRequest& request) override {
    if (takes_turns > 0) return std::nullopt;
    return Take(request);
  }
  Task<absl::Status> TakeTraces(TraceRequest request, Cancellation& cancellation) override {
    for (; takes_turns > 0; --takes_turns) {
      Completion<bool> turn(*executor);
      executor->Post([&turn] { turn.Set(true); });
      co_await turn;
      if (cancellation.requested()) co_return absl::UnavailableError("cancelled");
    }
    co_return Take(request);
  }
  absl::Status Take(const TraceRequest& request) {
    formats.push_back(request.format);
    bodies.emplace_back(request.body);
    tracer = request.headers;
    if (!next.ok()) return std::exchange(next, absl::OkStatus());
    if (request.format != TraceFormat::kV04) return absl::OkStatus();
    const absl::StatusOr<TracePayload> payload = TracePayload::FromMsgpack(request.body, request.headers);
    if (!payload.ok()) return payload.status();
    spans += payload->counts().spans;
    return absl::OkStatus();
  }
  std::optional<absl::Status> TakeStatsAtOnce(const TraceRequest& request) override {
    if (takes_turns > 0) return std::nullopt;
    return Count(request);
  }
  Task<absl::Status> TakeStats(TraceRequest request, Cancellation& cancellation) override {
    for (; takes_turns > 0; --takes_turns) {
      Completion<bool> turn(*executor);
      executor->Post([&turn] { turn.Set(true); });
      co_await turn;
      if (cancellation.requested()) co_return absl::UnavailableError("cancelled");
    }
    co_return Count(request);
  }
  absl::Status Count(const TraceRequest& request) {
    bodies.emplace_back(request.body);
    tracer = request.headers;
    return std::exchange(next, absl::OkStatus());
  }
  absl::Status TakeProxied(ProxiedRequest request) override {
    proxied.push_back(std::move(request));
    return std::exchange(next, absl::OkStatus());
  }

  Executor* executor = nullptr;
  int takes_turns = 0;  // before it takes the next traces
  absl::Status next;
  std::vector<std::string> bodies;
  std::vector<TraceFormat> formats;
  std::vector<ProxiedRequest> proxied;
  TracerHeaders tracer;
  int64_t spans = 0;
};

class TraceReceiverTest : public ReceiverFixture {
 protected:
  TraceReceiverTest() {
    sink_.executor = &executor_;
    Serve(receiver_.Routes());
  }

  static TraceReceiverOptions Options() {
    return {.version = "1.2.3",
            .peer_tags = {"db.name", "peer.service"},
            .span_kinds = {"client", "server"},
            .additional_tags = "_dd.origin:lambda;functionname:checkout",
            .debug_json = [] { return std::string(R"({"flushes":3})"); }};
  }

  RecordingSink sink_;
  TraceReceiver receiver_{Options(), sink_};
};

// A trace of one empty span; below, a trace of one span and a number.
constexpr std::string_view kOneSpan = "\x91\x91\x80";
constexpr std::string_view kSpanAndNumber = "\x91\x92\x80\x05";

TEST_F(TraceReceiverTest, TracesAreTakenAndAnsweredAsJson) {
  for (const std::string_view method : {"POST", "PUT"}) {
    EXPECT_EQ(Request(method, "/v0.4/traces", kOneSpan,
                      "Datadog-Meta-Lang: python\r\nDatadog-Client-Computed-Stats: yes\r\n"),
              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n"
              R"({"rate_by_service":{}})");
  }
  EXPECT_EQ(sink_.tracer.lang, "python");
  EXPECT_TRUE(sink_.tracer.client_computed_stats);
  EXPECT_FALSE(sink_.tracer.client_computed_top_level);
  EXPECT_EQ(sink_.spans, 2);
  EXPECT_THAT(Request("POST", "/v0.5/traces", "\x92\x90\x90"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(sink_.formats, testing::ElementsAre(TraceFormat::kV04, TraceFormat::kV04, TraceFormat::kV05));
  EXPECT_EQ(receiver_.counts().trace_requests, 3);
}

TEST_F(TraceReceiverTest, OneBadSpanDoesNotRefuseTheRequest) {
  EXPECT_THAT(Request("POST", "/v0.4/traces", kSpanAndNumber), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(sink_.spans, 1);
}

TEST_F(TraceReceiverTest, BadInputIsTheClientsFaultAndIsToldWhy) {
  EXPECT_THAT(Request("POST", "/v0.4/traces", "{}"),
              testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("byte")));
  EXPECT_THAT(Request("POST", "/v0.4/traces", ""), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(receiver_.counts().refused_unreadable, 2);
  EXPECT_THAT(Request("POST", "/v0.4/traces", kOneSpan), StartsWith("HTTP/1.1 200 "));
}

TEST_F(TraceReceiverTest, AFullOutboxTurnsTracersAway) {
  sink_.next = absl::ResourceExhaustedError("no room");
  EXPECT_THAT(Request("POST", "/v0.4/traces", kOneSpan),
              testing::AllOf(StartsWith("HTTP/1.1 429 Too Many Requests\r\n"), EndsWith("no room")));
  EXPECT_EQ(receiver_.counts().turned_away, 1);
  sink_.next = absl::UnavailableError("ends soon");
  EXPECT_THAT(Request("POST", "/v0.6/stats", "\x80"), StartsWith("HTTP/1.1 503 "));
  sink_.next = absl::InternalError("a defect");
  EXPECT_THAT(Request("POST", "/debugger/v1/input", "{}"), StartsWith("HTTP/1.1 500 "));
  EXPECT_EQ(receiver_.counts().failed, 2);
}

TEST_F(TraceReceiverTest, ABodyThatNeverFitsIsToldFromOneThatDoesNotFitNow) {
  sink_.next = absl::OutOfRangeError("more than there ever is");
  EXPECT_THAT(Request("POST", "/v0.4/traces", kOneSpan),
              testing::AllOf(StartsWith("HTTP/1.1 413 "), EndsWith("more than there ever is")));
  EXPECT_EQ(receiver_.counts().refused_too_large, 1);
}

TEST_F(TraceReceiverTest, StatsThatAreMoreWorkAreAnsweredLater) {
  sink_.takes_turns = 20;
  EXPECT_THAT(Request("POST", "/v0.6/stats", "\x80"), StartsWith("HTTP/1.1 202 "));
  EXPECT_EQ(sink_.takes_turns, 0);
  sink_.takes_turns = 20;
  sink_.next = absl::ResourceExhaustedError("full");
  EXPECT_THAT(Request("POST", "/v0.6/stats", "\x80"), StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(receiver_.counts().stats_requests, 1);
}

TEST_F(TraceReceiverTest, RequestsWithMoreWorkAreAnsweredLaterAndInOrder) {
  sink_.takes_turns = 20;
  // The second request follows on the same connection.
  client_ = door_.Connect();
  const std::string head = absl::StrCat(
      "POST /v0.4/traces HTTP/1.1\r\nHost: x\r\nContent-Length: ", kOneSpan.size(), "\r\n\r\n", kOneSpan);
  client_->StartWrite(absl::StrCat(head, "GET /info HTTP/1.1\r\nHost: x\r\n\r\n"), [](IoResult) {});
  executor_.RunAll();
  std::string answers(4096, '\0');
  const IoResult result = client_->TryRead(absl::MakeSpan(answers));
  answers.resize(result.bytes);
  const size_t traces = answers.find("rate_by_service"), info = answers.find("endpoints");
  EXPECT_LT(traces, info) << answers;
  EXPECT_NE(info, std::string::npos) << answers;
  EXPECT_EQ(sink_.spans, 1);
  EXPECT_EQ(receiver_.counts().trace_requests, 1);
}

TEST_F(TraceReceiverTest, CompressedTracesAreTaken) {
  EXPECT_THAT(Request("POST", "/v0.4/traces", *CompressGzip(kOneSpan, 6), "Content-Encoding: gzip\r\n"),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Request("POST", "/v0.4/traces", *CompressZstd(kOneSpan, 3), "Content-Encoding: zstd\r\n"),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(sink_.spans, 2);
}

TEST_F(TraceReceiverTest, StatsAreAccepted) {
  EXPECT_EQ(Request("PUT", "/v0.6/stats", "\x80"),
            "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_THAT(sink_.bodies, testing::ElementsAre("\x80"));
  EXPECT_EQ(receiver_.counts().stats_requests, 1);
}

TEST_F(TraceReceiverTest, ProxiedRequestsKeepTheirQueryAndCoding) {
  const std::string body = *CompressGzip("{}", 6);
  EXPECT_THAT(Request("POST", "/debugger/v2/input?ddtags=env:prod", body, "Content-Encoding: gzip\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("Acknowledged request for debugger")));
  ASSERT_EQ(sink_.proxied.size(), 1);
  const EncodedRequest& request = sink_.proxied[0].request;
  EXPECT_EQ(sink_.proxied[0].host_prefix, "debugger-intake");
  EXPECT_EQ(request.target, "/api/v2/debugger?ddtags=env:prod");
  EXPECT_EQ(*request.body, body);
  EXPECT_EQ(request.headers,
            (HttpHeaders{{"Content-Encoding", "gzip"},
                         {"X-Datadog-Additional-Tags", "_dd.origin:lambda;functionname:checkout"}}));
  EXPECT_THAT(Request("PUT", "/debugger/v2/input"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(TraceReceiverTest, AnyPathOfTheEvpProxyIsTakenByPostAndGet) {
  constexpr std::string_view kSubdomain = "X-Datadog-EVP-Subdomain: event-platform-intake\r\n";
  for (const std::string_view method : {"POST", "GET"}) {
    EXPECT_THAT(Request(method, "/evp_proxy/v4/api/v2/exposures?x=y", "{}", kSubdomain),
                testing::AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("Acknowledged request for EVP")));
    ASSERT_EQ(sink_.proxied.size(), 1);
    EXPECT_EQ(sink_.proxied[0].host_prefix, "event-platform-intake");
    EXPECT_EQ(sink_.proxied[0].request.method, method);
    EXPECT_EQ(sink_.proxied[0].request.target, "/api/v2/exposures?x=y");
    EXPECT_EQ(*sink_.proxied[0].request.body, "{}");
    sink_.proxied.clear();
  }
  EXPECT_THAT(Request("POST", "/evp_proxy/v2/api/v2/exposures", "{}"),
              testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("X-Datadog-EVP-Subdomain")));
  EXPECT_THAT(Request("POST", "/evp_proxy/v2/api", "{}", "X-Datadog-EVP-Subdomain: a/b\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(receiver_.counts().refused_unreadable, 2);
  EXPECT_THAT(Request("DELETE", "/evp_proxy/v2/api", "", kSubdomain), StartsWith("HTTP/1.1 405 "));
  EXPECT_TRUE(sink_.proxied.empty());
  // A path of its own has its intake, whatever the header says.
  EXPECT_THAT(Request("POST", "/evp_proxy/v2/api/v2/llmobs", "{}", kSubdomain), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(sink_.proxied[0].host_prefix, "llmobs-intake");
}

TEST_F(TraceReceiverTest, AProfileOfSeveralMebibytesIsTaken) {
  const std::string profile(12 << 20, 'p');
  EXPECT_THAT(Request("POST", "/profiling/v1/input", profile), StartsWith("HTTP/1.1 200 "));
  ASSERT_EQ(sink_.proxied.size(), 1);
  EXPECT_EQ(*sink_.proxied[0].request.body, profile);
}

TEST_F(TraceReceiverTest, TracesOverFiftyMebibytesAreRefused) {
  EXPECT_THAT(Request("POST", "/v0.4/traces", "", absl::StrCat("Content-Length: ", (50 << 20) + 1, "\r\n")),
              StartsWith("HTTP/1.1 400 "))
      << "two lengths";
  client_ = door_.Connect();
  executor_.RunAll();
  client_->StartWrite(
      absl::StrCat("POST /v0.4/traces HTTP/1.1\r\nHost: x\r\nContent-Length: ", (50 << 20) + 1, "\r\n\r\n"),
      [](IoResult) {});
  executor_.RunAll();
  char buffer[1024];
  const IoResult result = client_->TryRead(absl::MakeSpan(buffer));
  EXPECT_THAT(std::string(buffer, result.bytes), StartsWith("HTTP/1.1 413 "));
}

TEST_F(TraceReceiverTest, InfoListsTheEndpoints) {
  const std::string answer = Get("/info");
  EXPECT_THAT(answer,
              testing::AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Type: application/json\r\n")));
  const boost::json::value info = boost::json::parse(BodyOf(answer));
  EXPECT_EQ(info.at("version").as_string(), "1.2.3");
  EXPECT_EQ(info.at("client_drop_p0s").as_bool(), false);
  EXPECT_EQ(info.at("peer_tags").as_array().size(), 2);
  EXPECT_EQ(info.at("span_kinds_stats_computed").as_array().size(), 2);
  EXPECT_EQ(info.at("evp_proxy_allowed_headers").as_array().size(), 5);
  std::vector<std::string> endpoints;
  for (const boost::json::value& endpoint : info.at("endpoints").as_array())
    endpoints.emplace_back(endpoint.as_string());
  // Each endpoint exists.
  for (const std::string& endpoint : endpoints)
    EXPECT_THAT(Get(endpoint), testing::Not(StartsWith("HTTP/1.1 404 ")));
  EXPECT_EQ(endpoints.size(), 16);
  // Tracers of Java, Go and JavaScript look for these texts, with both slashes.
  for (const std::string_view path : {"/evp_proxy/v2/", "/evp_proxy/v4/", "/telemetry/proxy/"})
    EXPECT_THAT(endpoints, Contains(path));
  EXPECT_THAT(endpoints, Contains("/telemetry/proxy/api/v2/apmtelemetry"));
  for (const std::string_view method : {"POST", "PUT", "DELETE"})
    EXPECT_EQ(BodyOf(Request(method, "/info", "x")), BodyOf(answer)) << method;
}

TEST_F(TraceReceiverTest, DebugIsTheOwnersText) {
  EXPECT_EQ(BodyOf(Get("/debug/thaw")), R"({"flushes":3})");
  EXPECT_THAT(Request("POST", "/debug/thaw"), StartsWith("HTTP/1.1 405 "));
  TraceReceiver without({}, sink_);
  for (const HttpRoute& route : without.Routes()) EXPECT_NE(route.path, "/debug/thaw");
}

TEST_F(TraceReceiverTest, UnknownPathsAreNotFound) {
  for (const std::string_view path : {"/", "/v0.3/traces", "/v0.7/config", "/v1.0/traces",
                                      "/evp_proxy/v3/api/v2/x", "/evp_proxy/v2", "/evp_proxy"})
    EXPECT_THAT(Get(path), testing::AllOf(StartsWith("HTTP/1.1 404 "), EndsWith("\r\n\r\nNot Found")))
        << path;
}

}  // namespace
}  // namespace thaw
