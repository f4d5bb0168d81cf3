#include "cc/agent/http_request_parser.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::HasSubstr;

constexpr size_t kLimit = 64 << 10;

class HttpRequestParserTest : public testing::Test {
 protected:
  void ExpectWhole(std::string_view bytes) {
    bytes_ = bytes;
    const absl::StatusOr<bool> whole = parser_.PutHead(bytes_);
    ASSERT_TRUE(whole.ok()) << whole.status();
    ASSERT_TRUE(*whole);
  }
  // The error of a head that is refused.
  absl::Status Refused(std::string_view bytes) {
    parser_.Reset();
    const absl::StatusOr<bool> whole = parser_.PutHead(bytes);
    EXPECT_FALSE(whole.ok()) << bytes;
    return whole.status();
  }
  void ExpectNotHttp(std::string_view bytes, std::string_view reason) {
    const absl::Status status = Refused(bytes);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr(reason));
  }
  // The content of a chunked body that comes at once, and what it left.
  std::string Chunks(std::string_view bytes, std::string_view* rest = nullptr) {
    std::string content;
    const absl::StatusOr<size_t> used =
        parser_.PutChunks(bytes, [&content](std::string_view part) { content.append(part); });
    EXPECT_TRUE(used.ok()) << used.status();
    if (used.ok() && rest != nullptr) *rest = bytes.substr(*used);
    return content;
  }

  HttpRequestParser parser_{kLimit};
  std::string bytes_;
};

TEST_F(HttpRequestParserTest, AHeadIsReadInPlace) {
  ExpectWhole(
      "POST /v0.4/traces?a=b HTTP/1.1\r\nHost: localhost\r\nX-Empty:\r\nContent-Length: 3\r\n\r\nabc");
  const HttpRequestHead& head = parser_.head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v0.4/traces?a=b");
  EXPECT_EQ(head.headers, (HttpHeaderViews{{"Host", "localhost"}, {"X-Empty", ""}, {"Content-Length", "3"}}));
  EXPECT_EQ(head.content_length, 3);
  EXPECT_FALSE(head.chunked);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.http_1_0);
  EXPECT_FALSE(head.expects_continue);
  EXPECT_EQ(head.bytes, bytes_.size() - 3);
  EXPECT_EQ(head.headers[0].second.data(), bytes_.data() + bytes_.find("localhost"));
}

TEST_F(HttpRequestParserTest, AHeadMayComeByteByByteAndMove) {
  const std::string text = "GET /info HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x\r\n\r\n";
  for (size_t i = 1; i < text.size(); ++i) {
    const std::string elsewhere = text.substr(0, i);
    const absl::StatusOr<bool> whole = parser_.PutHead(elsewhere);
    ASSERT_TRUE(whole.ok()) << whole.status();
    ASSERT_FALSE(*whole) << i;
  }
  ExpectWhole(text);
  EXPECT_EQ(parser_.head().headers, (HttpHeaderViews{{"Host", "localhost"}, {"User-Agent", "x"}}));
  EXPECT_EQ(parser_.head().bytes, text.size());
  const std::string moved = bytes_;
  bytes_.assign(bytes_.size(), '#');
  parser_.Moved(moved.data());
  EXPECT_EQ(parser_.head().method, "GET");
  EXPECT_EQ(parser_.head().target, "/info");
  EXPECT_EQ(parser_.head().headers[1].second, "x");
}

TEST_F(HttpRequestParserTest, OneParserServesOneRequestAfterTheOther) {
  ExpectWhole("POST /one HTTP/1.1\r\nA: b\r\nContent-Length: 1\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(parser_.head().keep_alive);
  parser_.Reset();
  ExpectWhole("GET /two HTTP/1.1\r\n\r\n");
  EXPECT_EQ(parser_.head().target, "/two");
  EXPECT_THAT(parser_.head().headers, testing::IsEmpty());
  EXPECT_EQ(parser_.head().content_length, std::nullopt);
  EXPECT_TRUE(parser_.head().keep_alive);
}

TEST_F(HttpRequestParserTest, Http10ClosesUnlessToldOtherwise) {
  ExpectWhole("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(parser_.head().http_1_0);
  EXPECT_FALSE(parser_.head().keep_alive);
  parser_.Reset();
  ExpectWhole("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_TRUE(parser_.head().keep_alive);
  parser_.Reset();
  ExpectWhole("POST / HTTP/1.0\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_FALSE(parser_.head().keep_alive);
}

TEST_F(HttpRequestParserTest, ExpectContinueIsSeen) {
  ExpectWhole("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(parser_.head().expects_continue);
  parser_.Reset();
  ExpectWhole("POST / HTTP/1.1\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n");
  EXPECT_FALSE(parser_.head().expects_continue);
  parser_.Reset();
  ExpectWhole("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_FALSE(parser_.head().expects_continue);
}

TEST_F(HttpRequestParserTest, TwoWaysToSayHowLongTheBodyIsAreRefused) {
  ExpectNotHttp("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "");
  ExpectNotHttp("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "");
  ExpectNotHttp("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
                "both a Transfer-Encoding and a Content-Length");
  ExpectNotHttp("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "");
}

TEST_F(HttpRequestParserTest, TransferCodingsOtherThanChunkedAreRefused) {
  for (const std::string_view coding : {"gzip", "gzip, chunked", "identity", "chunked, gzip", ""}) {
    const absl::Status status =
        Refused(absl::StrCat("POST / HTTP/1.1\r\nTransfer-Encoding: ", coding, "\r\n\r\n"));
    EXPECT_TRUE(absl::IsUnimplemented(status)) << coding << ": " << status;
  }
  ExpectNotHttp("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "");
}

TEST_F(HttpRequestParserTest, FoldedHeadersAreRefused) {
  ExpectNotHttp("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "folded");
}

TEST_F(HttpRequestParserTest, BytesThatAreNoHttpAreRefusedAtOnce) {
  ExpectNotHttp("\x16\x03\x01\x02", "");
  ExpectNotHttp("GET /\x01 HTTP/1.1\r\n", "");
  ExpectNotHttp("GET / HTTP/2.0\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nno colon\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nA : b\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "");
}

TEST_F(HttpRequestParserTest, AHeadOverTheLimitIsRefused) {
  const std::string line(kLimit / 2, 'x');
  EXPECT_TRUE(absl::IsResourceExhausted(
      Refused(absl::StrCat("GET / HTTP/1.1\r\nA: ", line, "\r\nB: ", line, "\r\n\r\n"))));
  EXPECT_TRUE(absl::IsResourceExhausted(Refused(absl::StrCat("GET /", line, line))));
  parser_.Reset();
  ExpectWhole(absl::StrCat("GET / HTTP/1.1\r\nA: ", line, "\r\n\r\n"));
}

TEST_F(HttpRequestParserTest, ChunksBecomeContent) {
  ExpectWhole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(parser_.head().chunked);
  EXPECT_EQ(parser_.head().content_length, std::nullopt);
  std::string_view rest;
  EXPECT_EQ(Chunks("3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET", &rest),
            "abc0123456789");
  EXPECT_TRUE(parser_.chunks_done());
  EXPECT_EQ(rest, "GET");
  EXPECT_THAT(parser_.head().headers, testing::SizeIs(1)) << "a trailer is no header";
}

TEST_F(HttpRequestParserTest, ChunksMayComeByteByByte) {
  const std::string text = "3\r\nabc\r\n1f\r\n0123456789012345678901234567890\r\n0\r\n\r\n";
  ExpectWhole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string content;
  std::string pending;
  for (const char byte : text) {
    EXPECT_FALSE(parser_.chunks_done());
    pending.push_back(byte);
    std::string_view rest;
    content += Chunks(pending, &rest);
    pending = std::string(rest);
  }
  EXPECT_TRUE(parser_.chunks_done());
  EXPECT_EQ(pending, "");
  EXPECT_EQ(content, "abc0123456789012345678901234567890");
}

TEST_F(HttpRequestParserTest, WhatIsNoChunkIsRefused) {
  for (const std::string_view bytes :
       {"x\r\n", "3\r\nabcd\r\n", "-3\r\n", "fffffffffffffffff\r\n", "3 \r\n"}) {
    parser_.Reset();
    ExpectWhole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto ignore = [](std::string_view) {};
    EXPECT_TRUE(absl::IsInvalidArgument(parser_.PutChunks(bytes, ignore).status())) << bytes;
  }
}

TEST(SplitTarget, PathAndQueryInEachForm) {
  const auto expect = [](std::string_view target, std::string_view path, std::string_view query) {
    const RequestTarget split = SplitTarget(target);
    EXPECT_EQ(split.path, path) << target;
    EXPECT_EQ(split.query, query) << target;
  };
  expect("/info", "/info", "");
  expect("/info?", "/info", "");
  expect("/a?b=c?d", "/a", "b=c?d");
  expect("http://localhost:8126/v0.4/traces?x=y", "/v0.4/traces", "x=y");
  expect("http://localhost", "/", "");
  expect("http://localhost?x=y", "/", "x=y");
  expect("/redirect?to=http://x/y", "/redirect", "to=http://x/y");
  expect("*", "*", "");
  expect("", "/", "");
}

}  // namespace
}  // namespace thaw
