// Bodies that are decoded piece by piece, within the available memory.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/agent/http_server.h"
#include "cc/agent/receiver_fixture.h"
#include "cc/base/fake_byte_account.h"
#include "cc/flush/compress.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpServerDecodingTest : public ReceiverFixture {
 protected:
  HttpServerDecodingTest() {
    std::vector<HttpRoute> routes;
    routes.push_back({.path = "/size",
                      .max_body_bytes = 50 << 20,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        charged_ = request.body_memory;
                        reply.Set(200, kTextType, absl::StrCat(request.body.size()));
                      }});
    routes.push_back({.path = "/kept",
                      .max_body_bytes = 50 << 20,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        kept_ = request.TakeBody();
                        reply.Set(200, kTextType, "");
                      }});
    server_ = std::make_unique<HttpServer>(executor_, clock_, HttpServerOptions{.account = &account_},
                                           std::move(routes));
    server_->Serve(door_.Open());
    client_ = door_.Connect();
    executor_.RunAll();
  }
  ~HttpServerDecodingTest() override {
    server_->Close();
    executor_.RunAll();
  }

  static std::string Post(std::string_view path, std::string_view coding, std::string_view body) {
    return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: x\r\nContent-Encoding: ", coding,
                        "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
  }
  // Returns what the client has received by now.
  static std::string Answer(MemoryTransport& client) {
    std::string answer(65'536, '\0');
    const IoResult result = client.TryRead(absl::MakeSpan(answer));
    answer.resize(result.status.ok() ? result.bytes : 0);
    return answer;
  }

  // Without room, asks the server for some, as the budget of the process does.
  class Account : public FakeByteAccount {
   public:
    using FakeByteAccount::FakeByteAccount;
    absl::Status Take(size_t bytes) override {
      absl::Status taken = FakeByteAccount::Take(bytes);
      while (!taken.ok() && server != nullptr && server->GiveWay()) taken = FakeByteAccount::Take(bytes);
      return taken;
    }
    HttpServer* server = nullptr;
  };

  Account account_{16 << 20};
  size_t charged_ = 0;
  std::string kept_;
};

TEST_F(HttpServerDecodingTest, AnotherClientIsAnsweredWhileALargeBodyIsDecoded) {
  const std::string bomb = *CompressGzip(std::string(6 << 20, 'x'), 9);
  const std::unique_ptr<MemoryTransport> other = door_.Connect();
  executor_.RunAll();
  client_->StartWrite(Post("/size", "gzip", bomb), [](IoResult) {});
  other->StartWrite("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", [](IoResult) {});
  std::string first, second;
  while (second.empty()) {
    ASSERT_TRUE(executor_.Step());
    first += Answer(*client_);
    second += Answer(*other);
  }
  EXPECT_THAT(second, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(first, "") << "that one takes longer";
  executor_.RunAll();
  EXPECT_THAT(Answer(*client_), HasSubstr("\r\n\r\n6291456"));
  EXPECT_GE(charged_, 6 << 20);
  EXPECT_EQ(account_.taken(), 0);
}

TEST_F(HttpServerDecodingTest, ABodyThatNeverFitsIsTooLargeAndOneThatDoesNotFitNowMayComeAgain) {
  const std::string bomb = *CompressZstd(std::string(40 << 20, 'x'), 3);
  EXPECT_THAT(Request("POST", "/size", bomb, "Content-Encoding: zstd\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(server_->counts().refused_too_large, 1);
  const std::string large = *CompressZstd(std::string(4 << 20, 'x'), 3);
  ASSERT_TRUE(account_.Take(12 << 20).ok());
  EXPECT_THAT(Request("POST", "/size", large, "Content-Encoding: zstd\r\n"), StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(server_->counts().refused_incoming, 1);
  account_.GiveBack(12 << 20);
  EXPECT_THAT(Request("POST", "/size", large, "Content-Encoding: zstd\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(account_.taken(), 0);
}

TEST_F(HttpServerDecodingTest, ABodyThatIsDecodedDoesNotGiveWayToItsOwnDecoding) {
  account_.server = server_.get();
  ASSERT_TRUE(account_.Take(12 << 20).ok());
  const std::string post = Post("/size", "gzip", *CompressGzip(std::string(10 << 20, 'x'), 1));
  const size_t most = post.size() - 100;
  client_->StartWrite(std::string_view(post).substr(0, most), [](IoResult) {});
  executor_.RunAll();
  EXPECT_GT(server_->incoming_bytes(), 0);
  // The rest is too little to count as progress.
  clock_.Advance(absl::Seconds(1));
  client_->StartWrite(std::string_view(post).substr(most), [](IoResult) {});
  executor_.RunAll();
  EXPECT_THAT(Answer(*client_), StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(server_->counts().gave_way, 0);
  account_.GiveBack(12 << 20);
}

TEST_F(HttpServerDecodingTest, BodiesOfSeveralMembersAreTakenAndRubbishBehindThemIsNot) {
  const std::string two = *CompressGzip("one, ", 6) + *CompressGzip("two", 6);
  EXPECT_THAT(Request("POST", "/kept", two, "Content-Encoding: gzip\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(kept_, "one, two");
  EXPECT_THAT(
      Request("POST", "/kept", two + "rubbish", "Content-Encoding: gzip\r\n"),
      testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("the bytes that follow are not compressed")));
}

TEST_F(HttpServerDecodingTest, AClientThatLeavesMeanwhileEndsTheWork) {
  const std::string bomb = *CompressGzip(std::string(6 << 20, 'x'), 9);
  client_->StartWrite(Post("/size", "gzip", bomb), [](IoResult) {});
  for (int i = 0; i < 3; ++i) executor_.Step();
  server_->Close();
  executor_.RunAll();
  EXPECT_EQ(account_.taken(), 0);
}

}  // namespace
}  // namespace thaw
