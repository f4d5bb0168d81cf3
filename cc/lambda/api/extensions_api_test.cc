#include "cc/lambda/api/extensions_api.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/manual_executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/fake_client.h"
#include "cc/lambda/api/runtime_api.h"
#include "cc/net/destination.h"
#include "cc/net/dialer.h"
#include "cc/net/pooled_client.h"
#include "cc/net/testing/memory_transport.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class ApiFixture : public testing::Test {
 protected:
  // Runs until the task has ended; advances time when there is nothing else to do.
  template <typename T>
  T Run(Task<T> task) {
    std::optional<T> result;
    absl::AnyInvocable<void(T)> done = [&result](T got) { result.emplace(std::move(got)); };
    Spawn<T>(executor_, std::move(task), std::move(done));
    while (!result.has_value()) {
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Seconds(1)));
    }
    return *std::move(result);
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  Cancellation cancellation_;
};

class ExtensionsApiTest : public ApiFixture {
 protected:
  static SendResult Says(int status, std::string body, HttpHeaders headers = {}) {
    SendResult result = Answered(status);
    result.response->body = std::move(body);
    result.response->headers = std::move(headers);
    return result;
  }
  absl::StatusOr<Registration> Register(std::string name = "datadog-agent") {
    return Run(extensions_.Register(std::move(name), {ExtensionEvent::kShutdown}, cancellation_));
  }
  void MustRegister() {
    client_.Answer(Says(200, "{}", {{"lambda-extension-identifier", "id"}}));
    ASSERT_TRUE(Register().ok());
    client_.clear_sent();
  }
  absl::StatusOr<LambdaEvent> NextOf(std::string body) {
    client_.Answer(Says(200, std::move(body)));
    return Run(extensions_.Next(cancellation_));
  }
  const ExtensionsApiCounts& counts() const { return extensions_.counts(); }

  FakeClient client_{executor_, clock_};
  RuntimeApi api_{client_, *ParseRuntimeApiAddress("127.0.0.1:9001")};
  ExtensionsApi extensions_{api_, clock_};
};

TEST_F(ExtensionsApiTest, ARegistrationHasItsIdentifierAndTheFunctionsFacts) {
  client_.Answer(
      Says(200, R"({"functionName":"f","functionVersion":"7","handler":"h","accountId":"123","more":1})",
           {{"Lambda-Extension-Identifier", "id-1"}}));
  const absl::StatusOr<Registration> registration = Register();
  ASSERT_TRUE(registration.ok()) << registration.status();
  EXPECT_EQ(registration->identifier, "id-1");
  EXPECT_EQ(registration->function_name, "f");
  EXPECT_EQ(registration->function_version, "7");
  EXPECT_EQ(registration->handler, "h");
  EXPECT_EQ(registration->account_id, "123");
  EXPECT_EQ(extensions_.identifier(), "id-1");
  EXPECT_EQ(*client_.sent()[0].request.body, R"({"events":["SHUTDOWN"]})");
  EXPECT_EQ(Register().status().code(), absl::StatusCode::kFailedPrecondition) << "once";
}

TEST_F(ExtensionsApiTest, ARegistrationMayLackFields) {
  for (const char* body : {"{}", "", "[]", "<html>", R"({"functionName":7,"accountId":null})"}) {
    ExtensionsApi extensions(api_, clock_);
    client_.Answer(Says(200, body, {{"Lambda-Extension-Identifier", "id"}}));
    const absl::StatusOr<Registration> registration =
        Run(extensions.Register("datadog-agent", {ExtensionEvent::kInvoke}, cancellation_));
    ASSERT_TRUE(registration.ok()) << body;
    EXPECT_EQ(registration->function_name, "");
    EXPECT_EQ(registration->account_id, std::nullopt);
    EXPECT_EQ(extensions.counts().members_ignored, std::string_view(body) == "{}" ? 0 : 1) << body;
  }
}

TEST_F(ExtensionsApiTest, WithoutAnIdentifierThereIsNoRegistration) {
  client_.Answer(Says(200, "{}"));
  EXPECT_EQ(Register().status().code(), absl::StatusCode::kInternal);
  client_.Answer(Says(200, "{}", {{"Lambda-Extension-Identifier", ""}}));
  EXPECT_EQ(Register().status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(extensions_.identifier(), "");
}

TEST_F(ExtensionsApiTest, ANameThatNoHeaderCanHoldIsNotSent) {
  for (const char* name : {"", "a\r\nb: c", "caf\xc3\xa9"}) {
    EXPECT_EQ(Register(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(client_.sent().empty());
}

TEST_F(ExtensionsApiTest, NextComesAfterTheRegistration) {
  EXPECT_EQ(Run(extensions_.Next(cancellation_)).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Run(extensions_.InitError("A.B", "", cancellation_)).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(client_.sent().empty());
}

TEST_F(ExtensionsApiTest, AnErrorOfThePlatformIsNotAskedAgain) {
  MustRegister();
  client_.Answer(Says(500, ""));
  EXPECT_EQ(Run(extensions_.Next(cancellation_)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client_.sent().size(), 1);
}

TEST_F(ExtensionsApiTest, NextHasNoDeadline) {
  MustRegister();
  client_.Answer({.result = Says(200, R"({"eventType":"INVOKE"})"), .after = absl::Hours(1000)});
  EXPECT_TRUE(Run(extensions_.Next(cancellation_)).ok());
  EXPECT_EQ(client_.sent()[0].options.budget, absl::InfiniteDuration());
  EXPECT_FALSE(client_.sent()[0].options.retry_ambiguous);
}

TEST_F(ExtensionsApiTest, AnInvocationMayLackAnything) {
  MustRegister();
  const absl::StatusOr<LambdaEvent> event = NextOf(R"({"eventType":"INVOKE"})");
  ASSERT_TRUE(event.ok()) << event.status();
  const auto& invoke = std::get<InvokeEvent>(*event);
  EXPECT_EQ(invoke.deadline, absl::InfiniteFuture());
  EXPECT_EQ(invoke.request_id, "");
  EXPECT_EQ(invoke.tracing_header, "");
  const absl::StatusOr<LambdaEvent> odd = NextOf(
      R"({"eventType":"INVOKE","deadlineMs":"soon","requestId":[],"tracing":7,"invokedFunctionArn":"arn"})");
  ASSERT_TRUE(odd.ok()) << odd.status();
  EXPECT_EQ(std::get<InvokeEvent>(*odd).function_arn, "arn");
  EXPECT_EQ(counts().members_ignored, 3);
  EXPECT_EQ(counts().invoke_events, 2);
}

TEST_F(ExtensionsApiTest, ReasonsOfAShutdown) {
  MustRegister();
  for (const auto& [text, reason] :
       {std::pair("spindown", ShutdownReason::kSpindown), std::pair("SPINDOWN", ShutdownReason::kSpindown),
        std::pair("Timeout", ShutdownReason::kTimeout), std::pair("failure", ShutdownReason::kFailure),
        std::pair("ReleaseFail", ShutdownReason::kOther), std::pair("", ShutdownReason::kOther)}) {
    const absl::StatusOr<LambdaEvent> event = NextOf(absl::StrCat(
        R"({"eventType":"SHUTDOWN","deadlineMs":1767323045678,"shutdownReason":")", text, R"("})"));
    ASSERT_TRUE(event.ok()) << event.status();
    const auto& shutdown = std::get<ShutdownEvent>(*event);
    EXPECT_EQ(shutdown.reason, reason) << text;
    EXPECT_EQ(shutdown.reason_text, text);
    EXPECT_EQ(shutdown.deadline, absl::FromUnixMillis(1767323045678));
  }
  const absl::StatusOr<LambdaEvent> bare = NextOf(R"({"eventType":"SHUTDOWN"})");
  EXPECT_EQ(std::get<ShutdownEvent>(*bare).deadline, clock_.Now().wall + absl::Seconds(2));
  EXPECT_EQ(counts().shutdown_events, 7);
}

TEST_F(ExtensionsApiTest, AnUnknownEventIsCountedAndTheNextOneAskedFor) {
  MustRegister();
  client_.Answer(Says(200, R"({"eventType":"CHECKPOINT"})"));
  const absl::StatusOr<LambdaEvent> event = NextOf(R"({"eventType":"INVOKE","requestId":"r"})");
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(std::get<InvokeEvent>(*event).request_id, "r");
  EXPECT_EQ(counts().unknown_events, 1);
}

TEST_F(ExtensionsApiTest, UnknownEventsWithoutEndAreNoApi) {
  MustRegister();
  client_.set_otherwise([](const FakeClient::Sent&) {
    return FakeClient::Scripted{.result = Says(200, R"({"eventType":"NOISE"})")};
  });
  EXPECT_EQ(Run(extensions_.Next(cancellation_)).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(client_.sent().size(), 100);
}

TEST_F(ExtensionsApiTest, AnswersThatAreNoEventsAreAskedAgainThreeTimes) {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"eventType":7})"),
        std::string(100'000, '['), std::string(R"({"eventType":"INVOKE")")}) {
    ExtensionsApi extensions(api_, clock_);
    client_.Answer(Says(200, "{}", {{"Lambda-Extension-Identifier", "id"}}));
    ASSERT_TRUE(Run(extensions.Register("x", {}, cancellation_)).ok());
    client_.clear_sent();
    client_.set_otherwise(
        [&body](const FakeClient::Sent&) { return FakeClient::Scripted{.result = Says(200, body)}; });
    const absl::Status status = Run(extensions.Next(cancellation_)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << body.substr(0, 20);
    EXPECT_LT(status.message().size(), 600);
    EXPECT_EQ(client_.sent().size(), 4);
    EXPECT_EQ(extensions.counts().unreadable_events, 3);
  }
}

TEST_F(ExtensionsApiTest, AnAnswerOfAnotherProgramIsAnErrorAtOnce) {
  for (const std::string& body : {std::string("null"), std::string("\xff\xfe"), std::string("<html>")}) {
    ExtensionsApi extensions(api_, clock_);
    client_.Answer(Says(200, "{}", {{"Lambda-Extension-Identifier", "id"}}));
    ASSERT_TRUE(Run(extensions.Register("x", {}, cancellation_)).ok());
    client_.clear_sent();
    client_.Answer(Says(200, body));
    EXPECT_EQ(Run(extensions.Next(cancellation_)).status().code(), absl::StatusCode::kInternal) << body;
    EXPECT_EQ(client_.sent().size(), 1);
  }
}

TEST_F(ExtensionsApiTest, AnAnswerThatIsCutIsAskedAgain) {
  MustRegister();
  for (const std::string& part : {std::string(), std::string(R"({"eventType":"INV)"), std::string("<ht")}) {
    SendResult cut = Says(200, part);
    cut.response->body_whole = false;
    client_.Answer(std::move(cut));
    const absl::StatusOr<LambdaEvent> event = NextOf(R"({"eventType":"INVOKE","requestId":"after"})");
    ASSERT_TRUE(event.ok()) << event.status();
    EXPECT_EQ(std::get<InvokeEvent>(*event).request_id, "after");
  }
  EXPECT_EQ(counts().unreadable_events, 3);
}

TEST_F(ExtensionsApiTest, AnEventIsReadHoweverDeeplyItIsNested) {
  MustRegister();
  const std::string deep = absl::StrCat(std::string(60'000, '['), std::string(60'000, ']'));
  const absl::StatusOr<LambdaEvent> event = NextOf(absl::StrCat(
      R"({"nested":)", deep, R"(,"eventType":"INVOKE","tracing":)", deep, R"(,"requestId":"r"})"));
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(std::get<InvokeEvent>(*event).request_id, "r");
  EXPECT_EQ(counts().unreadable_events, 0);
  client_.Answer(Says(500, absl::StrCat(R"({"errorType":"E","errorMessage":)", deep, "}")));
  EXPECT_TRUE(absl::StrContains(Run(extensions_.Next(cancellation_)).status().message(), "500 E: "));
}

TEST_F(ExtensionsApiTest, NonUtf8InAnEventLosesNothingElse) {
  MustRegister();
  const absl::StatusOr<LambdaEvent> event =
      NextOf("{\"eventType\":\"INVOKE\",\"requestId\":\"r\",\"tracing\":{\"value\":\"\xff\"}}");
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(std::get<InvokeEvent>(*event).request_id, "r");
  EXPECT_EQ(std::get<InvokeEvent>(*event).tracing_header, "\uFFFD");
}

TEST_F(ExtensionsApiTest, AReportThatIsNotAnsweredEndsAfterASecond) {
  MustRegister();
  EXPECT_EQ(Run(extensions_.ExitError("bad\ntype", "", cancellation_)).code(),
            absl::StatusCode::kInvalidArgument);
  client_.Answer({.after = absl::InfiniteDuration()});
  const absl::Duration began = clock_.Now().monotonic;
  EXPECT_EQ(Run(extensions_.ExitError("A.B", "", cancellation_)).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(clock_.Now().monotonic - began, absl::Seconds(1));
}

// -- Retries, which are the client's -----------------------------------------------------------------------

// A Runtime API in memory: nobody listens at first, then each request gets the next answer.
class ScriptedApi : public Dialer {
 public:
  explicit ScriptedApi(Executor& executor) : executor_(executor) {}

  Task<DialResult> Dial(Destination, Cancellation&) override {
    DialResult result;
    if (++dials <= refusals) {
      result.failure.emplace();
      result.failure->phase = Phase::kConnect;
      result.failure->fault = Fault::kRefused;
      result.failure->error = absl::UnavailableError("nobody listens");
      co_return result;
    }
    auto [near, far] = MemoryTransport::Pair(executor_);
    peers_.push_back(std::make_unique<Peer>());
    peers_.back()->transport = std::move(far);
    Serve(*peers_.back());
    result.transport = std::move(near);
    co_return result;
  }
  void Forget() override {}

  int refusals = 0;
  // Answers to one request after another; empty, or none left: the connection is reset.
  std::deque<std::string> answers;
  int dials = 0;
  int requests = 0;

 private:
  struct Peer {
    std::unique_ptr<MemoryTransport> transport;
    char request[16 * 1024];
  };

  void Serve(Peer& peer) {
    peer.transport->StartRead(absl::MakeSpan(peer.request), [this, &peer](IoResult result) {
      if (!result.status.ok()) return;
      ++requests;
      std::string answer;
      if (!answers.empty()) {
        answer = std::move(answers.front());
        answers.pop_front();
      }
      if (answer.empty()) return peer.transport->Reset();
      static_cast<void>(peer.transport->TryWrite(answer));
      Serve(peer);
    });
  }

  Executor& executor_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

class ExtensionsApiRetryTest : public ApiFixture {
 protected:
  ExtensionsApiRetryTest() {
    auto script = std::make_unique<ScriptedApi>(executor_);
    script_ = script.get();
    client_ = *MakeClientWithDialer(executor_, clock_, std::move(script), RuntimeApiClientOptions(),
                                    [] { return 0.0; });
    api_.emplace(*client_, *ParseRuntimeApiAddress("127.0.0.1:9001"));
    extensions_.emplace(*api_, clock_);
  }
  ~ExtensionsApiRetryTest() override {
    client_->Close();
    executor_.RunAll();
    EXPECT_TRUE(client_->settled());
  }

  static std::string Answer(int status, std::string_view body) {
    return absl::StrCat("HTTP/1.1 ", status,
                        " Reason\r\nLambda-Extension-Identifier: id\r\nContent-Length: ", body.size(),
                        "\r\n\r\n", body);
  }
  absl::Status Register() {
    return Run(extensions_->Register("datadog-agent", {ExtensionEvent::kShutdown}, cancellation_)).status();
  }
  absl::Status Next() { return Run(extensions_->Next(cancellation_)).status(); }
  absl::Duration now() const { return clock_.Now().monotonic; }

  ScriptedApi* script_;  // owned by the client
  std::unique_ptr<Client> client_;
  std::optional<RuntimeApi> api_;
  std::optional<ExtensionsApi> extensions_;
};

TEST_F(ExtensionsApiRetryTest, RegisteringWaitsForTheApiToListen) {
  script_->refusals = 6;
  script_->answers = {Answer(200, "{}")};
  const absl::Duration began = now();
  EXPECT_TRUE(Register().ok());
  EXPECT_EQ(script_->dials, 7);
  // The delays are 5 + 10 + 20 + 40 + 80 + 100 ms.
  EXPECT_EQ(now() - began, absl::Milliseconds(255));
}

TEST_F(ExtensionsApiRetryTest, RegisteringGivesUpAfterFiveSeconds) {
  script_->refusals = 1000;
  const absl::Duration began = now();
  const absl::Status status = Register();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StartsWith(
      status.message(), "POST http://127.0.0.1:9001/2020-01-01/extension/register: no answer: connect: "))
      << status;
  EXPECT_LE(now() - began, absl::Seconds(5));
  EXPECT_GE(now() - began, absl::Seconds(4.8));
}

TEST_F(ExtensionsApiRetryTest, OnlyADialThatFailedIsTriedAgainWhenRegistering) {
  EXPECT_EQ(Register().code(), absl::StatusCode::kUnavailable) << "the connection was reset";
  script_->answers = {Answer(500, "")};
  EXPECT_EQ(Register().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(script_->requests, 2);
}

TEST_F(ExtensionsApiRetryTest, NextIsAskedAgainWhenItsConnectionIsLost) {
  script_->answers = {Answer(200, "{}"), "", "", "",
                      Answer(200, R"({"eventType":"INVOKE","requestId":"a"})")};
  ASSERT_TRUE(Register().ok());
  const absl::Duration began = now();
  EXPECT_TRUE(Next().ok());
  EXPECT_EQ(script_->requests, 5);
  EXPECT_EQ(now() - began, absl::Milliseconds(5 + 10 + 20));
}

TEST_F(ExtensionsApiRetryTest, AnApiThatLosesEveryConnectionIsLost) {
  script_->answers = {Answer(200, "{}")};
  ASSERT_TRUE(Register().ok());
  EXPECT_EQ(Next().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(script_->requests, 5);
}

TEST_F(ExtensionsApiRetryTest, TheAnswerToAReportIsItsHead) {
  for (const std::string_view head :
       {"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n{\"status\":",
        "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 202 Accepted\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n{\"errorType\":"}) {
    for (const bool is_exit : {false, true}) {
      extensions_.emplace(*api_, clock_);
      script_->answers = {Answer(200, "{}"), std::string(head)};
      ASSERT_TRUE(Register().ok());
      const absl::Duration began = now();
      const absl::Status status = Run(is_exit ? extensions_->ExitError("A.B", "", cancellation_)
                                              : extensions_->InitError("A.B", "", cancellation_));
      EXPECT_EQ(status.code(), absl::StrContains(head, "202") ? absl::StatusCode::kOk
                                                              : absl::StatusCode::kFailedPrecondition)
          << head;
      EXPECT_EQ(now() - began, absl::Milliseconds(100)) << head;
    }
  }
}

TEST_F(ExtensionsApiRetryTest, AWaitForTheListenerEndsWhenItIsCancelled) {
  script_->refusals = 1000;
  const Alarm alarm(clock_, absl::Seconds(1),
                    [this] { cancellation_.Request(absl::CancelledError("SIGTERM")); });
  const absl::Duration began = now();
  EXPECT_EQ(Register(), absl::CancelledError("SIGTERM"));
  EXPECT_EQ(now() - began, absl::Seconds(1));
}

}  // namespace
}  // namespace thaw
