#include "cc/agent/http_server.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/completion.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/clock/sleep.h"
#include "cc/flush/compress.h"
#include "cc/net/testing/memory_listener.h"
#include "cc/net/testing/memory_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kBodyLimit = 100'000;

std::string Post(std::string_view path, std::string_view body, std::string_view headers = "") {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: localhost\r\n", headers,
                      "Content-Length: ", body.size(), "\r\n\r\n", body);
}
std::string Chunked(std::string_view path, const std::vector<std::string>& chunks,
                    std::string_view headers = "") {
  std::string request = absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: localhost\r\n", headers,
                                     "Transfer-Encoding: chunked\r\n\r\n");
  for (const std::string& chunk : chunks)
    absl::StrAppend(&request, absl::Hex(chunk.size()), "\r\n", chunk, "\r\n");
  return request + "0\r\n\r\n";
}
// Returns the answer of /echo.
std::string Echoed(std::string_view body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ",
                      body.size(), "\r\n\r\n", body);
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() { Make({}); }
  ~HttpServerTest() override {
    server_.reset();
    executor_.RunAll();
    EXPECT_FALSE(door_.open());
  }

  void Make(HttpServerOptions options) {
    server_.reset();
    executor_.RunAll();
    ASSERT_TRUE(options.Validate().ok()) << options.Validate();
    std::vector<HttpRoute> routes;
    routes.push_back({.path = "/echo",
                      .methods = {"POST", "PUT"},
                      .max_body_bytes = kBodyLimit,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        bodies_.emplace_back(request.body);
                        queries_.emplace_back(request.query);
                        reply.Set(200, kTextType, request.body);
                      }});
    routes.push_back({.path = "/as-sent",
                      .max_body_bytes = kBodyLimit,
                      .decode_body = false,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        bodies_.emplace_back(request.body);
                        reply.Set(200, kTextType, request.Header("content-encoding"));
                      }});
    routes.push_back({.path = "/large",
                      .max_body_bytes = 50 << 20,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        bodies_.push_back(request.TakeBody());
                        reply.Set(202, kJsonType, "{}");
                      }});
    routes.push_back({.path = "/leave-out",
                      .max_body_bytes = 1000,
                      .too_large = TooLarge::kLeaveOutBody,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        bodies_.emplace_back(request.body);
                        reply.Set(200, kTextType, request.body_left_out ? "left out" : "whole");
                      }});
    routes.push_back({.path = "/task",
                      .max_body_bytes = 1000,
                      .task_handler = [this](HttpServerRequest& request, HttpReply& reply,
                                             Cancellation& cancellation) -> Task<void> {
                        return Slow(request, reply, cancellation);
                      }});
    routes.push_back({.path = "/expensive", .handler = [this](HttpServerRequest&, HttpReply& reply) {
                        ++expensive_;
                        clock_.Advance(absl::Milliseconds(1));
                        reply.Set(200, kTextType, "");
                      }});
    routes.push_back({.path = "/silent", .handler = [](HttpServerRequest&, HttpReply&) {}});
    routes.push_back({.path = "/close", .handler = [this](HttpServerRequest&, HttpReply& reply) {
                        reply.Set(200, kTextType, "never sent");
                        server_.reset();
                      }});
    server_ = std::make_unique<HttpServer>(executor_, clock_, options, std::move(routes));
    server_->Serve(door_.Open());
    executor_.RunAll();
  }
  // Answers after a second, with the request's body.
  Task<void> Slow(HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation) {
    Task<absl::Status> sleeping = Sleep(executor_, clock_, absl::Seconds(1), cancellation);
    task_end_ = co_await std::move(sleeping);
    reply.Set(200, kTextType, request.body);
  }

  // -- A client --------------------------------------------------------------------------------------------
  using Client = std::unique_ptr<MemoryTransport>;

  Client Connect() {
    Client client = door_.Connect();
    executor_.RunAll();
    return client;
  }
  void Send(const Client& client, std::string_view text) {
    while (!text.empty()) {
      size_t taken = 0;
      client->StartWrite(text, [&taken](IoResult result) { taken = result.bytes; });
      executor_.RunAll();
      if (taken == 0) return;
      text.remove_prefix(taken);
    }
  }
  // Returns all received bytes; "<end>" for the stream's end, "<reset>" for a reset.
  std::string Received(const Client& client) {
    std::string text;
    char buffer[16384];
    while (true) {
      const IoResult result = client->TryRead(absl::MakeSpan(buffer));
      if (absl::IsUnavailable(result.status)) return text;
      if (!result.status.ok()) return text + (absl::IsOutOfRange(result.status) ? "<end>" : "<reset>");
      text.append(buffer, result.bytes);
      executor_.RunAll();
    }
  }
  std::string Exchange(const Client& client, std::string_view request) {
    Send(client, request);
    return Received(client);
  }
  bool Works(const Client& client) { return Exchange(client, Post("/echo", "works")) == Echoed("works"); }
  // Advances time and runs everything due at its own moment.
  void Pass(absl::Duration time) {
    while (time > absl::ZeroDuration()) {
      const absl::Duration step = std::min(time, clock_.UntilNextAlarm().value_or(time));
      clock_.Advance(step);
      executor_.RunAll();
      time -= step;
    }
  }

  const HttpServerCounts& counts() const { return server_->counts(); }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  MemoryListener::Door door_{executor_};
  std::unique_ptr<HttpServer> server_;
  std::vector<std::string> bodies_;
  std::vector<std::string> queries_;
  int expensive_ = 0;  // requests for /expensive
  std::optional<absl::Status> task_end_;
};

// -- Requests -------------------------------------------------------------------------------------------

TEST_F(HttpServerTest, OneRequestIsOneReadAndOneWrite) {
  MemoryTransport* theirs = nullptr;
  const Client client = door_.Connect(&theirs);
  executor_.RunAll();
  for (int i = 1; i <= 100; ++i) {
    const std::string body = absl::StrCat("body ", i);
    EXPECT_EQ(Exchange(client, Post("/echo?n=1", body)), Echoed(body));
    EXPECT_EQ(theirs->writes(), i);
    EXPECT_EQ(theirs->reads(), i);
  }
  EXPECT_EQ(queries_.back(), "n=1");
  EXPECT_EQ(counts().accepted, 1);
  EXPECT_EQ(counts().requests, 100);
  EXPECT_EQ(counts().handled, 100);
  EXPECT_EQ(counts().answered, 100);
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(HttpServerTest, ARequestMayComeByteByByte) {
  const Client client = Connect();
  for (const std::string& request : {Post("/echo", "abc"), Chunked("/echo", {"a", "bc"})}) {
    for (const char byte : request) {
      EXPECT_EQ(Received(client), "");
      Send(client, std::string_view(&byte, 1));
    }
    EXPECT_EQ(Received(client), Echoed("abc"));
  }
  EXPECT_EQ(counts().requests, 2);
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInTheirOrder) {
  const Client client = Connect();
  std::string requests;
  std::string answers;
  for (int i = 0; i < 500; ++i) {
    const std::string body = absl::StrCat("body ", i);
    requests += i % 3 == 0 ? Chunked("/echo", {body}) : Post("/echo", body);
    answers += Echoed(body);
  }
  EXPECT_EQ(Exchange(client, requests), answers);
  // One request doesn't fit into the buffer, and another follows it.
  const std::string large(50'000, 'x');
  EXPECT_EQ(Exchange(client, Post("/echo", large) + Post("/echo", "next")), Echoed(large) + Echoed("next"));
}

TEST_F(HttpServerTest, RequestsOfEverySizeAroundTheBuffers) {
  const Client client = Connect();
  for (const size_t size :
       {0, 1, 15'000, 16'000, 16'200, 16'250, 16'300, 16'383, 16'384, 17'000, 65'536, 99'999, 100'000}) {
    const std::string body(size, 'b');
    EXPECT_EQ(Exchange(client, Post("/echo", body)), Echoed(body)) << size;
    EXPECT_EQ(Exchange(client, Post("/echo", body) + Post("/echo", "next")), Echoed(body) + Echoed("next"))
        << size;
    if (body.empty() || size + 4 > kBodyLimit) continue;
    EXPECT_EQ(Exchange(client, Chunked("/echo", {body, "tail"})), Echoed(body + "tail")) << size;
  }
}

TEST_F(HttpServerTest, ABodyOfFiftyMegabytesIsTakenInPieces) {
  const Client client = Connect();
  const std::string body(50 << 20, 'x');
  EXPECT_THAT(Exchange(client, Post("/large", body)), StartsWith("HTTP/1.1 202 Accepted\r\n"));
  ASSERT_EQ(bodies_.size(), 1);
  EXPECT_EQ(bodies_[0], body);
  EXPECT_EQ(server_->incoming_bytes(), 0);
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, AnEmptyLineBeforeARequestIsSkipped) {
  const Client client = Connect();
  EXPECT_EQ(Exchange(client, "\r\n" + Post("/echo", "a")), Echoed("a"));
  EXPECT_EQ(Exchange(client, "\r\n\r\n"), "");
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, AHeadOfSixtyKilobytesIsTaken) {
  const Client client = Connect();
  const std::string header = absl::StrCat("X-Long: ", std::string(60'000, 'x'), "\r\n");
  EXPECT_EQ(Exchange(client, Post("/echo", "body", header)), Echoed("body"));
  const std::string large(40'000, 'x');
  EXPECT_EQ(Exchange(client, Post("/echo", large, header)), Echoed(large));
  EXPECT_EQ(Exchange(client, Chunked("/echo", {large, "a"}, header)), Echoed(large + "a"));
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, AConnectionEndsWhenTheClientSaysSo) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, Post("/echo", "a", "Connection: close\r\n")),
              testing::AllOf(HasSubstr("Connection: close\r\n"), EndsWith("\r\n\r\na<end>")));
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(HttpServerTest, Http10IsAnsweredInItsWay) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"),
              testing::AllOf(HasSubstr("Connection: keep-alive\r\n"), EndsWith("\r\n\r\na")));
  EXPECT_THAT(Exchange(client, "POST /echo HTTP/1.0\r\nContent-Length: 1\r\n\r\na"),
              EndsWith("\r\n\r\na<end>"));
}

TEST_F(HttpServerTest, TheAnswerToHeadHasNoBody) {
  const Client client = Connect();
  EXPECT_EQ(Exchange(client, "HEAD /as-sent HTTP/1.1\r\nHost: x\r\nContent-Encoding: abc\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\n");
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, AHandlerThatSetsNothingIsAFailure) {
  EXPECT_THAT(Exchange(Connect(), "GET /silent HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, ExpectContinueIsAnsweredWhenTheBodyIsWaitedFor) {
  const Client client = Connect();
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  EXPECT_EQ(Exchange(client, head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(Exchange(client, "abc"), Echoed("abc"));
  EXPECT_EQ(Exchange(client, head + "abc"), Echoed("abc")) << "it didn't wait";
  EXPECT_EQ(counts().continued, 1);
}

TEST_F(HttpServerTest, ARefusedRequestGetsNoContinue) {
  const Client client = Connect();
  EXPECT_THAT(
      Exchange(client,
               "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n"),
      StartsWith("HTTP/1.1 413 "));
  const Client other = Connect();
  EXPECT_THAT(
      Exchange(other, "POST /none HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
      StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(counts().continued, 0);
}

// -- Codings --------------------------------------------------------------------------------------------

TEST_F(HttpServerTest, CompressedBodiesAreDecoded) {
  const Client client = Connect();
  const std::string body(50'000, 'x');
  EXPECT_EQ(Exchange(client, Post("/echo", *CompressGzip(body, 6), "Content-Encoding: gzip\r\n")),
            Echoed(body));
  EXPECT_EQ(Exchange(client, Post("/echo", *CompressZstd(body, 3), "Content-Encoding: zstd\r\n")),
            Echoed(body));
  EXPECT_EQ(Exchange(client, Chunked("/echo", {*CompressZstd(body, 3)}, "Content-Encoding: zstd\r\n")),
            Echoed(body));
  EXPECT_EQ(counts().bodies_decoded, 3);
}

TEST_F(HttpServerTest, ABombIsRefusedAndTheConnectionGoesOn) {
  const Client client = Connect();
  const std::string bomb = *CompressGzip(std::string(20 << 20, '\0'), 9);
  EXPECT_THAT(Exchange(client, Post("/echo", bomb, "Content-Encoding: gzip\r\n")),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(counts().refused_too_large, 1);
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, ABodyThatIsNotOfItsCodingIsRefusedWithTheReason) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, Post("/echo", "no gzip", "Content-Encoding: gzip\r\n")),
              testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("the gzip body: at byte")));
  EXPECT_EQ(counts().refused_undecodable, 1);
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, AnUnknownCodingIsRefusedWithThoseThatAreKnown) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, Post("/echo", "body", "Content-Encoding: br\r\n")),
              testing::AllOf(StartsWith("HTTP/1.1 415 "), HasSubstr("Accept-Encoding: gzip, zstd\r\n")));
  EXPECT_EQ(counts().refused_coding, 1);
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, ARouteMayTakeBodiesAsTheyWereSent) {
  const Client client = Connect();
  const std::string packed = *CompressGzip("body", 6);
  EXPECT_THAT(Exchange(client, Post("/as-sent", packed, "Content-Encoding: gzip\r\n")),
              EndsWith("\r\n\r\ngzip"));
  EXPECT_THAT(bodies_, ElementsAre(packed));
}

// -- Refusals -------------------------------------------------------------------------------------------

TEST_F(HttpServerTest, AnUnknownPathIsNotFoundAndTheConnectionGoesOn) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, Post("/v0.7/config", "body")),
              testing::AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), EndsWith("\r\n\r\nNot Found")));
  EXPECT_THAT(Exchange(client, Chunked("/none", {"a", "b"})), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Exchange(client, "GET /echo/ HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(counts().refused_not_found, 3);
  EXPECT_TRUE(Works(client));
  EXPECT_THAT(bodies_, ElementsAre("works"));
}

TEST_F(HttpServerTest, AWrongMethodIsToldTheRightOnes) {
  const Client client = Connect();
  EXPECT_THAT(
      Exchange(client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"),
      testing::AllOf(StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"), HasSubstr("Allow: POST, PUT\r\n")));
  EXPECT_EQ(counts().refused_method, 1);
  EXPECT_THAT(Exchange(client, Post("/none", "")), Not(HasSubstr("Allow")));
}

TEST_F(HttpServerTest, ABodyOverTheLimitIsRefusedBeforeItCame) {
  const Client client = Connect();
  EXPECT_THAT(
      Exchange(client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n"),
      testing::AllOf(StartsWith("HTTP/1.1 413 Content Too Large\r\n"), HasSubstr("Connection: close\r\n"),
                     EndsWith("a body of 100001 bytes is larger than 100000")));
  EXPECT_EQ(counts().refused_too_large, 1);
  // The body that the client sends nevertheless is read, so that no reset precedes the answer.
  Send(client, std::string(100'001, 'x'));
  EXPECT_EQ(Received(client), "");
  client->SendEnd();
  executor_.RunAll();
  EXPECT_EQ(Received(client), "<end>");
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_THAT(bodies_, IsEmpty());
}

TEST_F(HttpServerTest, AClientThatIsRefusedHasAWhileToSeeIt) {
  const Client client = Connect();
  Send(client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n");
  EXPECT_THAT(Received(client), StartsWith("HTTP/1.1 413 "));
  Pass(absl::Milliseconds(1999));
  EXPECT_EQ(server_->connections(), 1);
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_EQ(Received(client), "<end>");
}

TEST_F(HttpServerTest, ChunksOverTheLimitAreRefused) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, Chunked("/echo", std::vector<std::string>(11, std::string(10'000, 'x')))),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(counts().refused_too_large, 1);
  EXPECT_EQ(server_->incoming_bytes(), 0) << "given back at once";
  EXPECT_THAT(bodies_, IsEmpty());
}

TEST_F(HttpServerTest, AChunkLineWithoutAnEndIsRefused) {
  const Client client = Connect();
  EXPECT_THAT(
      Exchange(client, absl::StrCat("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;",
                                    std::string(5000, 'x'))),
      testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("a chunk's line is longer")));
}

TEST_F(HttpServerTest, ARouteMayGoOnWithoutALargeBody) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, Post("/leave-out", std::string(1000, 'x'))), EndsWith("whole"));
  EXPECT_THAT(Exchange(client, Post("/leave-out", std::string(7'000'000, 'x'))), EndsWith("left out"));
  EXPECT_THAT(Exchange(client, Chunked("/leave-out", {std::string(1001, 'x'), std::string(50'000, 'x')})),
              EndsWith("left out"));
  EXPECT_THAT(Exchange(client, Post("/leave-out", *CompressGzip(std::string(2000, 'x'), 6),
                                    "Content-Encoding: gzip\r\n")),
              EndsWith("left out"));
  EXPECT_THAT(bodies_, ElementsAre(std::string(1000, 'x'), "", "", ""));
  EXPECT_EQ(counts().bodies_left_out, 3);
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, AHeadOverTheLimitIsRefused) {
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, absl::StrCat("GET / HTTP/1.1\r\nHost: x\r\nX: ", std::string(70'000, 'x'))),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(counts().refused_head, 1);
}

TEST_F(HttpServerTest, BadBytesCostTheirConnectionAlone) {
  const Client good = Connect();
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x00\xa5", 5), std::string("hello\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: x\r\nbad\r\n"),
        std::string(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
        std::string("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")}) {
    const Client client = Connect();
    EXPECT_THAT(Exchange(client, bytes), StartsWith("HTTP/1.1 400 "));
  }
  EXPECT_EQ(counts().refused_not_http, 5);
  const Client client = Connect();
  EXPECT_THAT(Exchange(client, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
              StartsWith("HTTP/1.1 501 "));
  EXPECT_EQ(counts().refused_transfer_coding, 1);
  EXPECT_TRUE(Works(good));
}

// -- Room -----------------------------------------------------------------------------------------------

std::string Promise(std::string_view path, size_t bytes) {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: x\r\nContent-Length: ", bytes, "\r\n\r\n");
}

TEST_F(HttpServerTest, RoomIsGivenToBytesThatCameAndNotToThoseThatArePromised) {
  Make({.max_incoming_bytes = 60 << 20});
  std::vector<Client> promising;
  for (int i = 0; i < 200; ++i) {
    promising.push_back(Connect());
    Send(promising.back(), Promise("/large", 39 << 20));
  }
  EXPECT_LE(server_->incoming_bytes(), 200 * (64 << 10));
  const std::string large(30 << 20, 'x');
  EXPECT_THAT(Exchange(Connect(), Post("/large", large)), StartsWith("HTTP/1.1 202 "));
  EXPECT_EQ(counts().refused_incoming, 0);
  EXPECT_EQ(counts().gave_way, 0);
}

TEST_F(HttpServerTest, ABodysBufferIsAtMostTwiceTheBytesReceived) {
  const Client client = Connect();
  Send(client, Promise("/large", 10 << 20));
  for (size_t came = 64 << 10; came < 10 << 20; came += 64 << 10) {
    Send(client, std::string(64 << 10, 'x'));
    EXPECT_LE(server_->incoming_bytes(), 2 * came + (64 << 10)) << came;
  }
  EXPECT_THAT(Exchange(client, std::string(64 << 10, 'x')), StartsWith("HTTP/1.1 202 "));
  EXPECT_EQ(bodies_.back().size(), 10 << 20);
  EXPECT_EQ(server_->incoming_bytes(), 0);
}

TEST_F(HttpServerTest, WhereRoomIsShortTheRequestGivesWayThatStoodStillLongest) {
  Make({.max_incoming_bytes = 3 << 20});
  const Client one = Connect();
  const Client two = Connect();
  for (const Client* client : {&one, &two}) {
    Send(*client, Promise("/large", 2 << 20));
    Send(*client, std::string(900 << 10, 'x'));
    Pass(absl::Milliseconds(20));
  }
  const std::string large(1 << 20, 'x');
  EXPECT_THAT(Exchange(Connect(), Post("/large", large)), StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(Received(one), testing::AllOf(StartsWith("HTTP/1.1 408 "), EndsWith("<end>")));
  EXPECT_EQ(counts().gave_way, 1);
  EXPECT_THAT(Exchange(two, std::string((2 << 20) - (900 << 10), 'x')), StartsWith("HTTP/1.1 202 "));
}

TEST_F(HttpServerTest, AStillRequestGivesWayToMemoryThatIsNeededElsewhere) {
  Make({.max_incoming_bytes = 3 << 20});
  EXPECT_FALSE(server_->GiveWay());
  const Client idle = Connect();
  const Client still = Connect();
  Send(still, Promise("/large", 2 << 20));
  Send(still, std::string(900 << 10, 'x'));
  EXPECT_FALSE(server_->GiveWay()) << "it has just got on";
  Pass(absl::Milliseconds(20));
  EXPECT_TRUE(server_->GiveWay());
  EXPECT_THAT(Received(still), testing::AllOf(StartsWith("HTTP/1.1 408 "), EndsWith("<end>")));
  EXPECT_EQ(server_->incoming_bytes(), 0);
  EXPECT_FALSE(server_->GiveWay());
}

TEST_F(HttpServerTest, DribblingIsNoProgress) {
  Make({.max_incoming_bytes = 3 << 20});
  const Client sized = Connect();
  Send(sized, Promise("/large", 2 << 20));
  Send(sized, std::string(1000 << 10, 'x'));
  const Client chunks = Connect();
  Send(chunks, "POST /large HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  Send(chunks, absl::StrCat(absl::Hex(1000 << 10), "\r\n", std::string(1000 << 10, 'x'), "\r\n"));
  for (int i = 0; i < 50; ++i) {
    Pass(absl::Milliseconds(1));
    Send(sized, "x");
    Send(chunks, "1\r\nx\r\n");
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(Exchange(Connect(), Post("/large", std::string(1 << 20, 'x'))), StartsWith("HTTP/1.1 202 "))
        << i;
  EXPECT_EQ(counts().gave_way, 1);
}

TEST_F(HttpServerTest, AmongRequestsThatGetOnTheOneIsTurnedAwayThatNeedsMore) {
  Make({.max_incoming_bytes = 6 << 20});
  const Client one = Connect();
  Send(one, Promise("/large", 4 << 20));
  Send(one, std::string(3 << 20, 'x'));
  const Client two = Connect();
  EXPECT_THAT(Exchange(two, Promise("/large", 4 << 20) + std::string(4 << 20, 'x')),
              StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(Exchange(Connect(), Chunked("/large", {std::string(3 << 20, 'x')})),
              StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(counts().refused_incoming, 2);
  EXPECT_THAT(Exchange(one, std::string(1 << 20, 'x')), StartsWith("HTTP/1.1 202 "));
}

TEST_F(HttpServerTest, SmallRequestsAlwaysFindRoom) {
  Make({.max_incoming_bytes = 4 << 20});
  const std::string small(60'000, 'x');
  std::vector<Client> standing;
  for (int i = 0; i < 150; ++i) {
    standing.push_back(Connect());
    Send(standing.back(), Promise("/large", 1 << 20));
    Send(standing.back(), std::string((64 << 10) - 1, 'x'));
    EXPECT_LE(server_->incoming_bytes(), (4 << 20) + (4 << 20) / 8);
    EXPECT_EQ(Exchange(Connect(), Post("/echo", small)), Echoed(small)) << i;
    EXPECT_EQ(Exchange(Connect(), Chunked("/echo", {small})), Echoed(small)) << i;
  }
  EXPECT_GT(counts().gave_way, 0);
  EXPECT_EQ(counts().refused_incoming, 0);
}

TEST_F(HttpServerTest, LongHeadsTakeRoomToo) {
  Make({.max_incoming_bytes = 256 << 10});
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(Connect());
    Send(clients.back(), absl::StrCat("GET / HTTP/1.1\r\nHost: x\r\nX: ", std::string(60'000, 'x')));
    EXPECT_LE(server_->incoming_bytes(), (256 + 32) << 10);
    Pass(absl::Milliseconds(20));
  }
  EXPECT_GT(counts().gave_way, 0);
  for (Client& client : clients) client.reset();
  executor_.RunAll();
  EXPECT_EQ(server_->incoming_bytes(), 0);
}

TEST_F(HttpServerTest, ABodyThatNeverFitsIsRefusedAtOnce) {
  Make({.max_incoming_bytes = 3 << 20});
  EXPECT_THAT(Exchange(Connect(), Promise("/large", (2 << 20) + 1)),
              testing::AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("is larger than 2097152")));
  EXPECT_THAT(Exchange(Connect(), Post("/large", std::string(2 << 20, 'x'))), StartsWith("HTTP/1.1 202 "));
}

TEST_F(HttpServerTest, AChunkOverTheLimitIsRefusedByItsFirstLine) {
  EXPECT_THAT(
      Exchange(Connect(), "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n"),
      StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      Exchange(Connect(),
               "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
      StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, ThePartsOfARequestAreAcknowledgedAtOnce) {
  MemoryTransport* theirs = nullptr;
  const Client client = door_.Connect(&theirs);
  executor_.RunAll();
  for (const std::string& request :
       {Post("/echo", std::string(100, 'x')), Post("/echo", std::string(50'000, 'x')),
        Chunked("/echo", {std::string(20'000, 'x')}), Post("/none", "abc")}) {
    EXPECT_EQ(theirs->wire_bytes_received() - theirs->acknowledged(), 0);
    const size_t head = request.find("\r\n\r\n") + 4;
    for (const auto& [begin, end] :
         {std::pair<size_t, size_t>(0, 10), {10, head}, {head, request.size() - 1}}) {
      Send(client, std::string_view(request).substr(begin, end - begin));
      EXPECT_EQ(theirs->acknowledged(), theirs->wire_bytes_received());
    }
    EXPECT_THAT(Exchange(client, std::string_view(request).substr(request.size() - 1)),
                StartsWith("HTTP/1.1 "));
    EXPECT_EQ(theirs->acknowledged(), theirs->wire_bytes_received() - 1) << "the answer acknowledges it";
    theirs->AcknowledgeNow();
  }
}

TEST_F(HttpServerTest, ThePartsOfABodyThatIsRefusedAreAcknowledgedAtOnce) {
  MemoryTransport* theirs = nullptr;
  const Client client = door_.Connect(&theirs);
  executor_.RunAll();
  const std::string request = Post("/echo", std::string(kBodyLimit + 1, 'x'));
  const size_t head = request.find("\r\n\r\n") + 4;
  EXPECT_THAT(Exchange(client, std::string_view(request).substr(0, head)), StartsWith("HTTP/1.1 413 "));
  for (size_t at = head; at + 1000 < head + 10'000; at += 1000) {
    Send(client, std::string_view(request).substr(at, 1000));
    EXPECT_EQ(theirs->acknowledged(), theirs->wire_bytes_received());
  }
}

TEST_F(HttpServerTest, PipelinedRequestsLetOthersHaveTheirTurns) {
  const Client many = Connect();
  const Client one = Connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += Post("/echo", "many");
  many->StartWrite(requests, [](IoResult) {});
  one->StartWrite(Post("/echo", "one"), [](IoResult) {});
  executor_.RunAll();
  ASSERT_EQ(bodies_.size(), 201);
  EXPECT_LT(std::find(bodies_.begin(), bodies_.end(), "one") - bodies_.begin(), 40);
}

TEST_F(HttpServerTest, ExpensivePipelinedRequestsLetOthersHaveTheirTurns) {
  std::vector<Client> clients;
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += Post("/expensive", "");
  for (int i = 0; i < 20; ++i) clients.push_back(Connect());
  const Client one = Connect();
  for (const Client& client : clients) client->StartWrite(requests, [](IoResult) {});
  // The pipelined requests are being answered when the other client's comes.
  while (expensive_ < 100) ASSERT_TRUE(executor_.Step());
  absl::Duration longest;
  for (int i = 0; i < 20; ++i) {
    const absl::Duration before = clock_.Now().monotonic;
    const size_t bodies = bodies_.size();
    one->StartWrite(Post("/echo", "one"), [](IoResult) {});
    while (bodies_.size() == bodies) ASSERT_TRUE(executor_.Step());
    longest = std::max(longest, clock_.Now().monotonic - before);
    Received(one);
  }
  EXPECT_LE(longest, absl::Milliseconds(15));
  executor_.RunAll();
  EXPECT_EQ(expensive_, 2'000);
}

TEST_F(HttpServerTest, ManyConnectionsWithPipelinedRequestsLetOthersHaveTheirTurns) {
  std::vector<Client> clients;
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += Post("/echo", "many");
  for (int i = 0; i < 60; ++i) clients.push_back(Connect());
  const Client one = Connect();
  for (const Client& client : clients) client->StartWrite(requests, [](IoResult) {});
  one->StartWrite(Post("/echo", "one"), [](IoResult) {});
  executor_.RunAll();
  ASSERT_EQ(bodies_.size(), 3'001);
  // The first request of each may come before.
  EXPECT_LT(std::find(bodies_.begin(), bodies_.end(), "one") - bodies_.begin(), 500);
}

TEST_F(HttpServerTest, ConnectionsMayCloseWhileTheyWaitForTheirTurns) {
  std::vector<Client> clients;
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += Post("/expensive", "");
  for (int i = 0; i < 5; ++i) clients.push_back(Connect());
  for (const Client& client : clients) client->StartWrite(requests, [](IoResult) {});
  while (expensive_ < 20) ASSERT_TRUE(executor_.Step());
  server_->Close();
  executor_.RunAll();
  EXPECT_LT(expensive_, 30);
}

// -- Slow and broken clients ----------------------------------------------------------------------------

TEST_F(HttpServerTest, ASlowHeadIsGivenUp) {
  const Client client = Connect();
  Send(client, "POST /echo HT");
  Pass(absl::Seconds(6));
  Send(client, "TP/1.1\r\n");
  Pass(absl::Milliseconds(3999));
  EXPECT_EQ(Received(client), "");
  Pass(absl::Milliseconds(1));
  EXPECT_THAT(Received(client), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_EQ(counts().refused_timeout, 1);
  Pass(absl::Seconds(2));
  EXPECT_EQ(Received(client), "<end>");
}

TEST_F(HttpServerTest, ASlowBodyIsGivenUp) {
  const Client small = Connect();
  const Client large = Connect();
  const Client chunks = Connect();
  Send(small, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  Send(large, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\nabc");
  Send(chunks, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc");
  Pass(absl::Seconds(59));
  for (const Client* client : {&small, &large, &chunks}) EXPECT_EQ(Received(*client), "");
  Pass(absl::Seconds(1));
  for (const Client* client : {&small, &large, &chunks})
    EXPECT_THAT(Received(*client), StartsWith("HTTP/1.1 408 "));
  // The rest comes too late.
  Send(large, std::string(99'996, 'x'));
  Pass(absl::Seconds(2));
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_THAT(bodies_, IsEmpty());
}

TEST_F(HttpServerTest, AFreezeIsNotTheClientsSlowness) {
  const Client client = Connect();
  Send(client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  Pass(absl::Seconds(1));
  clock_.Freeze(absl::Hours(3));
  executor_.RunAll();
  server_->Resume();
  Pass(absl::Seconds(1));
  EXPECT_EQ(Exchange(client, "def"), Echoed("abcdef"));
}

TEST_F(HttpServerTest, NoRequestIsGivenUpWithinASecondOfAResume) {
  const Client client = Connect();
  Send(client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  Pass(absl::Milliseconds(59'999));
  clock_.Freeze(absl::Hours(3));
  server_->Resume();
  Pass(absl::Milliseconds(999));
  EXPECT_EQ(Exchange(client, "def"), Echoed("abcdef"));
  Send(client, "POST");
  Pass(absl::Seconds(10));
  EXPECT_THAT(Received(client), StartsWith("HTTP/1.1 408 ")) << "that was long ago";
}

TEST_F(HttpServerTest, AClientThatEndsHalfwayIsToldSo) {
  const Client head = Connect();
  Send(head, "POST /echo HTTP/1.1\r\n");
  head->SendEnd();
  const Client body = Connect();
  Send(body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nabc");
  body->SendEnd();
  executor_.RunAll();
  EXPECT_THAT(Received(head),
              testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("within the request's head")));
  EXPECT_THAT(Received(body),
              testing::AllOf(StartsWith("HTTP/1.1 400 "), EndsWith("within the request's body<end>")));
  EXPECT_EQ(counts().refused_cut, 2);
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_EQ(server_->incoming_bytes(), 0);
}

TEST_F(HttpServerTest, AHalfOpenClientIsAnswered) {
  const Client client = Connect();
  client->StartWrite(Post("/echo", "last"), [](IoResult) {});
  client->SendEnd();
  executor_.RunAll();
  EXPECT_EQ(Received(client), Echoed("last") + "<end>");
}

TEST_F(HttpServerTest, AClientThatDisappearsIsForgotten) {
  for (const std::string& bytes :
       {std::string("POST /ec"),
        std::string("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\nabc"),
        std::string("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")}) {
    const Client client = Connect();
    Send(client, bytes);
    EXPECT_EQ(server_->connections(), 1);
    client->Reset();
    executor_.RunAll();
    EXPECT_EQ(server_->connections(), 0);
  }
  EXPECT_EQ(counts().client_lost, 3);
  Client idle = Connect();
  idle.reset();
  executor_.RunAll();
  EXPECT_EQ(counts().closed_by_peer, 1);
  EXPECT_EQ(server_->incoming_bytes(), 0);
}

TEST_F(HttpServerTest, AClientThatDoesNotReadIsGivenUp) {
  MemoryTransport* theirs = nullptr;
  const Client client = door_.Connect(&theirs);
  executor_.RunAll();
  theirs->set_capacity(100);
  client->set_hold_arrivals(true);
  Send(client, Post("/echo", std::string(1000, 'x')));
  EXPECT_EQ(server_->connections(), 1);
  Pass(absl::Seconds(10));
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_EQ(counts().write_timeouts, 1);
  EXPECT_EQ(counts().answered, 0);
}

TEST_F(HttpServerTest, AClientThatReadsSlowlyGetsAllOfIt) {
  MemoryTransport* theirs = nullptr;
  const Client client = door_.Connect(&theirs);
  executor_.RunAll();
  theirs->set_capacity(100);
  const std::string body(10'000, 'x');
  EXPECT_EQ(Exchange(client, Post("/echo", body) + Post("/echo", "next")), Echoed(body) + Echoed("next"));
  theirs->set_write_limit(7);
  EXPECT_EQ(Exchange(client, Post("/echo", "abc")), Echoed("abc"));
}

// -- Idle connections -----------------------------------------------------------------------------------

TEST_F(HttpServerTest, AnIdleConnectionIsClosedAfterItsTime) {
  const Client client = Connect();
  EXPECT_TRUE(Works(client));
  Pass(absl::Minutes(5));
  EXPECT_EQ(server_->connections(), 1);
  EXPECT_EQ(Received(client), "");
  Pass(absl::Minutes(1.25));
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_EQ(Received(client), "<end>");
  EXPECT_EQ(counts().closed_idle, 1);
  EXPECT_EQ(clock_.UntilNextAlarm(), std::nullopt) << "nothing wakes a server without connections";
}

TEST_F(HttpServerTest, AConnectionInUseIsNotIdle) {
  const Client client = Connect();
  for (int i = 0; i < 20; ++i) {
    Pass(absl::Minutes(4));
    EXPECT_TRUE(Works(client));
  }
  EXPECT_EQ(counts().closed_idle, 0);
}

TEST_F(HttpServerTest, FrozenTimeIsNotIdleTime) {
  const Client client = Connect();
  for (int i = 0; i < 20; ++i) {
    clock_.Freeze(absl::Hours(1));
    executor_.RunAll();
    server_->Resume();
    Pass(absl::Seconds(10));
  }
  EXPECT_EQ(server_->connections(), 1);
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, NoConnectionIsClosedForBeingIdleWithinASecondOfAResume) {
  const Client client = Connect();
  // Four ticks have passed; the fifth falls into the second after the resume.
  Pass(absl::Minutes(6.25) - absl::Milliseconds(200));
  clock_.Freeze(absl::Seconds(20));
  server_->Resume();
  executor_.RunAll();
  Pass(absl::Milliseconds(900));
  EXPECT_EQ(server_->connections(), 1);
  EXPECT_TRUE(Works(client));
  EXPECT_EQ(counts().closed_idle, 0);
  EXPECT_EQ(counts().resumes, 1);
}

TEST_F(HttpServerTest, AQuiescedServerIsNotWokenByTheLastResume) {
  server_->Resume();
  Pass(absl::Milliseconds(10));
  server_->Quiesce();
  EXPECT_EQ(clock_.UntilNextAlarm(), std::nullopt);
  server_->Resume();
  EXPECT_NE(clock_.UntilNextAlarm(), std::nullopt);
}

TEST_F(HttpServerTest, NoConnectionIsClosedWithBytesWaiting) {
  const Client client = Connect();
  Pass(absl::Minutes(6.25) - absl::Nanoseconds(1));
  clock_.Advance(absl::Nanoseconds(1));
  // The request arrives between the alarm and its turn.
  client->StartWrite(Post("/echo", "in time"), [](IoResult) {});
  executor_.RunAll();
  EXPECT_EQ(counts().woken_when_closing, 1);
  EXPECT_EQ(counts().closed_idle, 0);
  EXPECT_EQ(Received(client), Echoed("in time"));
  EXPECT_TRUE(Works(client));
}

// -- Limits ---------------------------------------------------------------------------------------------

TEST_F(HttpServerTest, AtTheLimitTheLongestIdleIsClosedFirst) {
  Make({.max_connections = 3});
  const Client one = Connect();
  const Client two = Connect();
  const Client three = Connect();
  EXPECT_TRUE(Works(one));
  const Client four = Connect();
  EXPECT_EQ(Received(two), "<end>");
  const Client five = Connect();
  EXPECT_EQ(Received(three), "<end>");
  for (const Client* client : {&one, &four, &five}) EXPECT_TRUE(Works(*client));
  EXPECT_EQ(server_->connections(), 3);
  EXPECT_EQ(counts().closed_for_room, 2);
}

TEST_F(HttpServerTest, AtTheLimitConnectionsWithARunningHandlerAreNotClosedAndTheNewOneWaits) {
  Make({.max_connections = 2});
  const Client one = Connect();
  const Client two = Connect();
  Send(one, Post("/task", "one"));
  Send(two, Post("/task", "two"));
  const Client three = Connect();
  const Client four = Connect();
  EXPECT_EQ(Exchange(three, Post("/echo", "patient")), "");
  EXPECT_EQ(counts().held_at_limit, 1);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Received(one), Echoed("one") + "<end>");
  EXPECT_EQ(Received(two), Echoed("two") + "<end>");
  EXPECT_EQ(Received(three), Echoed("patient"));
  EXPECT_TRUE(Works(four));
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(HttpServerTest, AtTheLimitTheRequestIsClosedThatStoodStillLongest) {
  Make({.max_connections = 5});
  const Client idle = Connect();
  std::vector<Client> half;
  for (const std::string& bytes :
       {std::string("POST /echo HT"), Promise("/echo", 3), Promise("/echo", 50'000),
        std::string("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1")}) {
    half.push_back(Connect());
    Send(half.back(), bytes);
    Pass(absl::Milliseconds(20));
  }
  std::vector<Client> good;
  for (size_t i = 0; i < half.size(); ++i) {
    good.push_back(Connect());
    EXPECT_TRUE(Works(good.back())) << i;
    EXPECT_THAT(Received(half[i]), testing::AllOf(StartsWith("HTTP/1.1 408 "), EndsWith("<end>"))) << i;
  }
  EXPECT_EQ(counts().gave_way, 4);
  EXPECT_TRUE(Works(idle)) << "a client that has sent nothing yet may be about to";
}

TEST_F(HttpServerTest, AtTheLimitTheIdleOnesAreClosedBeforeRequestsThatGetOn) {
  Make({.max_connections = 2});
  const Client idle = Connect();
  EXPECT_TRUE(Works(idle));
  const Client busy = Connect();
  EXPECT_TRUE(Works(busy));
  Send(busy, Promise("/echo", 3));
  EXPECT_TRUE(Works(Connect()));
  EXPECT_EQ(Received(idle), "<end>");
  EXPECT_EQ(Exchange(busy, "abc"), Echoed("abc"));
}

TEST_F(HttpServerTest, AtTheLimitThereIsRoomEvenIfAllHaveJustGotOn) {
  Make({.max_connections = 2});
  const Client one = Connect();
  const Client two = Connect();
  Send(one, Promise("/echo", 3));
  Pass(absl::Milliseconds(1));
  Send(two, Promise("/echo", 3));
  const Client three = Connect();
  EXPECT_EQ(Exchange(three, Post("/echo", "patient")), "") << "one of them may be about to end its request";
  Pass(absl::Milliseconds(9));
  EXPECT_EQ(server_->connections(), 2);
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(Received(three), Echoed("patient"));
  EXPECT_THAT(Received(one), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(Exchange(two, "abc"), Echoed("abc"));
}

TEST_F(HttpServerTest, AtTheLimitConnectionsThatBroughtARequestAreClosedLast) {
  Make({.max_connections = 4});
  const Client tracer = Connect();
  EXPECT_TRUE(Works(tracer));
  // There are more of each kind than there is room for, all at the same moment.
  for (const std::string& bytes :
       {std::string(), std::string("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n"), std::string("POST /echo HT"),
        Post("/unknown", "x"), Promise("/echo", 3)}) {
    std::vector<Client> crowd;
    for (int i = 0; i < 20; ++i) {
      crowd.push_back(door_.Connect());
      Send(crowd.back(), bytes);
    }
    Pass(absl::Milliseconds(500));
    EXPECT_TRUE(Works(tracer)) << bytes;
    EXPECT_LE(server_->connections(), 4);
  }
  EXPECT_TRUE(Works(Connect()));
}

TEST_F(HttpServerTest, AtTheLimitThoseAreClosedFirstThatHaveTheirAnswer) {
  Make({.max_connections = 2});
  const Client still = Connect();
  Send(still, Promise("/echo", 3));
  Pass(absl::Milliseconds(20));
  const Client refused = Connect();
  EXPECT_THAT(Exchange(refused, Promise("/echo", 1 << 20)), StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(Works(Connect()));
  EXPECT_EQ(Received(refused), "<end>");
  EXPECT_EQ(Exchange(still, "abc"), Echoed("abc"));
}

TEST_F(HttpServerTest, AtTheLimitAClientThatDoesNotReadIsClosed) {
  Make({.max_connections = 2});
  MemoryTransport* theirs = nullptr;
  const Client deaf = door_.Connect(&theirs);
  executor_.RunAll();
  theirs->set_capacity(100);
  deaf->set_hold_arrivals(true);
  Send(deaf, Post("/echo", std::string(1000, 'x')));
  Pass(absl::Milliseconds(20));
  const Client idle = Connect();
  const Client next = Connect();
  EXPECT_TRUE(Works(next));
  EXPECT_EQ(server_->connections(), 2);
  EXPECT_EQ(counts().gave_way, 1);
  EXPECT_TRUE(Works(idle));
}

TEST_F(HttpServerTest, AtTheLimitThoseOfBeforeAFreezeAreSparedForASecondAndNewOnesAreServedBesideThem) {
  Make({.max_connections = 2});
  const Client one = Connect();
  const Client two = Connect();
  clock_.Freeze(absl::Hours(1));
  server_->Resume();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(Works(Connect())) << i;
    EXPECT_LE(server_->connections(), 3);
  }
  const Client three = Connect();
  Pass(absl::Milliseconds(999));
  EXPECT_EQ(server_->connections(), 3);
  EXPECT_TRUE(Works(one));
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(server_->connections(), 2);
  EXPECT_EQ(Received(two), "<end>") << "the longest idle";
  EXPECT_TRUE(Works(one));
  EXPECT_TRUE(Works(three));
}

TEST_F(HttpServerTest, AFreezeIsNoStandingStill) {
  Make({.max_incoming_bytes = 3 << 20});
  const Client one = Connect();
  Send(one, Promise("/large", 2 << 20));
  Send(one, std::string(1 << 20, 'x'));
  clock_.Freeze(absl::Hours(1));
  server_->Resume();
  EXPECT_THAT(Exchange(Connect(), Post("/large", std::string(2 << 20, 'x'))), StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(Exchange(one, std::string(1 << 20, 'x')), StartsWith("HTTP/1.1 202 "));
}

TEST_F(HttpServerTest, MoreConnectionsThanAllowedAreServedInTurn) {
  Make({.max_connections = 4});
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(Connect());
    EXPECT_TRUE(Works(clients.back())) << i;
    EXPECT_LE(server_->connections(), 4);
  }
  EXPECT_EQ(counts().closed_for_room, 96);
}

TEST_F(HttpServerTest, AcceptingGoesOnAfterAFailure) {
  const Client idle = Connect();
  door_.Fail(absl::ResourceExhaustedError("too many open files"));
  executor_.RunAll();
  EXPECT_EQ(counts().accept_failed, 1);
  EXPECT_EQ(Received(idle), "<end>") << "its descriptor is needed";
  const Client client = Connect();
  EXPECT_EQ(server_->connections(), 0) << "not at once";
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(Works(client));
  for (int i = 0; i < 20; ++i) door_.Fail(absl::UnavailableError("no reason"));
  Pass(absl::Seconds(10));
  EXPECT_LT(counts().accept_failed, 20) << "backoff";
  Pass(absl::Seconds(20));
  EXPECT_EQ(counts().accept_failed, 21);
  EXPECT_TRUE(Works(client)) << "it was not to blame";
  EXPECT_TRUE(Works(Connect()));
}

// -- Its end --------------------------------------------------------------------------------------------

TEST_F(HttpServerTest, StopAcceptingLeavesTheOpenConnections) {
  const Client client = Connect();
  server_->StopAccepting();
  executor_.RunAll();
  EXPECT_FALSE(door_.open());
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, CloseEndsEverything) {
  const Client idle = Connect();
  const Client busy = Connect();
  Send(busy, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\nabc");
  const Client task = Connect();
  Send(task, Post("/task", "body"));
  server_->Close();
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_EQ(server_->incoming_bytes(), 0);
  executor_.RunAll();
  for (const Client* client : {&idle, &busy, &task}) EXPECT_EQ(Received(*client), "<end>");
  ASSERT_TRUE(task_end_.has_value());
  EXPECT_TRUE(absl::IsCancelled(*task_end_));
  EXPECT_FALSE(door_.open());
  EXPECT_EQ(clock_.UntilNextAlarm(), std::nullopt);
}

TEST_F(HttpServerTest, AHandlerMayEndTheServer) {
  const Client client = Connect();
  Send(client, "GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(Received(client), "<end>");
  EXPECT_EQ(server_, nullptr);
}

// -- Tasks ----------------------------------------------------------------------------------------------

TEST_F(HttpServerTest, ATaskMayAnswerLater) {
  const Client client = Connect();
  const Client other = Connect();
  Send(client, Post("/task", "slow") + Post("/echo", "next"));
  Pass(absl::Milliseconds(999));
  EXPECT_EQ(Received(client), "");
  EXPECT_TRUE(Works(other));
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(Received(client), Echoed("slow") + Echoed("next"));
  EXPECT_TRUE(task_end_->ok());
}

TEST_F(HttpServerTest, ATaskThatTakesTooLongIsCancelled) {
  Make({.handler_timeout = absl::Milliseconds(500)});
  const Client client = Connect();
  Send(client, Post("/task", "slow"));
  Pass(absl::Milliseconds(500));
  EXPECT_THAT(Received(client), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(absl::IsDeadlineExceeded(*task_end_));
  EXPECT_EQ(counts().refused_slow_handler, 1);
  EXPECT_TRUE(Works(client));
}

TEST_F(HttpServerTest, ATaskOutlivesItsClient) {
  Client client = Connect();
  Send(client, Post("/task", "slow"));
  client.reset();
  executor_.RunAll();
  Pass(absl::Seconds(1));
  EXPECT_EQ(server_->connections(), 0);
  EXPECT_TRUE(task_end_->ok());
}

// -- Options --------------------------------------------------------------------------------------------

TEST(HttpServerOptions, InvalidOptionsAreNamed) {
  EXPECT_TRUE(HttpServerOptions().Validate().ok());
  const auto expect = [](const HttpServerOptions& options, std::string_view what) {
    EXPECT_TRUE(absl::IsInvalidArgument(options.Validate()));
    EXPECT_THAT(options.Validate().message(), HasSubstr(what));
  };
  expect({.max_connections = 0}, "max_connections is 0");
  expect({.max_head_bytes = 100}, "max_head_bytes is 100");
  expect({.idle_timeout = absl::ZeroDuration()}, "idle_timeout is 0");
  expect({.linger_timeout = absl::Seconds(-1)}, "linger_timeout is -1s");
  expect({.resume_grace = absl::Seconds(-1)}, "resume_grace is -1s");
}

}  // namespace
}  // namespace thaw
