#include "cc/agent/http_request_parser.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/clock/linear_work.h"
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
  // Returns the error of a head that is refused.
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
  // Returns the content of a chunked body that comes at once, and sets the rest.
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
  ExpectWhole("POST /one HTTP/1.1\r\nHost: x\r\nA: b\r\nContent-Length: 1\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(parser_.head().keep_alive);
  parser_.Reset();
  ExpectWhole("GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(parser_.head().target, "/two");
  EXPECT_EQ(parser_.head().headers, (HttpHeaderViews{{"Host", "x"}}));
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
  ExpectNotHttp("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0 has no Transfer-Encoding");
}

TEST_F(HttpRequestParserTest, LaterMinorVersionsAreReadAsTheHighestKnown) {
  ExpectWhole("GET / HTTP/1.9\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(parser_.head().http_1_0);
  EXPECT_TRUE(parser_.head().keep_alive);
}

TEST_F(HttpRequestParserTest, ConnectionIsAListOverAllItsLines) {
  ExpectWhole("GET / HTTP/1.1\r\nHost: x\r\nConnection: te, X-Hop\r\nCONNECTION: ,Close ,\r\n\r\n");
  EXPECT_FALSE(parser_.head().keep_alive);
  parser_.Reset();
  ExpectWhole("GET / HTTP/1.1\r\nHost: x\r\nConnection: closed, not-close\r\n\r\n");
  EXPECT_TRUE(parser_.head().keep_alive);
}

// The heads are those of the HTTP clients that tracers and runtimes use.
TEST_F(HttpRequestParserTest, TracersOfEachLanguageAreTaken) {
  const std::string_view heads[] = {
      // Node: http, and fetch
      "PUT /v0.4/traces HTTP/1.1\r\nContent-Type: application/msgpack\r\nDatadog-Meta-Tracer-Version: "
      "5.30.0\r\n"
      "X-Datadog-Trace-Count: 1\r\nDatadog-Meta-Lang: nodejs\r\nDatadog-Meta-Lang-Interpreter: v8\r\n"
      "Content-Length: 3\r\nHost: 127.0.0.1:8126\r\nConnection: keep-alive\r\n\r\n",
      "POST /telemetry/proxy/api/v2/apmtelemetry HTTP/1.1\r\nhost: localhost:8126\r\nconnection: "
      "keep-alive\r\n"
      "accept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\n"
      "accept-encoding: gzip, deflate\r\ntransfer-encoding: chunked\r\n\r\n",
      // Go: net/http
      "POST /v0.4/traces HTTP/1.1\r\nHost: localhost:8126\r\nUser-Agent: Go-http-client/1.1\r\n"
      "Content-Length: 3\r\nContent-Type: application/msgpack\r\nDatadog-Client-Computed-Top-Level: yes\r\n"
      "Datadog-Container-Id: \r\nAccept-Encoding: gzip\r\n\r\n",
      // Java: OkHttp, and HttpURLConnection
      "PUT /v0.5/traces HTTP/1.1\r\nDatadog-Meta-Lang: java\r\nDatadog-Meta-Lang-Interpreter-Vendor: "
      "Amazon.com "
      "Inc.\r\nContent-Type: application/msgpack\r\nContent-Length: 3\r\nHost: localhost:8126\r\n"
      "Connection: Keep-Alive\r\nAccept-Encoding: gzip\r\nUser-Agent: okhttp/3.12.15\r\n\r\n",
      "POST /lambda/start-invocation HTTP/1.1\r\nUser-Agent: Java/17.0.9\r\nHost: 127.0.0.1:8124\r\n"
      "Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\n"
      "Content-type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n",
      // Python: http.client
      "PUT /v0.4/traces HTTP/1.1\r\nHost: localhost:8126\r\nAccept-Encoding: identity\r\n"
      "Datadog-Meta-Lang: python\r\nContent-Type: application/msgpack\r\nContent-Length: 3\r\n\r\n",
      // Ruby: Net::HTTP
      "POST /v0.4/traces HTTP/1.1\r\nAccept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\r\nAccept: "
      "*/*\r\n"
      "User-Agent: Ruby\r\nContent-Type: application/msgpack\r\nConnection: close\r\nHost: 127.0.0.1:8126\r\n"
      "Content-Length: 3\r\n\r\n",
      // .NET: HttpClient, and HttpWebRequest
      "POST /v0.4/traces HTTP/1.1\r\nHost: 127.0.0.1:8126\r\nx-datadog-tracing-enabled: false\r\n"
      "Datadog-Meta-Lang: .NET\r\nTransfer-Encoding: chunked\r\nContent-Type: application/msgpack\r\n\r\n",
      "POST /v0.4/traces HTTP/1.1\r\nContent-Type: application/msgpack\r\nHost: 127.0.0.1:8126\r\n"
      "Content-Length: 3\r\nExpect: 100-continue\r\nConnection: Keep-Alive\r\n\r\n",
      // PHP: libcurl
      "PUT /v0.4/traces HTTP/1.1\r\nHost: localhost:8126\r\nAccept: */*\r\nDatadog-Meta-Lang: php\r\n"
      "Content-Type: application/msgpack\r\nTransfer-Encoding: chunked\r\nExpect:\r\n\r\n",
      // Rust: hyper
      "POST /v0.4/traces HTTP/1.1\r\ndatadog-meta-lang: rust\r\ncontent-type: application/msgpack\r\n"
      "host: localhost:8126\r\ncontent-length: 3\r\n\r\n",
      // Lambda's telemetry
      "POST / HTTP/1.1\r\nHost: sandbox.localdomain:8999\r\nUser-Agent: Go-http-client/1.1\r\n"
      "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
  };
  for (const std::string_view head : heads) {
    parser_.Reset();
    ExpectWhole(head);
    EXPECT_TRUE(parser_.head().chunked || parser_.head().content_length == 3) << head;
    EXPECT_EQ(parser_.head().bytes, head.size());
  }
}

// RFC 9112 section 3.2.
TEST_F(HttpRequestParserTest, ARequestHasOneHost) {
  ExpectNotHttp("GET / HTTP/1.1\r\n\r\n", "it has no Host");
  ExpectNotHttp("GET / HTTP/1.1\r\nX-Host: x\r\n\r\n", "it has no Host");
  ExpectNotHttp("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", "two Hosts");
  ExpectNotHttp("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", "two Hosts");
  for (const std::string_view host : {"a b", "user@x", "x/y", "x:80:80", "x:8o", "[::1", "[]", "[::1]x",
                                      "x\xc3", "http://x", "a#b", "a?b"}) {
    ExpectNotHttp(absl::StrCat("GET / HTTP/1.1\r\nHost: ", host, "\r\n\r\n"), "its Host is not a host name");
  }
  for (const std::string_view host :
       {"localhost:8126", "", "127.0.0.1", "[::1]:8126", "[::1]", "x:", "a_b-c.d", "sandbox.localdomain:8999",
        "UDS__var_run_datadog_apm.socket"}) {
    parser_.Reset();
    ExpectWhole(absl::StrCat("GET / HTTP/1.1\r\nHost: ", host, "\r\n\r\n"));
  }
}

TEST_F(HttpRequestParserTest, OnlyTargetsThatMayBeForwardedAreAccepted) {
  for (const std::string_view target :
       {"/a#b",        "/?a=#",        "/\xc3\xa4", "/?n=\xff",       "/a\x7f",   "/a\tb",
        "/\"a\"",      "/<a>",         "a",         "info",           "*",        "",
        "?a=b",        "http:///info", "http://",   "http://user@x/", "ftp://x/", "http:/info",
        "http://x y/", "x:80"}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(Refused(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: x\r\n\r\n"))))
        << target;
  }
  for (const std::string_view target : {"/", "//a", "/a?b=c?d", "/a?t=env:prod,a|b;c&x=%20", "/?a[]={b}",
                                        "http://localhost:8126/info", "HTTP://x?a", "https://[::1]:80/"}) {
    parser_.Reset();
    ExpectWhole(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_EQ(parser_.head().target, target);
  }
  parser_.Reset();
  ExpectWhole("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
  parser_.Reset();
  ExpectWhole("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n");
  ExpectNotHttp("CONNECT /info HTTP/1.1\r\nHost: x\r\n\r\n", "target");
}

TEST_F(HttpRequestParserTest, TwoContentEncodingsAreRefused) {
  ExpectNotHttp("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n",
                "two Content-Encodings");
  ExpectNotHttp("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: identity\r\ncontent-encoding: zstd\r\n\r\n",
                "two Content-Encodings");
}

// RFC 9110 section 8.6.
TEST_F(HttpRequestParserTest, AContentLengthIsOneNumber) {
  const auto head = [](std::string_view length) {
    return absl::StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", length, "\r\n\r\n");
  };
  for (const std::string_view length : {"+5", "-5", "5 5", "5,6", "5,", ",5", "5,,5", "", "0x5", "5.0", "5e1",
                                        "\"5\"", "18446744073709551616", "5;5", "5\xa0"}) {
    ExpectNotHttp(head(length), "Content-Length is not one number");
  }
  for (const std::string_view length : {"5", "5, 5", "005", "5 ,\t5,5"}) {
    parser_.Reset();
    ExpectWhole(head(length));
    EXPECT_EQ(parser_.head().content_length, 5) << length;
  }
  parser_.Reset();
  ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(parser_.head().content_length, 5);
  parser_.Reset();
  ExpectWhole(head("18446744073709551615"));
}

TEST_F(HttpRequestParserTest, ExpectContinueIsSeen) {
  ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(parser_.head().expects_continue);
  parser_.Reset();
  ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n");
  EXPECT_FALSE(parser_.head().expects_continue);
  parser_.Reset();
  ExpectWhole("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_FALSE(parser_.head().expects_continue);
}

TEST_F(HttpRequestParserTest, TwoWaysToSayHowLongTheBodyIsAreRefused) {
  ExpectNotHttp("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "");
  ExpectNotHttp("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "");
  ExpectNotHttp("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
                "both a Transfer-Encoding and a Content-Length");
  ExpectNotHttp("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "");
}

TEST_F(HttpRequestParserTest, TransferCodingsOtherThanChunkedAreRefused) {
  for (const std::string_view coding : {"gzip", "gzip, chunked", "identity", "chunked, gzip", ""}) {
    const absl::Status status =
        Refused(absl::StrCat("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ", coding, "\r\n\r\n"));
    EXPECT_TRUE(absl::IsUnimplemented(status)) << coding << ": " << status;
  }
  ExpectNotHttp(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "");
}

TEST_F(HttpRequestParserTest, FoldedHeadersAreRefused) {
  for (const std::string_view lines : {"A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A:\r\n b\r\n", "A:\r\n \r\n",
                                       "A: \r\n \r\n b\r\n", "A: b\r\n \r\n"}) {
    ExpectNotHttp(absl::StrCat("GET / HTTP/1.1\r\nHost: x\r\n", lines, "\r\n"), "folded");
  }
  ExpectNotHttp("GET / HTTP/1.1\r\n Host: x\r\n\r\n", "folded");
}

TEST_F(HttpRequestParserTest, LinesEndWithCrAndLfAndHaveNoControlCharacters) {
  using std::string_literals::operator""s;
  for (const std::string& text :
       {"GET / HTTP/1.1\nHost: x\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: x\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: x\r\n\n"s, "GET / HTTP/1.1\rHost: x\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: x\r\nA: \x0b\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n"s,
        "GET\0/ HTTP/1.1\r\nHost: x\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0b"
        "chunked\r\n\r\n"s}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Refused(text))) << text;
  }
  parser_.Reset();
  ExpectWhole("GET / HTTP/1.1\r\nHost: x\r\nA: b\tc \xc3\xa4\xff\r\n\r\n");
  EXPECT_EQ(parser_.head().headers[1].second, "b\tc \xc3\xa4\xff");
}

TEST_F(HttpRequestParserTest, AFirstLineHasThreeParts) {
  for (const std::string_view line :
       {"GET", "GET /", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1",
        "GET / x HTTP/1.1", "G(T / HTTP/1.1", "GET / http/1.1", "GET / HTTP/1", "GET / HTTP/1.10",
        "GET / HTTP/11", "GET / HTTP/2.0", "/"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Refused(absl::StrCat(line, "\r\nHost: x\r\n\r\n")))) << line;
  }
}

TEST_F(HttpRequestParserTest, BytesThatAreNoHttpAreRefusedAtOnce) {
  ExpectNotHttp("\x16\x03\x01\x02", "");
  ExpectNotHttp("GET /\x01 HTTP/1.1\r\n", "");
  ExpectNotHttp("GET / HTTP/2.0\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nHost: x\r\nA\t: b\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nHost: x\r\n: b\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "");
  ExpectNotHttp("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "");
}

TEST_F(HttpRequestParserTest, AHeadOverTheLimitIsRefused) {
  const std::string line(kLimit / 2, 'x');
  EXPECT_TRUE(absl::IsResourceExhausted(
      Refused(absl::StrCat("GET / HTTP/1.1\r\nHost: x\r\nA: ", line, "\r\nB: ", line, "\r\n\r\n"))));
  EXPECT_TRUE(absl::IsResourceExhausted(Refused(absl::StrCat("GET /", line, line))));
  parser_.Reset();
  ExpectWhole(absl::StrCat("GET / HTTP/1.1\r\nHost: x\r\nA: ", line, "\r\n\r\n"));
}

TEST_F(HttpRequestParserTest, ChunksBecomeContent) {
  ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(parser_.head().chunked);
  EXPECT_EQ(parser_.head().content_length, std::nullopt);
  std::string_view rest;
  EXPECT_EQ(Chunks("3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET", &rest),
            "abc0123456789");
  EXPECT_TRUE(parser_.chunks_done());
  EXPECT_EQ(rest, "GET");
  EXPECT_THAT(parser_.head().headers, testing::SizeIs(2)) << "a trailer is no header";
}

TEST_F(HttpRequestParserTest, ChunksMayComeByteByByte) {
  const std::string text = "3\r\nabc\r\n1f\r\n0123456789012345678901234567890\r\n0\r\n\r\n";
  ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
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

TEST_F(HttpRequestParserTest, AMalformedChunkIsRefused) {
  for (const std::string_view bytes : {"x\r\n",
                                       "3\r\nabcd\r\n",
                                       "-3\r\n",
                                       "fffffffffffffffff\r\n",
                                       "3 \r\n",
                                       "ffffffffffffffff\r\n",
                                       "8000000000000000\r\n",
                                       "10000000000000005\r\n",
                                       "+3\r\n",
                                       "0x3\r\n",
                                       "\r\n",
                                       ";a=b\r\n",
                                       " 3\r\n",
                                       "3\n",
                                       "3\rabc",
                                       "3;a\nabc",
                                       "3;a\x01\r\n",
                                       "3\r\nabc\n",
                                       "3\r\nabc\rx",
                                       "3_0\r\n",
                                       "0\r\n\n",
                                       "0\r\n a: b\r\n",
                                       "0\r\na b\r\n",
                                       "0\r\na: b\r\n c\r\n",
                                       "0\r\n: b\r\n",
                                       "0\r\na: \x01\r\n",
                                       "0\r\na\r\n"}) {
    parser_.Reset();
    ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto ignore = [](std::string_view) {};
    EXPECT_TRUE(absl::IsInvalidArgument(parser_.PutChunks(bytes, ignore).status())) << bytes;
  }
}

TEST_F(HttpRequestParserTest, ZerosBeforeAChunksSizeAreNoOverflow) {
  ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(Chunks("00000000000000000000000003\r\nabc\r\n000\r\n\r\n"), "abc");
  EXPECT_TRUE(parser_.chunks_done());
}

TEST_F(HttpRequestParserTest, TheRestOfAChunkIsKnownFromItsFirstLine) {
  ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(Chunks("7fffffffffffffff\r\nabc"), "abc");
  EXPECT_EQ(parser_.chunk_left(), 0x7fffffffffffffff - 3);
}

TEST_F(HttpRequestParserTest, BytesBesideTheContentOfChunksAreLimited) {
  const auto refused = [this](const std::string& piece) {
    parser_.Reset();
    ExpectWhole("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t sent = 0; sent < 4 * kLimit; sent += piece.size()) {
      const absl::StatusOr<size_t> used = parser_.PutChunks(piece, [](std::string_view) {});
      if (!used.ok()) return absl::IsInvalidArgument(used.status());
    }
    return false;
  };
  EXPECT_TRUE(refused(absl::StrCat("1;", std::string(1000, 'x'), "\r\na\r\n"))) << "extensions";
  EXPECT_TRUE(refused(absl::StrCat(std::string(1000, '0'), "1\r\na\r\n"))) << "zeros";
  EXPECT_TRUE(refused("0\r\nTrailer: " + std::string(kLimit, 'x') + "\r\n"));
  EXPECT_FALSE(refused("1\r\na\r\n")) << "small chunks are only slow";
}

TEST_F(HttpRequestParserTest, NumbersOfHeadersAreBounded) {
  std::string text = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (size_t i = 1; i < kMaxRequestHeaders; ++i) text += "a:b\r\n";
  ExpectWhole(text + "\r\n");
  EXPECT_THAT(parser_.head().headers, testing::SizeIs(kMaxRequestHeaders));
  EXPECT_TRUE(absl::IsResourceExhausted(Refused(text + "a:b\r\n\r\n")));
}

// Each byte is looked at once, however small the pieces are and whatever they hold.
TEST_F(HttpRequestParserTest, WorkIsLinearInTheBytesReceived) {
  const auto one_line = [](size_t bytes) { return absl::StrCat("GET /", std::string(bytes, 'x')); };
  const auto one_header = [](size_t bytes) {
    return absl::StrCat("GET / HTTP/1.1\r\nHost: x\r\nA: ", std::string(bytes, 'x'));
  };
  const auto connection = [](size_t bytes) {
    std::string text = "GET / HTTP/1.1\r\nHost: x\r\nConnection: ";
    while (text.size() < bytes) text += "a,";
    return text + "\r\n\r\n";
  };
  for (const auto& make : std::vector<std::function<std::string(size_t)>>{one_line, one_header, connection}) {
    EXPECT_TRUE(IsLinear(15'000, [&make](size_t bytes) {
      const std::string text = make(bytes);
      return [text] {
        HttpRequestParser parser(kLimit);
        for (size_t came = 1; came <= text.size(); ++came)
          ASSERT_TRUE(parser.PutHead(std::string_view(text).substr(0, came)).ok());
      };
    }));
  }
  EXPECT_TRUE(IsLinear(200'000, [](size_t bytes) {
    return [bytes] {
      HttpRequestParser parser(kLimit);
      const std::string_view piece = "1\r\nx\r\n";
      for (size_t i = 0; i < bytes / piece.size(); ++i)
        ASSERT_TRUE(parser.PutChunks(piece, [](std::string_view) {}).ok());
    };
  }));
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
