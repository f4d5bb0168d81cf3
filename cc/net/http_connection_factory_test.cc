#include "cc/net/http_connection_factory.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/http_protocol.h"
#include "cc/net/testing/memory_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpConnectionFactoryTest : public testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<HttpConnection>> Make(DialResult dialled) {
    auto [client, server] = MemoryTransport::Pair(executor_);
    server_ = std::move(server);
    dialled.transport = std::move(client);
    return MakeHttpConnection(executor_, clock_, std::move(dialled), options_, counts_,
                              [this](const HttpConnection* closed) { closed_ = closed; });
  }

  ManualExecutor executor_;
  FakeClock clock_{executor_};
  ClientOptions options_;
  ExchangeCounts counts_;
  std::unique_ptr<MemoryTransport> server_;
  const HttpConnection* closed_ = nullptr;
};

TEST_F(HttpConnectionFactoryTest, EachProtocolHasAConnection) {
  for (const std::string_view protocol : kHttpProtocols) {
    DialResult dialled;
    dialled.protocol = protocol;
    const auto connection = Make(std::move(dialled));
    ASSERT_TRUE(connection.ok()) << protocol;
    EXPECT_TRUE((*connection)->open());
    EXPECT_GE((*connection)->slots(), 1);
    (*connection)->Close();
    executor_.RunAll();
  }
}

TEST_F(HttpConnectionFactoryTest, ADialSpeaksHttp11UnlessItSaysOtherwise) {
  const auto connection = Make({});
  ASSERT_TRUE(connection.ok());
  EXPECT_EQ((*connection)->slots(), 1);
  server_->Close();
  executor_.RunAll();
  EXPECT_EQ(closed_, connection->get());
  EXPECT_FALSE((*connection)->open());
}

TEST_F(HttpConnectionFactoryTest, TheFormOfRequestsIsThatOfTheDial) {
  DialResult dialled;
  dialled.absolute_form = true;
  dialled.proxy_authorization = "Basic eDp5";
  const auto connection = Make(std::move(dialled));
  ASSERT_TRUE(connection.ok());
  HttpRequest request;
  request.destination = {.scheme = Destination::Scheme::kHttp, .host = "intake.test", .port = 80};
  (*connection)->Begin(request, [](ExchangeEnd) {});
  executor_.RunAll();
  char bytes[1024];
  const IoResult read = server_->TryRead(absl::MakeSpan(bytes));
  const std::string sent(bytes, read.bytes);
  EXPECT_THAT(sent, StartsWith("POST http://intake.test/ HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nProxy-Authorization: Basic eDp5\r\n"));
  (*connection)->Close();
  executor_.RunAll();
}

TEST_F(HttpConnectionFactoryTest, AnUnknownProtocolIsAnError) {
  DialResult dialled;
  dialled.protocol = "h9";
  const auto connection = Make(std::move(dialled));
  EXPECT_TRUE(absl::IsUnimplemented(connection.status()));
  EXPECT_THAT(connection.status().message(), HasSubstr("\"h9\""));
}

}  // namespace
}  // namespace thaw
