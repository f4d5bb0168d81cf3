// Registration, events and subscription over real sockets: the bytes on the wire, and the result of each
// possible answer.

#include "cc/lambda/api/runtime_api.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "cc/lambda/api/extensions_api.h"
#include "cc/lambda/api/initialization_type.h"
#include "cc/lambda/api/telemetry_subscription.h"
#include "cc/net/client_factory.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/tcp_network.h"
#include "cc/net/testing/http_test_server.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

std::string Response(int status, std::string_view body, std::string_view headers = "") {
  return absl::StrCat("HTTP/1.1 ", status, " Reason\r\nContent-Length: ", body.size(), "\r\n", headers,
                      "\r\n", body);
}
std::string Registered() {
  return Response(200, R"({"functionName":"f","functionVersion":"$LATEST","handler":"h.main"})",
                  "Lambda-Extension-Identifier: 5f7f1c3e\r\n");
}
constexpr std::string_view kInvoke = R"({"eventType":"INVOKE","deadlineMs":1767323045678,"requestId":"r1",
    "invokedFunctionArn":"arn:f","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1-2-3"}})";

class RuntimeApiTest : public testing::Test {
 protected:
  RuntimeApiTest() {
    std::vector<std::string> warnings;
    client_ = *MakeClient(loop_, loop_, *network_, RuntimeApiClientOptions(), [] { return 0.5; }, &warnings);
    api_.emplace(*client_, *ParseRuntimeApiAddress(absl::StrCat("127.0.0.1:", server_->port())));
    extensions_.emplace(*api_, loop_);
  }
  ~RuntimeApiTest() override {
    client_->Close();
    while (!client_->settled()) Turn();
  }

  void Turn() {
    loop_.Post([this] { loop_.Stop(); });
    loop_.Run();
  }

  template <typename T>
  T Run(Task<T> task) {
    std::optional<T> result;
    absl::AnyInvocable<void(T)> done = [&result, this](T got) {
      result.emplace(std::move(got));
      loop_.Stop();
    };
    Spawn<T>(loop_, std::move(task), std::move(done));
    loop_.Run();
    return *std::move(result);
  }
  absl::StatusOr<Registration> Register() {
    return Run(extensions_->Register("datadog-agent", {ExtensionEvent::kInvoke, ExtensionEvent::kShutdown},
                                     cancellation_));
  }
  absl::StatusOr<LambdaEvent> Next() { return Run(extensions_->Next(cancellation_)); }
  // Returns the result of /next after a registration.
  absl::Status NextAnswered(std::string answer, HttpTestServer::Then then = HttpTestServer::Then::kKeep) {
    server_->Answer(Registered());
    EXPECT_TRUE(Register().ok());
    server_->Answer(std::move(answer), then);
    return Next().status();
  }
  std::string Head(size_t i) const { return server_->requests().at(i).head; }
  boost::json::value Body(size_t i) const { return boost::json::parse(server_->requests().at(i).body); }

  EventLoop loop_;
  Cancellation cancellation_;
  std::unique_ptr<HttpTestServer> server_ = std::make_unique<HttpTestServer>();
  std::unique_ptr<Network> network_ = MakeTcpNetwork(loop_);
  std::unique_ptr<Client> client_;
  std::optional<RuntimeApi> api_;
  std::optional<ExtensionsApi> extensions_;
};

TEST_F(RuntimeApiTest, RegistersAndTakesEventsOverOneConnection) {
  server_->Answer(Registered());
  const absl::StatusOr<Registration> registration = Register();
  ASSERT_TRUE(registration.ok()) << registration.status();
  EXPECT_EQ(registration->identifier, "5f7f1c3e");
  EXPECT_TRUE(absl::StartsWith(Head(0), "POST /2020-01-01/extension/register HTTP/1.1\r\n")) << Head(0);
  EXPECT_TRUE(absl::StrContains(Head(0), "\r\nLambda-Extension-Name: datadog-agent\r\n")) << Head(0);
  EXPECT_TRUE(absl::StrContains(Head(0), "\r\nLambda-Extension-Accept-Feature: accountId\r\n")) << Head(0);
  EXPECT_EQ(Body(0), boost::json::parse(R"({"events":["INVOKE","SHUTDOWN"]})"));

  server_->Answer(Response(200, kInvoke));
  const absl::StatusOr<LambdaEvent> event = Next();
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(std::get<InvokeEvent>(*event).request_id, "r1");
  EXPECT_EQ(std::get<InvokeEvent>(*event).tracing_header, "Root=1-2-3");
  EXPECT_EQ(std::get<InvokeEvent>(*event).deadline, absl::FromUnixMillis(1767323045678));
  EXPECT_TRUE(absl::StartsWith(Head(1), "GET /2020-01-01/extension/event/next HTTP/1.1\r\n")) << Head(1);
  EXPECT_TRUE(absl::StrContains(Head(1), "\r\nLambda-Extension-Identifier: 5f7f1c3e\r\n")) << Head(1);

  server_->Answer(Response(200, R"({"eventType":"SHUTDOWN","deadlineMs":2000,"shutdownReason":"spindown"})"));
  const absl::StatusOr<LambdaEvent> last = Next();
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(std::get<ShutdownEvent>(*last).reason, ShutdownReason::kSpindown);
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(RuntimeApiTest, ALongPollIsAnsweredWhenThereIsAnEvent) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  std::optional<absl::StatusOr<LambdaEvent>> event;
  absl::AnyInvocable<void(absl::StatusOr<LambdaEvent>)> done = [&](absl::StatusOr<LambdaEvent> got) {
    event = std::move(got);
    loop_.Stop();
  };
  Spawn<absl::StatusOr<LambdaEvent>>(loop_, extensions_->Next(cancellation_), std::move(done));
  // The first call is on the wire and unanswered. A second one never reaches the wire.
  const absl::StatusOr<LambdaEvent> second = Run(extensions_->Next(cancellation_));
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_FALSE(event.has_value());
  server_->Answer(Response(200, kInvoke));
  loop_.Run();
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(event->ok()) << event->status();
  EXPECT_EQ(server_->requests().size(), 2);
}

TEST_F(RuntimeApiTest, AnOpenNextEndsWhenItIsCancelled) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  std::optional<absl::StatusOr<LambdaEvent>> event;
  absl::AnyInvocable<void(absl::StatusOr<LambdaEvent>)> done = [&](absl::StatusOr<LambdaEvent> got) {
    event = std::move(got);
    loop_.Stop();
  };
  Spawn<absl::StatusOr<LambdaEvent>>(loop_, extensions_->Next(cancellation_), std::move(done));
  loop_.Post([this] { cancellation_.Request(absl::CancelledError("SIGTERM")); });
  loop_.Run();
  EXPECT_EQ(event->status(), absl::CancelledError("SIGTERM"));
}

TEST_F(RuntimeApiTest, ARefusalSaysWhyAndIsNotAskedAgain) {
  const std::string body =
      R"({"errorType":"Extension.UnknownExtensionIdentifier","errorMessage":"Unknown extension 5f7f1c3e"})";
  const absl::Status refused = NextAnswered(Response(403, body));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            absl::StrCat("GET http://127.0.0.1:", server_->port(),
                         "/2020-01-01/extension/event/next: answered 403 "
                         "Extension.UnknownExtensionIdentifier: Unknown extension 5f7f1c3e"));
  EXPECT_EQ(Next().status(), refused) << "what failed is not asked for again";
  EXPECT_EQ(server_->requests().size(), 2);
}

TEST_F(RuntimeApiTest, AContainerErrorIsFinal) {
  const absl::Status status =
      NextAnswered(Response(500, R"({"errorType":"Container","errorMessage":"gone"})"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "answered 500 Container: gone")) << status;
  EXPECT_EQ(server_->requests().size(), 2);
}

TEST_F(RuntimeApiTest, APageOfHtmlIsNoEvent) {
  const absl::Status status = NextAnswered(Response(200, "<html>\n<body>It works!</body></html>"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(status.message(), "a body that is not an event: <html>\\n<body>It works!"))
      << status;
}

TEST_F(RuntimeApiTest, AfterAResetTheNextEventIsAskedForAgain) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  server_->Answer("", HttpTestServer::Then::kReset);
  server_->Answer(Response(200, kInvoke));
  EXPECT_TRUE(Next().ok());
  EXPECT_EQ(server_->requests().size(), 3);
}

// The first call may still stand for the platform, whose answer then says so.
TEST_F(RuntimeApiTest, AResetWhoseCallStillStandsIsALoss) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  server_->Answer("", HttpTestServer::Then::kReset);
  server_->Answer(Response(403, R"({"errorType":"Extension.InvalidExtensionState","errorMessage":"no"})"));
  EXPECT_EQ(Next().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RuntimeApiTest, AfterAnAnswerThatIsCutTheNextEventIsAskedForAgain) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  for (const std::string_view part : {"", "{\"eventType\":", "{\"eventType\":\"INVOKE\","}) {
    server_->Answer(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", part),
                    HttpTestServer::Then::kClose);
    server_->Answer(Response(200, kInvoke));
    const absl::StatusOr<LambdaEvent> event = Next();
    ASSERT_TRUE(event.ok()) << event.status();
    EXPECT_EQ(std::get<InvokeEvent>(*event).request_id, "r1");
  }
  EXPECT_EQ(extensions_->counts().unreadable_events, 3);
}

TEST_F(RuntimeApiTest, AnAnswerWhoseBodyNeverEndsCountsAsCut) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  server_->Answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"eventType\":\"INVOKE\",");
  server_->Answer(Response(200, kInvoke));
  const absl::StatusOr<LambdaEvent> event = Next();
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(std::get<InvokeEvent>(*event).request_id, "r1");
  EXPECT_EQ(extensions_->counts().unreadable_events, 1);
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(RuntimeApiTest, AnswersThatAreCutEachTimeAreALoss) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  for (int i = 0; i < 4; ++i)
    server_->Answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"eventType\":",
                    HttpTestServer::Then::kClose);
  const absl::Status status = Next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(status.message(), "(cut)")) << status;
  EXPECT_EQ(server_->requests().size(), 5);
}

TEST_F(RuntimeApiTest, BytesThatAreNoHttpAreNoAnswer) {
  const absl::Status status = NextAnswered("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "the answer is not HTTP/1.1")) << status;
}

TEST_F(RuntimeApiTest, AConnectionThatWasClosedBetweenCallsIsReplaced) {
  server_->Answer(Registered(), HttpTestServer::Then::kClose);
  ASSERT_TRUE(Register().ok());
  while (client_->idle_connections() > 0) Turn();
  server_->Answer(Response(200, kInvoke));
  EXPECT_TRUE(Next().ok());
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(RuntimeApiTest, ErrorsAreReported) {
  server_->Answer(Registered());
  ASSERT_TRUE(Register().ok());
  server_->Answer(Response(202, R"({"status":"OK"})"));
  EXPECT_TRUE(Run(extensions_->InitError("Extension.ConfigInvalid", "no \"key\" \xff", cancellation_)).ok());
  server_->Answer(Response(202, R"({"status":"OK"})"));
  EXPECT_TRUE(Run(extensions_->ExitError("Extension.Crash", "sorry", cancellation_)).ok());
  EXPECT_TRUE(absl::StartsWith(Head(1), "POST /2020-01-01/extension/init/error HTTP/1.1\r\n")) << Head(1);
  EXPECT_TRUE(
      absl::StrContains(Head(1), "\r\nLambda-Extension-Function-Error-Type: Extension.ConfigInvalid\r\n"));
  EXPECT_TRUE(absl::StrContains(Head(1), "\r\nLambda-Extension-Identifier: 5f7f1c3e\r\n"));
  EXPECT_EQ(Body(1), boost::json::parse("{\"errorMessage\":\"no \\\"key\\\" \uFFFD\","
                                        "\"errorType\":\"Extension.ConfigInvalid\",\"stackTrace\":[]}"));
  EXPECT_TRUE(absl::StartsWith(Head(2), "POST /2020-01-01/extension/exit/error HTTP/1.1\r\n")) << Head(2);
}

// -- The subscription --------------------------------------------------------------------------------------

TEST_F(RuntimeApiTest, SubscribesAsLambdaWantsIt) {
  server_->Answer(Response(200, "\"OK\""));
  const absl::StatusOr<TelemetrySupport> support =
      Run(SubscribeToTelemetry(*api_, "5f7f1c3e", {}, cancellation_));
  ASSERT_TRUE(support.ok()) << support.status();
  EXPECT_EQ(*support, TelemetrySupport::kSubscribed);
  EXPECT_TRUE(absl::StartsWith(Head(0), "PUT /2022-07-01/telemetry HTTP/1.1\r\n")) << Head(0);
  EXPECT_TRUE(absl::StrContains(Head(0), "\r\nLambda-Extension-Identifier: 5f7f1c3e\r\n")) << Head(0);
  EXPECT_EQ(Body(0), boost::json::parse(R"({
      "schemaVersion":"2022-12-13","types":["platform"],
      "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8999/"},
      "buffering":{"maxItems":1000,"maxBytes":262144,"timeoutMs":25}})"));
}

TEST_F(RuntimeApiTest, SubscribesToLogsAndByTheSchemaOfManagedInstances) {
  server_->Answer(Response(200, "OK"));
  TelemetrySubscription subscription;
  subscription.schema_version = InitializationTraitsOf(EnvironmentKind::kManagedInstances).telemetry_schema;
  subscription.function_logs = subscription.extension_logs = true;
  subscription.port = 9123;
  subscription.buffering_timeout = absl::Seconds(1);
  subscription.max_items = 10'000;
  subscription.max_bytes = 1'048'576;
  ASSERT_TRUE(Run(SubscribeToTelemetry(*api_, "5f7f1c3e", subscription, cancellation_)).ok());
  EXPECT_EQ(Body(0), boost::json::parse(R"({
      "schemaVersion":"2025-01-29","types":["platform","function","extension"],
      "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:9123/"},
      "buffering":{"maxItems":10000,"maxBytes":1048576,"timeoutMs":1000}})"));
}

TEST_F(RuntimeApiTest, AnEnvironmentWithoutTelemetryIsUnderstood) {
  server_->Answer(Response(202, R"({"errorType":"Telemetry.NotSupported"})"));
  EXPECT_EQ(*Run(SubscribeToTelemetry(*api_, "5f7f1c3e", {}, cancellation_)),
            TelemetrySupport::kNotSupported);
}

TEST_F(RuntimeApiTest, ARefusedSubscriptionIsNotIgnored) {
  for (const int status : {400, 403, 500}) {
    server_->Answer(Response(status, R"({"errorType":"Telemetry.Refused","errorMessage":"no"})"));
    const absl::Status refused = Run(SubscribeToTelemetry(*api_, "5f7f1c3e", {}, cancellation_)).status();
    EXPECT_EQ(refused.code(),
              status == 500 ? absl::StatusCode::kUnavailable : absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(absl::StrContains(refused.message(), absl::StrCat("answered ", status, " Telemetry.Refused")))
        << refused;
  }
}

TEST_F(RuntimeApiTest, ASubscriptionBeyondLambdasLimitsIsNotSent) {
  const auto refused = [this](auto change) {
    TelemetrySubscription subscription;
    change(subscription);
    return Run(SubscribeToTelemetry(*api_, "5f7f1c3e", subscription, cancellation_)).status();
  };
  for (const absl::Status& status :
       {refused([](auto& subscription) { subscription.schema_version = ""; }),
        refused([](auto& subscription) { subscription.port = 0; }),
        refused([](auto& subscription) { subscription.buffering_timeout = absl::Milliseconds(24); }),
        refused([](auto& subscription) { subscription.buffering_timeout = absl::Seconds(31); }),
        refused([](auto& subscription) { subscription.max_items = 999; }),
        refused([](auto& subscription) { subscription.max_items = 10'001; }),
        refused([](auto& subscription) { subscription.max_bytes = 262'143; }),
        refused([](auto& subscription) { subscription.max_bytes = 1'048'577; })}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), "TelemetrySubscription.")) << status;
  }
  EXPECT_TRUE(server_->requests().empty());
}

TEST(RuntimeApiAddress, IsAHostAndAPort) {
  EXPECT_EQ(ToString(*ParseRuntimeApiAddress("127.0.0.1:9001")), "http://127.0.0.1:9001");
  EXPECT_EQ(ToString(*ParseRuntimeApiAddress("localhost:8080")), "http://localhost:8080");
  for (const std::string_view text : {"", ":9001", "a:b", "http://a:1", "a:1/path", "user@a:1", "a:70000"}) {
    const absl::Status status = ParseRuntimeApiAddress(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_TRUE(absl::StartsWith(status.message(), "AWS_LAMBDA_RUNTIME_API")) << status;
  }
  EXPECT_FALSE(absl::StrContains(ParseRuntimeApiAddress("user:pw@a:1/?b=secret").status().message(), "pw"));
  EXPECT_FALSE(absl::StrContains(ParseRuntimeApiAddress("a:1/?b=secret").status().message(), "secret"));
}

}  // namespace
}  // namespace thaw
