#include "cc/net/http_message.h"

#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

TEST(HttpMessageTest, HeadersAreFoundWithoutCaseAndInOrder) {
  const HttpHeaders headers = {{"Content-Type", "a"}, {"X-One", ""}, {"content-type", "b"}};
  EXPECT_EQ(FindHeader(headers, "content-TYPE"), "a");
  EXPECT_EQ(FindHeader(headers, "x-one"), "");
  EXPECT_EQ(FindHeader(headers, "x-on"), std::nullopt);
  EXPECT_EQ(FindHeader(HttpHeaders(), "x"), std::nullopt);
  const HttpHeaderViews views(headers.begin(), headers.end());
  EXPECT_EQ(FindHeader(views, "content-TYPE"), "a");
  EXPECT_EQ(FindHeader(views, "x-on"), std::nullopt);
}

TEST(HttpMessageTest, ARequestsTextLeavesOutWhatIsSecret) {
  HttpRequest request;
  request.destination = {.host = "intake.test"};
  request.target = "/api/v0.2/traces";
  request.headers = {{"DD-API-KEY", "secret"}, {"Content-Type", "application/x-protobuf"}};
  request.body = std::make_shared<const std::string>("secret body");
  EXPECT_EQ(request.ToString(), "POST https://intake.test/api/v0.2/traces, 2 headers, 11 bytes");
  request.target = "/api/v0.2/traces?api_key=secret&a=?";
  EXPECT_EQ(request.ToString(), "POST https://intake.test/api/v0.2/traces, 2 headers, 11 bytes");
}

TEST(HttpMessageTest, ARequestsTextWithoutABody) {
  HttpRequest request;
  request.destination = {.scheme = Destination::Scheme::kHttp, .host = "::1", .port = 9001};
  request.method = "GET";
  EXPECT_EQ(request.ToString(), "GET http://[::1]:9001/, 0 headers, 0 bytes");
}

TEST(HttpMessageTest, AResponsesText) {
  HttpResponse response;
  response.status = 202;
  response.headers = {{"a", "b"}};
  EXPECT_EQ(response.ToString(), "202, 1 headers, 0 bytes");
  response.body = "{}";
  EXPECT_EQ(response.ToString(), "202, 1 headers, 2 bytes: {}");
  response.body = std::string(64, 'x');
  EXPECT_EQ(response.ToString(), "202, 1 headers, 64 bytes: " + std::string(64, 'x'));
  response.body = std::string(65, 'x');
  EXPECT_EQ(response.ToString(), "202, 1 headers, 65 bytes: " + std::string(64, 'x') + "...");
}

}  // namespace
}  // namespace thaw
