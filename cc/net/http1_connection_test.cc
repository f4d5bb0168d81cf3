#include "cc/net/http1_connection.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/testing/memory_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kAccepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";

class Http1ConnectionTest : public testing::Test {
 protected:
  ~Http1ConnectionTest() override {
    if (connection_ != nullptr) connection_->Close();
    executor_.RunAll();
  }

  void Connect(RequestForm form = {}) {
    auto [client, server] = MemoryTransport::Pair(executor_);
    client_ = client.get();
    server_ = std::move(server);
    connection_ = Http1Connection::Start(executor_, clock_, std::move(client), std::move(form), options_,
                                         counts_, [this](const HttpConnection* which) {
                                           EXPECT_EQ(which, connection_.get());
                                           ++idle_closed_;
                                         });
    executor_.RunAll();
  }
  void Begin(std::string body = "body") {
    request_.destination.host = "intake.test";
    request_.target = "/api";
    request_.body = std::make_shared<const std::string>(std::move(body));
    Start();
  }
  void Start() {
    end_.reset();
    exchange_ = connection_->Begin(request_, [this](ExchangeEnd end) {
      EXPECT_FALSE(end_.has_value()) << "ended twice";
      ++ends_;
      end_ = std::move(end);
    });
  }
  // Returns everything that came to the server.
  std::string Received() {
    std::string text;
    char buffer[4096];
    for (;;) {
      const IoResult result = server_->TryRead(absl::MakeSpan(buffer));
      if (!result.status.ok()) return text;
      text.append(buffer, result.bytes);
      executor_.RunAll();
    }
  }
  void Answer(std::string_view text) {
    server_->StartWrite(text, [](IoResult) {});
    executor_.RunAll();
  }
  // Begins an exchange and lets the server read the whole request.
  std::string Sent(std::string body = "body") {
    Begin(std::move(body));
    executor_.RunAll();
    return Received();
  }
  const ExchangeFailure& failure() const { return *end_->failure; }
  bool failed() const { return end_.has_value() && end_->failure.has_value(); }
  bool answered() const { return end_.has_value() && end_->response.has_value(); }

  void ExpectFailure(Phase phase, Fault fault, BytesWritten bytes) {
    ASSERT_TRUE(failed());
    EXPECT_FALSE(answered());
    EXPECT_EQ(ToString(failure().phase), ToString(phase));
    EXPECT_EQ(ToString(failure().fault), ToString(fault));
    EXPECT_EQ(ToString(failure().bytes_written), ToString(bytes));
    EXPECT_FALSE(failure().error.ok());
    EXPECT_THAT(failure().error.message(), HasSubstr("POST https://intake.test/api"));
    EXPECT_FALSE(end_->reusable);
    EXPECT_FALSE(connection_->open());
    EXPECT_EQ(ends_, 1);
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  ClientOptions options_;
  ExchangeCounts counts_;
  HttpRequest request_;
  std::shared_ptr<Http1Connection> connection_;
  MemoryTransport* client_ = nullptr;  // lives as long as the connection
  std::unique_ptr<MemoryTransport> server_;
  HttpConnection::ExchangeId exchange_ = 0;  // the last one
  std::optional<ExchangeEnd> end_;
  int ends_ = 0;
  int idle_closed_ = 0;
};

// -- Requests --------------------------------------------------------------------------------------------

TEST_F(Http1ConnectionTest, OneExchange) {
  Connect();
  request_.headers = {{"DD-API-KEY", "key"}};
  EXPECT_EQ(Sent(),
            "POST /api HTTP/1.1\r\nHost: intake.test\r\nUser-Agent: thaw\r\nDD-API-KEY: key\r\n"
            "Content-Length: 4\r\n\r\nbody");
  EXPECT_TRUE(connection_->busy());
  EXPECT_EQ(client_->writes(), 1);
  Answer(kAccepted);
  ASSERT_TRUE(answered());
  EXPECT_FALSE(failed());
  EXPECT_EQ(end_->response->status, 202);
  EXPECT_EQ(end_->response->body, "{}");
  EXPECT_TRUE(end_->response->body_whole);
  EXPECT_TRUE(end_->reusable);
  EXPECT_TRUE(connection_->open());
  EXPECT_FALSE(connection_->busy());
  EXPECT_TRUE(connection_->CheckUsable());
}

TEST_F(Http1ConnectionTest, ConnectionsAreReused) {
  Connect();
  for (int i = 0; i < 5; ++i) {
    const std::string body = absl::StrCat("payload ", i);
    EXPECT_THAT(Sent(body), testing::EndsWith("\r\n\r\n" + body));
    Answer(kAccepted);
    ASSERT_TRUE(answered());
    EXPECT_TRUE(end_->reusable);
  }
  EXPECT_EQ(ends_, 5);
  EXPECT_EQ(idle_closed_, 0);
}

TEST_F(Http1ConnectionTest, TheNextExchangeMayBeginFromTheCallbackOfTheLast) {
  Connect();
  bool second_answered = false;
  connection_->Begin(request_, [&](ExchangeEnd) {
    connection_->Begin(request_, [&](ExchangeEnd end) { second_answered = end.response.has_value(); });
  });
  executor_.RunAll();
  EXPECT_THAT(Received(), HasSubstr("POST /"));
  Answer(kAccepted);
  EXPECT_THAT(Received(), HasSubstr("POST /"));
  EXPECT_FALSE(second_answered);
  Answer(kAccepted);
  EXPECT_TRUE(second_answered);
}

TEST_F(Http1ConnectionTest, NothingHappensInsideTheCall) {
  Connect();
  Begin();
  EXPECT_EQ(client_->writes(), 0);
  EXPECT_TRUE(connection_->busy());
  executor_.RunAll();
  EXPECT_EQ(client_->writes(), 1);
}

TEST_F(Http1ConnectionTest, ARequestWithoutABody) {
  Connect();
  request_.destination = {.scheme = Destination::Scheme::kHttp, .host = "::1", .port = 9001};
  request_.method = "GET";
  request_.target = "/2020-01-01/extension/event/next";
  Start();
  executor_.RunAll();
  EXPECT_EQ(Received(),
            "GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: [::1]:9001\r\nUser-Agent: thaw\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST_F(Http1ConnectionTest, AUserAgentOfOnesOwn) {
  options_.user_agent = "from options";
  request_.headers = {{"user-agent", "own"}};
  Connect();
  const std::string text = Sent();
  EXPECT_THAT(text, HasSubstr("user-agent: own\r\n"));
  EXPECT_FALSE(absl::StrContains(text, "from options"));
}

TEST_F(Http1ConnectionTest, ThroughAProxyInAbsoluteForm) {
  Connect({.absolute = true, .proxy_authorization = "Basic eDp5"});
  request_.destination.scheme = Destination::Scheme::kHttp;
  request_.destination.port = 8080;
  Begin("");
  executor_.RunAll();
  EXPECT_EQ(Received(),
            "POST http://intake.test:8080/api HTTP/1.1\r\nHost: intake.test:8080\r\nUser-Agent: thaw\r\n"
            "Proxy-Authorization: Basic eDp5\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(Http1ConnectionTest, ALargeBodyIsNotCopiedBehindTheHead) {
  Connect();
  const std::string body(100000, 'x');
  const std::string text = Sent(body);
  EXPECT_EQ(client_->writes(), 2);
  EXPECT_THAT(text, HasSubstr("Content-Length: 100000\r\n\r\n"));
  EXPECT_EQ(text.substr(text.find("\r\n\r\n") + 4), body);
  Answer(kAccepted);
  EXPECT_TRUE(end_->reusable);
}

TEST_F(Http1ConnectionTest, AByteAtATime) {
  Connect();
  client_->set_write_limit(1);
  client_->set_read_limit(1);
  const std::string text = Sent(std::string(20000, 'x'));
  EXPECT_EQ(client_->writes(), static_cast<int64_t>(text.size()));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\n" + std::string(20000, 'x')));
  Answer(kAccepted);
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->body, "{}");
  EXPECT_TRUE(end_->reusable);
}

TEST_F(Http1ConnectionTest, BytesAreCounted) {
  Connect();
  const size_t sent = Sent().size();
  Answer(kAccepted);
  EXPECT_EQ(counts_.bytes_sent, static_cast<int64_t>(sent));
  EXPECT_EQ(counts_.bytes_received, static_cast<int64_t>(kAccepted.size()));
  const size_t again = Sent().size();
  connection_->Close();
  executor_.RunAll();
  EXPECT_EQ(counts_.bytes_sent, static_cast<int64_t>(sent + again));
}

// -- Answers ---------------------------------------------------------------------------------------------

TEST_F(Http1ConnectionTest, ConnectionClose) {
  Connect();
  Sent();
  Answer("HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(answered());
  EXPECT_FALSE(end_->reusable);
  EXPECT_FALSE(connection_->open());
  EXPECT_EQ(idle_closed_, 0) << "it was never idle";
}

TEST_F(Http1ConnectionTest, AnAnswerThatTheEndDelimits) {
  Connect();
  Sent();
  Answer("HTTP/1.1 200 OK\r\n\r\nall of it");
  EXPECT_FALSE(end_.has_value());
  server_->SendEnd();
  executor_.RunAll();
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->body, "all of it");
  EXPECT_TRUE(end_->response->body_whole);
  EXPECT_FALSE(end_->reusable);
}

TEST_F(Http1ConnectionTest, AContinueBeforeTheAnswer) {
  Connect();
  Sent();
  Answer("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_FALSE(end_.has_value());
  Answer(kAccepted);
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->status, 202);
  EXPECT_TRUE(end_->reusable);
}

TEST_F(Http1ConnectionTest, AContinueIsNoAnswerWhenTheStreamEnds) {
  Connect();
  Sent();
  Answer("HTTP/1.1 100 Continue\r\n\r\n");
  server_->SendEnd();
  executor_.RunAll();
  ExpectFailure(Phase::kHead, Fault::kEnd, BytesWritten::kAll);
  EXPECT_TRUE(failure().response_begun);
}

TEST_F(Http1ConnectionTest, AnAnswerBeforeAllOfTheRequestWasTaken) {
  Connect();
  client_->set_capacity(1000);
  Begin(std::string(50000, 'x'));
  executor_.RunAll();
  Answer("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->status, 413);
  EXPECT_FALSE(end_->reusable) << "the rest of the request is owed";
  EXPECT_FALSE(connection_->open());
}

TEST_F(Http1ConnectionTest, BytesBehindTheAnswer) {
  Connect();
  Sent();
  Answer(absl::StrCat(kAccepted, "x"));
  ASSERT_TRUE(answered());
  EXPECT_FALSE(end_->reusable);
}

TEST_F(Http1ConnectionTest, ABigBodyIsNotDrained) {
  options_.max_response_body_kept_bytes = 10;
  options_.max_response_body_drained_bytes = 1000;
  Connect();
  Sent();
  Answer("HTTP/1.1 202 Accepted\r\nContent-Length: 1000000\r\n\r\n");
  Answer(std::string(1000, 'x'));
  EXPECT_FALSE(end_.has_value());
  Answer("x");
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->status, 202);
  EXPECT_EQ(end_->response->body, std::string(10, 'x'));
  EXPECT_FALSE(end_->response->body_whole);
  EXPECT_FALSE(end_->reusable);
  EXPECT_TRUE(client_->closed());
}

TEST_F(Http1ConnectionTest, ABodyThatIsDrainedButNotKeptLeavesTheConnectionUsable) {
  options_.max_response_body_kept_bytes = 10;
  Connect();
  Sent();
  Answer(absl::StrCat("HTTP/1.1 202 Accepted\r\nContent-Length: 9000\r\n\r\n", std::string(9000, 'x')));
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->body.size(), 10u);
  EXPECT_TRUE(end_->reusable);
}

TEST_F(Http1ConnectionTest, HalfABodyIsAnAnswer) {
  for (const bool reset : {false, true}) {
    Connect();
    Sent();
    Answer("HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf");
    if (reset) {
      server_->Reset();
    } else {
      server_->SendEnd();
    }
    executor_.RunAll();
    ASSERT_TRUE(answered()) << reset;
    EXPECT_EQ(end_->response->body, "half");
    EXPECT_FALSE(end_->response->body_whole);
    EXPECT_FALSE(end_->reusable);
    EXPECT_FALSE(connection_->open());
  }
}

TEST_F(Http1ConnectionTest, ABrokenBodyIsAnAnswer) {
  Connect();
  Sent();
  Answer("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n");
  ASSERT_TRUE(answered());
  EXPECT_FALSE(end_->response->body_whole);
  EXPECT_FALSE(end_->reusable);
}

TEST_F(Http1ConnectionTest, HalfAHeadIsNone) {
  Connect();
  Sent();
  Answer("HTTP/1.1 202 Acc");
  server_->SendEnd();
  executor_.RunAll();
  ExpectFailure(Phase::kHead, Fault::kEnd, BytesWritten::kAll);
  EXPECT_TRUE(failure().response_begun);
  EXPECT_FALSE(failure().head_complete);
}

// The peer has refused the request, so that it may be sent again without being marked as a possible duplicate.
TEST_F(Http1ConnectionTest, ARefusalIsKnownByItsStatusLine) {
  for (const char* answer :
       {"HTTP/1.1 503 Busy\r\n", "HTTP/1.1 413\r\nContent-Le", "HTTP/1.1 429 x\nRetry-After: 3\r\n"}) {
    SCOPED_TRACE(answer);
    Connect();
    Sent();
    Answer(answer);
    EXPECT_FALSE(answered());
    server_->SendEnd();
    executor_.RunAll();
    ASSERT_TRUE(answered());
    ASSERT_FALSE(failed());
    EXPECT_EQ(end_->response->status, std::atoi(answer + 9));
    EXPECT_FALSE(end_->response->body_whole);
    EXPECT_FALSE(end_->reusable);
    connection_->Close();
    executor_.RunAll();
  }
}

TEST_F(Http1ConnectionTest, AStatusLineThatIsCutAndASuccessWhoseHeadIsCutAreNone) {
  for (const char* answer : {"HTTP/1.1 503", "HTTP/1.1 503 Bus", "HTTP/1.1 202 Accepted\r\nContent-Le",
                             "HTTP/1.1 100 Continue\r\n\r\n"}) {
    SCOPED_TRACE(answer);
    ends_ = 0;
    Connect();
    Sent();
    Answer(answer);
    server_->SendEnd();
    executor_.RunAll();
    ExpectFailure(Phase::kHead, Fault::kEnd, BytesWritten::kAll);
    connection_->Close();
    executor_.RunAll();
  }
}

TEST_F(Http1ConnectionTest, Garbage) {
  Connect();
  Sent();
  Answer("220 mail.test ESMTP\r\n");
  ExpectFailure(Phase::kHead, Fault::kProtocol, BytesWritten::kAll);
  EXPECT_TRUE(failure().response_begun);
}

TEST_F(Http1ConnectionTest, GarbageBeforeAllOfTheRequestWasTaken) {
  Connect();
  client_->set_capacity(50);
  Begin();
  executor_.RunAll();
  Answer("220 mail.test ESMTP\r\n");
  ExpectFailure(Phase::kHead, Fault::kProtocol, BytesWritten::kPart);
}

TEST_F(Http1ConnectionTest, ATooLongHead) {
  options_.max_response_head_bytes = 256;
  Connect();
  Sent();
  Answer("HTTP/1.1 " + std::string(256, ' '));
  ExpectFailure(Phase::kHead, Fault::kProtocol, BytesWritten::kAll);
}

TEST_F(Http1ConnectionTest, ATooLongHeadBehindAStatusIsThatAnswer) {
  options_.max_response_head_bytes = 256;
  Connect();
  Sent();
  Answer("HTTP/1.1 202 Accepted\r\nX: " + std::string(256, 'x'));
  ASSERT_TRUE(answered());
  EXPECT_FALSE(failed());
  EXPECT_EQ(end_->response->status, 202);
  EXPECT_FALSE(end_->reusable);
}

TEST_F(Http1ConnectionTest, LenientFormsOfAnswersAreAccepted) {
  for (const char* answer : {"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n",
                             "\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}",
                             "HTTP/1.1 202 Accepted\nContent-Length: 2\n\n{}", "HTTP/1.0 202\n\n",
                             "HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                             "HTTP/1.1 202 Accepted\r\nContent-Length: 1, 2\r\n\r\n{}",
                             "HTTP/1.1 202 Accepted\r\nwhat is this\r\nContent-Length: 2\r\n\r\n{}"}) {
    SCOPED_TRACE(answer);
    Connect();
    Sent();
    Answer(answer);
    server_->SendEnd();
    executor_.RunAll();
    ASSERT_TRUE(answered());
    EXPECT_FALSE(failed());
    EXPECT_EQ(end_->response->status, 202);
    connection_->Close();
    executor_.RunAll();
  }
}

TEST_F(Http1ConnectionTest, TheAnswerToAHeadRequestHasNoBody) {
  Connect();
  request_.method = "HEAD";
  Sent("");
  Answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  ASSERT_TRUE(answered());
  EXPECT_TRUE(end_->response->body_whole);
  EXPECT_TRUE(end_->reusable);
}

// -- Bodies that are not wanted --------------------------------------------------------------------------

class Http1UnwantedBodyTest : public Http1ConnectionTest {
 protected:
  Http1UnwantedBodyTest() { request_.body_timeout = kUnwantedBodyTimeout; }
  // Advances the clock and runs the alarms that become due.
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    executor_.RunAll();
  }
};

TEST_F(Http1UnwantedBodyTest, AHeadIsTheAnswerThoughItsBodyNeverEnds) {
  for (const char* body :
       {"Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nha", "\r\n"}) {
    SCOPED_TRACE(body);
    Connect();
    Sent();
    Answer(absl::StrCat("HTTP/1.1 202 Accepted\r\n", body));
    Pass(kUnwantedBodyTimeout - absl::Milliseconds(1));
    EXPECT_FALSE(end_.has_value()) << "the body may still come, and leave the connection usable";
    Pass(absl::Milliseconds(1));
    ASSERT_TRUE(answered());
    EXPECT_FALSE(failed());
    EXPECT_EQ(end_->response->status, 202);
    EXPECT_FALSE(end_->response->body_whole);
    EXPECT_FALSE(end_->reusable);
    EXPECT_FALSE(connection_->open());
  }
}

TEST_F(Http1UnwantedBodyTest, ATricklingBodyBuysNoMoreTime) {
  Connect();
  Sent();
  Answer("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n");
  int bytes = 0;
  for (; bytes < 100 && !end_.has_value(); ++bytes) {
    Answer("x");
    Pass(absl::Milliseconds(10));
  }
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->status, 503);
  EXPECT_EQ(bytes, kUnwantedBodyTimeout / absl::Milliseconds(10));
}

TEST_F(Http1UnwantedBodyTest, ABodyThatComesInTimeLeavesTheConnectionUsable) {
  Connect();
  for (int i = 0; i < 2; ++i) {
    Sent();
    Answer("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n");
    Pass(kUnwantedBodyTimeout / 2);
    EXPECT_FALSE(end_.has_value());
    Answer("{}");
    ASSERT_TRUE(answered());
    EXPECT_TRUE(end_->reusable);
    EXPECT_TRUE(end_->response->body_whole);
  }
  Pass(absl::Seconds(1));
  EXPECT_TRUE(connection_->open());
}

TEST_F(Http1UnwantedBodyTest, AnEarlyAnswerDoesNotCutTheRequestOff) {
  Connect();
  client_->set_capacity(50);
  Begin();
  executor_.RunAll();
  Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  Pass(absl::Seconds(10));
  EXPECT_FALSE(end_.has_value());
  client_->set_capacity(1 << 20);
  EXPECT_THAT(Received(), testing::EndsWith("\r\n\r\nbody"));
  executor_.RunAll();
  EXPECT_FALSE(end_.has_value());
  Pass(kUnwantedBodyTimeout);
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->status, 200);
}

TEST_F(Http1ConnectionTest, AWantedBodyIsWaitedFor) {
  Connect();
  Sent();
  Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  clock_.Advance(absl::Seconds(20));
  executor_.RunAll();
  EXPECT_FALSE(end_.has_value());
  Answer("{}");
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->body, "{}");
}

TEST_F(Http1ConnectionTest, ALongRequestIsSeenToMoveBeforeItEnds) {
  Connect();
  client_->set_capacity(1000);
  Begin(std::string(100000, 'x'));
  executor_.RunAll();
  int64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_GT(counts_.bytes_sent, last);
    last = counts_.bytes_sent;
    char buffer[1000];
    EXPECT_TRUE(server_->TryRead(absl::MakeSpan(buffer)).status.ok());
    executor_.RunAll();
  }
  // A trickling answer does not count as progress.
  Answer("HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(counts_.bytes_received, 0);
  EXPECT_FALSE(end_.has_value());
}

// -- How much was written --------------------------------------------------------------------------------

TEST_F(Http1ConnectionTest, NoByteIsWrittenWhenTheEndWasSeenBeforeTheRequestsTurn) {
  Connect();
  server_->SendEnd();
  Begin();  // the end is queued already
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kEnd, BytesWritten::kNone);
  EXPECT_EQ(client_->writes(), 0);
  EXPECT_EQ(idle_closed_, 0) << "it wasn't idle any more";
}

TEST_F(Http1ConnectionTest, NoByteIsWrittenWhenAResetWasSeenBeforeTheRequestsTurn) {
  Connect();
  server_->Reset();
  Begin();
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kReset, BytesWritten::kNone);
}

TEST_F(Http1ConnectionTest, NoByteIsWrittenWhenBytesCameBeforeTheRequestsTurn) {
  Connect();
  server_->StartWrite("HTTP/1.1 408 Request Timeout\r\n\r\n", [](IoResult) {});
  Begin();
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kProtocol, BytesWritten::kNone);
  EXPECT_EQ(client_->writes(), 0);
}

TEST_F(Http1ConnectionTest, NoByteIsWrittenWhenItHadEndedBefore) {
  Connect();
  server_->SendEnd();
  executor_.RunAll();
  Begin();
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kEnd, BytesWritten::kNone);
}

TEST_F(Http1ConnectionTest, NoByteIsWrittenWhenTheTransportTookNothing) {
  Connect();
  client_->set_capacity(0);
  Begin();
  executor_.RunAll();
  EXPECT_EQ(connection_->bytes_written(), BytesWritten::kNone);
  connection_->Abort(exchange_, Fault::kTimeout, absl::DeadlineExceededError("no answer within 30s"));
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kTimeout, BytesWritten::kNone);
}

TEST_F(Http1ConnectionTest, PartOfTheHead) {
  Connect();
  client_->set_reset_after_sending(10);
  Begin();
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kReset, BytesWritten::kPart);
}

TEST_F(Http1ConnectionTest, PartOfALargeBody) {
  Connect();
  client_->set_reset_after_sending(40000);
  Begin(std::string(50000, 'x'));
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kReset, BytesWritten::kPart);
}

TEST_F(Http1ConnectionTest, AllButTheLastByteIsPart) {
  Connect();
  const int64_t whole = static_cast<int64_t>(Sent().size());
  Answer(kAccepted);
  ends_ = 0;
  client_->set_reset_after_sending(2 * whole - 1);
  Begin();
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kReset, BytesWritten::kPart);
}

TEST_F(Http1ConnectionTest, PartWhenThePeerEndsAndReadsNoMore) {
  Connect();
  client_->set_capacity(1000);
  Begin(std::string(50000, 'x'));
  executor_.RunAll();
  EXPECT_EQ(connection_->bytes_written(), BytesWritten::kPart);
  server_->SendEnd();
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kEnd, BytesWritten::kPart);
}

TEST_F(Http1ConnectionTest, AllThenAReset) {
  Connect();
  Sent();
  EXPECT_EQ(connection_->bytes_written(), BytesWritten::kAll);
  server_->Reset();
  executor_.RunAll();
  ExpectFailure(Phase::kHead, Fault::kReset, BytesWritten::kAll);
  EXPECT_FALSE(failure().response_begun);
}

TEST_F(Http1ConnectionTest, AllThenAnEnd) {
  Connect();
  Sent();
  server_->SendEnd();
  executor_.RunAll();
  ExpectFailure(Phase::kHead, Fault::kEnd, BytesWritten::kAll);
}

TEST_F(Http1ConnectionTest, AllToAPeerThatIsGone) {
  // The first write to a peer that has forgotten the connection is accepted and answered by a reset.
  Connect();
  client_->set_hold_arrivals(true);
  server_.reset();
  Begin();
  executor_.RunAll();
  ExpectFailure(Phase::kHead, Fault::kReset, BytesWritten::kAll);
}

TEST_F(Http1ConnectionTest, AllWhenTheEndComesBetweenTheWriteAndItsCompletion) {
  Connect();
  Begin();
  server_->SendEnd();  // queued behind the request's turn, before its write completes
  executor_.RunAll();
  EXPECT_THAT(Received(), testing::EndsWith("\r\n\r\nbody")) << "the peer may act on it";
  ExpectFailure(Phase::kHead, Fault::kEnd, BytesWritten::kAll);
}

TEST_F(Http1ConnectionTest, AllWhenTheCallerGivesUpBetweenTheWriteAndItsCompletion) {
  for (const bool close : {false, true}) {
    ends_ = 0;
    Connect();
    Begin();
    ASSERT_TRUE(executor_.Step());
    ASSERT_EQ(client_->writes(), 1);
    if (close) {
      connection_->Close();
    } else {
      connection_->Abort(exchange_, Fault::kCancelled, absl::CancelledError("enough"));
    }
    EXPECT_FALSE(connection_->open());
    executor_.RunAll();
    EXPECT_THAT(Received(), testing::EndsWith("\r\n\r\nbody"));
    ExpectFailure(Phase::kHead, Fault::kCancelled, BytesWritten::kAll);
    EXPECT_EQ(ClassOf(failure()), RetryClass::kCancelled);
    EXPECT_TRUE(MayHaveBeenAccepted(failure()));
  }
}

TEST_F(Http1ConnectionTest, AnAnswerIsReadThoughAWriteFailed) {
  // The peer rejects a body that it doesn't want, then resets: its answer came before that.
  Connect();
  client_->set_capacity(1000);
  Begin(std::string(50000, 'x'));
  executor_.RunAll();
  server_->StartWrite("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", [](IoResult) {});
  executor_.Step();
  client_->set_reset_after_sending(0);
  executor_.RunAll();
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->status, 413);
}

// -- Between exchanges -----------------------------------------------------------------------------------

TEST_F(Http1ConnectionTest, AnEndWhileIdleIsSeen) {
  Connect();
  Sent();
  Answer(kAccepted);
  server_->SendEnd();
  EXPECT_TRUE(connection_->open()) << "the loop has not seen it";
  EXPECT_FALSE(connection_->CheckUsable());
  executor_.RunAll();
  EXPECT_FALSE(connection_->open());
  EXPECT_EQ(idle_closed_, 1);
  EXPECT_EQ(ends_, 1);
}

TEST_F(Http1ConnectionTest, AResetWhileIdleIsSeen) {
  Connect();
  server_->Reset();
  EXPECT_FALSE(connection_->CheckUsable());
  executor_.RunAll();
  EXPECT_FALSE(connection_->open());
  EXPECT_EQ(idle_closed_, 1);
}

TEST_F(Http1ConnectionTest, UnaskedForDataMakesItUnusable) {
  Connect();
  Sent();
  Answer(kAccepted);
  EXPECT_TRUE(connection_->CheckUsable());
  server_->StartWrite("HTTP/1.1 408 Request Timeout\r\n\r\n", [](IoResult) {});
  EXPECT_FALSE(connection_->CheckUsable());
  executor_.RunAll();
  EXPECT_FALSE(connection_->open());
  EXPECT_EQ(idle_closed_, 1);
  EXPECT_TRUE(client_->closed());
}

TEST_F(Http1ConnectionTest, ABlackHoleLooksUsable) {
  Connect();
  client_->set_hold_arrivals(true);
  server_->SendEnd();
  executor_.RunAll();
  EXPECT_TRUE(connection_->CheckUsable());
  EXPECT_TRUE(connection_->open());
}

// -- Deadlines and closing -------------------------------------------------------------------------------

// Gives an exchange 30 s, as the client does, and lets `text` trickle, a byte a second.
class Http1TrickleTest : public Http1ConnectionTest {
 protected:
  void Trickle(std::string_view text) {
    const Alarm deadline(clock_, absl::Seconds(30), [this] {
      connection_->Abort(exchange_, Fault::kTimeout, absl::DeadlineExceededError("no answer within 30s"));
    });
    for (size_t i = 0; i < text.size() && !end_.has_value(); ++i) {
      Answer(text.substr(i, 1));
      clock_.Advance(absl::Seconds(1));
      executor_.RunAll();
      ++seconds_;
    }
  }
  int seconds_ = 0;
};

TEST_F(Http1TrickleTest, AHeadThatTricklesIsTimedOut) {
  Connect();
  Sent();
  Trickle("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  ExpectFailure(Phase::kHead, Fault::kTimeout, BytesWritten::kAll);
  EXPECT_TRUE(failure().response_begun);
  EXPECT_EQ(seconds_, 30);
}

TEST_F(Http1TrickleTest, ABodyThatTricklesIsCutAndTheAnswerCounts) {
  Connect();
  Sent();
  Answer("HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n");
  Trickle(std::string(100, 'x'));
  ASSERT_TRUE(answered());
  EXPECT_EQ(end_->response->status, 202);
  EXPECT_EQ(end_->response->body.size(), 30u);
  EXPECT_FALSE(end_->response->body_whole);
  EXPECT_FALSE(end_->reusable);
  EXPECT_FALSE(connection_->open());
}

TEST_F(Http1ConnectionTest, ToAbortNothingDoesNothing) {
  Connect();
  connection_->Abort(exchange_, Fault::kTimeout, absl::DeadlineExceededError("x"));
  executor_.RunAll();
  EXPECT_TRUE(connection_->open());
  EXPECT_EQ(ends_, 0);
  EXPECT_EQ(idle_closed_, 0);
}

TEST_F(Http1ConnectionTest, ToAbortAnExchangeThatHasEndedDoesNothingToTheNext) {
  Connect();
  Sent();
  const HttpConnection::ExchangeId first = exchange_;
  Answer(kAccepted);
  ASSERT_TRUE(answered());
  Sent();
  connection_->Abort(first, Fault::kTimeout, absl::DeadlineExceededError("x"));
  Answer(kAccepted);
  EXPECT_TRUE(answered());
  EXPECT_EQ(ends_, 2);
}

TEST_F(Http1ConnectionTest, AbortedWhileQueuedItIsNeverSent) {
  Connect();
  Begin();
  connection_->Abort(exchange_, Fault::kCancelled, absl::CancelledError("enough"));
  executor_.RunAll();
  ExpectFailure(Phase::kWrite, Fault::kCancelled, BytesWritten::kNone);
  EXPECT_EQ(Received(), "");
}

TEST_F(Http1ConnectionTest, AbortedWhenAnsweredTheAnswerStands) {
  Connect();
  Sent();
  Answer("HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf");
  connection_->Abort(exchange_, Fault::kCancelled, absl::CancelledError("enough"));
  executor_.RunAll();
  ASSERT_TRUE(answered());
  EXPECT_FALSE(end_->response->body_whole);
}

TEST_F(Http1ConnectionTest, CloseEndsARunningExchangeOnce) {
  Connect();
  Sent();
  connection_->Close();
  EXPECT_FALSE(end_.has_value()) << "from the queue";
  connection_->Close();
  connection_->Abort(exchange_, Fault::kTimeout, absl::DeadlineExceededError("x"));
  executor_.RunAll();
  ExpectFailure(Phase::kHead, Fault::kCancelled, BytesWritten::kAll);
  EXPECT_EQ(idle_closed_, 0);
}

TEST_F(Http1ConnectionTest, CloseWhileIdleRunsNoCallback) {
  Connect();
  connection_->Close();
  executor_.RunAll();
  EXPECT_FALSE(connection_->open());
  EXPECT_FALSE(connection_->CheckUsable());
  EXPECT_EQ(idle_closed_, 0);
  char byte;
  EXPECT_EQ(server_->TryRead(absl::MakeSpan(&byte, 1)).status.code(), absl::StatusCode::kOutOfRange);
}

TEST_F(Http1ConnectionTest, AClosedConnectionIsNotKeptByItsRead) {
  Connect();
  const std::weak_ptr<Http1Connection> watch = connection_;
  connection_->Close();
  connection_.reset();
  executor_.RunAll();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace thaw
