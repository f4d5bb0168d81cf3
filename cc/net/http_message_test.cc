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

TEST(HttpMessageTest, ARequestsTextLeavesOutSecrets) {
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

TEST(HttpMessageTest, HeadersThatWouldStartAnotherOrFrameTheMessageAreRefused) {
  const std::string nul("a\0b", 3);
  const std::pair<std::string, std::string> kBad[] = {{"", "x"},
                                                      {"A B", "x"},
                                                      {"A:", "x"},
                                                      {"A\r\nB", "x"},
                                                      {"A\n", "x"},
                                                      {nul, "x"},
                                                      {"\xc3\xa9", "x"},
                                                      {"A", "x\r\nB: y"},
                                                      {"A", "x\ny"},
                                                      {"A", "x\ry"},
                                                      {"A", nul},
                                                      {"A", "\x7f"},
                                                      {"Host", "h"},
                                                      {"host", "h"},
                                                      {"CONTENT-LENGTH", "0"},
                                                      {"Connection", "close"},
                                                      {"transfer-Encoding", "chunked"},
                                                      {"Expect", "100-continue"},
                                                      {"Upgrade", "h2c"},
                                                      {"TE", "trailers"},
                                                      {"Keep-Alive", "1"},
                                                      {"Trailer", "x"},
                                                      {"Proxy-Connection", "close"}};
  for (const auto& [name, value] : kBad) {
    EXPECT_EQ(CheckHeader(name, value).code(), absl::StatusCode::kInvalidArgument) << name << ": " << value;
    HttpRequest request;
    request.headers = {{"Good", "1"}, {name, value}};
    EXPECT_EQ(request.Validate().code(), absl::StatusCode::kInvalidArgument) << name << ": " << value;
  }
  for (const std::string value : {"", "a b", "\ta", "caf\xc3\xa9", "\"{}\""}) {
    EXPECT_TRUE(CheckHeader("X-One_2.3", value).ok()) << value;
  }
}

TEST(HttpMessageTest, ARefusedHeaderIsNamedAndItsValueNotShown) {
  const absl::Status status = CheckHeader("DD-API-KEY", "secret\r\n");
  EXPECT_THAT(status.message(), ::testing::HasSubstr("DD-API-KEY has the control character 0x0d at 6"));
  EXPECT_THAT(status.message(), ::testing::Not(::testing::HasSubstr("secret")));
}

TEST(HttpMessageTest, RequestLinesAreOneLine) {
  HttpRequest request;
  EXPECT_TRUE(request.Validate().ok());
  for (const std::string& target :
       {std::string(), std::string("/a b"), std::string("/a\r\nX: y"), std::string("/\n"),
        std::string("/\0", 2), std::string("/#a"), std::string("/\xc3\xa9")}) {
    request.target = target;
    EXPECT_EQ(request.Validate().code(), absl::StatusCode::kInvalidArgument) << target;
  }
  request.target = "/a?b=%20{}";
  EXPECT_TRUE(request.Validate().ok());
  for (const char* method : {"", "GE T", "GET\r\n", "GET\tX"}) {
    request.method = method;
    EXPECT_EQ(request.Validate().code(), absl::StatusCode::kInvalidArgument) << method;
  }
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
