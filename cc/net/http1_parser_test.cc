#include "cc/net/http1_parser.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using std::string_view_literals::operator""sv;

using State = Http1Parser::State;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr Http1Parser::Limits kLimits = {
    .head_bytes = 1024, .body_kept_bytes = 64, .body_drained_bytes = 1024};

// The state of a parser as its caller sees it.
struct Outcome {
  State state;
  bool begun = false;
  bool head_complete = false;
  bool keep_alive = false;
  HttpResponse response;  // only with a complete head
  absl::Status error;
};

Outcome Look(Http1Parser& parser) {
  Outcome outcome{.state = parser.state(),
                  .begun = parser.begun(),
                  .head_complete = parser.head_complete(),
                  .keep_alive = parser.keep_alive(),
                  .error = parser.error()};
  if (outcome.head_complete) outcome.response = parser.response();
  return outcome;
}

void ExpectSame(const Outcome& got, const Outcome& want, std::string_view how) {
  SCOPED_TRACE(how);
  EXPECT_EQ(got.state, want.state);
  EXPECT_EQ(got.begun, want.begun);
  EXPECT_EQ(got.head_complete, want.head_complete);
  EXPECT_EQ(got.keep_alive, want.keep_alive);
  EXPECT_EQ(got.error, want.error);
  EXPECT_EQ(got.response.status, want.response.status);
  EXPECT_EQ(got.response.headers, want.response.headers);
  EXPECT_EQ(got.response.body, want.response.body);
  EXPECT_EQ(got.response.body_whole, want.response.body_whole);
}

// Parses `bytes` whole, byte by byte, and cut in two at every place: the outcome must be the same. `end`: the
// stream ends behind them.
Outcome Parse(std::string_view bytes, bool end = false, const Http1Parser::Limits& limits = kLimits) {
  Http1Parser whole(limits);
  whole.Put(bytes);
  if (end) whole.End();
  const Outcome outcome = Look(whole);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    Http1Parser pieces(limits);
    pieces.Put(bytes.substr(0, cut));
    pieces.Put(bytes.substr(cut));
    if (end) pieces.End();
    ExpectSame(Look(pieces), outcome, absl::StrCat("cut at ", cut));
    if (testing::Test::HasFailure()) break;
  }
  Http1Parser single(limits);
  for (const char& byte : bytes) single.Put(std::string_view(&byte, 1));
  if (end) single.End();
  ExpectSame(Look(single), outcome, "a byte at a time");
  return outcome;
}

// Expects a complete head with `status` whose framing can't be followed.
Outcome ExpectHeadOnly(std::string_view bytes, int status = 200) {
  SCOPED_TRACE(bytes);
  Outcome outcome = Parse(bytes);
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_TRUE(outcome.head_complete);
  EXPECT_FALSE(outcome.keep_alive);
  EXPECT_EQ(outcome.response.status, status);
  EXPECT_FALSE(outcome.response.body_whole);
  return outcome;
}

void ExpectRefused(std::string_view bytes) {
  SCOPED_TRACE(bytes);
  const Outcome outcome = Parse(bytes);
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_FALSE(outcome.head_complete);
  EXPECT_FALSE(outcome.keep_alive);
  EXPECT_EQ(outcome.error.code(), absl::StatusCode::kInvalidArgument);
}

// -- Bodies ----------------------------------------------------------------------------------------------

TEST(Http1ParserTest, ContentLength) {
  const Outcome outcome = Parse("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-Two:  b \r\n\r\n{}");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_TRUE(outcome.keep_alive);
  EXPECT_EQ(outcome.response.status, 202);
  EXPECT_EQ(outcome.response.body, "{}");
  EXPECT_TRUE(outcome.response.body_whole);
  EXPECT_THAT(outcome.response.headers,
              testing::ElementsAre(Pair("Content-Length", "2"), Pair("X-Two", "b")));
}

TEST(Http1ParserTest, ContentLengthZero) {
  const Outcome outcome = Parse("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_TRUE(outcome.keep_alive);
  EXPECT_EQ(outcome.response.body, "");
}

TEST(Http1ParserTest, NoReason) {
  for (const char* line : {"HTTP/1.1 202 ", "HTTP/1.1 202", "HTTP/1.1 202  ", "HTTP/1.1 202\t"}) {
    const Outcome outcome = Parse(absl::StrCat(line, "\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(outcome.state, State::kDone) << line;
    EXPECT_EQ(outcome.response.status, 202) << line;
    EXPECT_TRUE(outcome.keep_alive) << line;
  }
}

TEST(Http1ParserTest, TheReasonIsTheServersText) {
  Http1Parser parser(kLimits);
  parser.Put("HTTP/1.1 407 Authentication  Required \r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(parser.reason(), "Authentication  Required");
}

TEST(Http1ParserTest, ABodyCutByTheEndOfTheStream) {
  const Outcome outcome = Parse("HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf", /*end=*/true);
  EXPECT_EQ(outcome.state, State::kBody);
  EXPECT_TRUE(outcome.head_complete);
  EXPECT_FALSE(outcome.keep_alive);
  EXPECT_EQ(outcome.response.body, "half");
  EXPECT_FALSE(outcome.response.body_whole);
}

TEST(Http1ParserTest, Chunked) {
  const Outcome outcome = Parse(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4;name=value\r\nabcd\r\nA\r\n0123456789\r\n0\r\n\r\n");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_TRUE(outcome.keep_alive);
  EXPECT_EQ(outcome.response.body, "abcd0123456789");
  EXPECT_TRUE(outcome.response.body_whole);
}

TEST(Http1ParserTest, TrailersAreReadAndAreNoHeaders) {
  const Outcome outcome = Parse(
      "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\n{}\r\n0\r\nRetry-After: 100000\r\nX-Sum: 1\r\n\r\n");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_TRUE(outcome.keep_alive);
  EXPECT_EQ(outcome.response.body, "{}");
  EXPECT_THAT(outcome.response.headers, testing::ElementsAre(Pair("Transfer-Encoding", "chunked")));
}

TEST(Http1ParserTest, AHeadIsCompleteThoughTheFirstChunkBegan) {
  const Outcome outcome = Parse("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5", /*end=*/true);
  EXPECT_EQ(outcome.state, State::kBody);
  EXPECT_TRUE(outcome.head_complete);
  EXPECT_EQ(outcome.response.status, 202);
  EXPECT_FALSE(outcome.response.body_whole);
}

TEST(Http1ParserTest, AHeadIsCompleteThoughTheBodyBehindItIsBroken) {
  const Outcome outcome =
      Parse("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nnot hexadecimal\r\n");
  EXPECT_EQ(outcome.state, State::kError);
  EXPECT_TRUE(outcome.head_complete);
  EXPECT_EQ(outcome.response.status, 202);
  EXPECT_FALSE(outcome.response.body_whole);
  EXPECT_FALSE(outcome.keep_alive);
}

TEST(Http1ParserTest, ChunkedCutByTheEndOfTheStream) {
  const std::string_view all = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
  for (size_t cut = all.find("2\r\n{}"); cut < all.size(); ++cut) {
    const Outcome outcome = Parse(all.substr(0, cut), /*end=*/true);
    EXPECT_EQ(outcome.state, State::kBody) << cut;
    EXPECT_FALSE(outcome.response.body_whole) << cut;
    EXPECT_FALSE(outcome.keep_alive) << cut;
  }
}

TEST(Http1ParserTest, ABodyThatTheEndOfTheStreamDelimits) {
  const std::string_view bytes = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nwhatever comes";
  EXPECT_EQ(Parse(bytes).state, State::kBody);
  const Outcome outcome = Parse(bytes, /*end=*/true);
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.body, "whatever comes");
  EXPECT_TRUE(outcome.response.body_whole);
  EXPECT_FALSE(outcome.keep_alive);
}

TEST(Http1ParserTest, AnEmptyBodyThatTheEndOfTheStreamDelimits) {
  const Outcome outcome = Parse("HTTP/1.1 200 OK\r\n\r\n", /*end=*/true);
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_TRUE(outcome.response.body_whole);
  EXPECT_FALSE(outcome.keep_alive);
}

TEST(Http1ParserTest, ChunkedThatIsNotLastIsDelimitedByTheEnd) {
  // RFC 9112 section 6.3, rule 4.
  const Outcome outcome =
      Parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", /*end=*/true);
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.body, "0\r\n\r\n");
  EXPECT_FALSE(outcome.keep_alive);
}

TEST(Http1ParserTest, NoContentAndNotModifiedHaveNoBody) {
  const std::string_view none = "", zero = "Content-Length: 0\r\n", five = "Content-Length: 5\r\n",
                         chunked = "Transfer-Encoding: chunked\r\n", broken = "Content-Length: x\r\n",
                         coded = "Transfer-Encoding: gzip\r\n";
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    for (const std::string_view header : {none, zero, five, chunked, broken, coded}) {
      const Outcome outcome = Parse(absl::StrCat("HTTP/1.1 ", status, "\r\n", header, "\r\n"));
      EXPECT_EQ(outcome.state, State::kDone) << status << header;
      EXPECT_EQ(outcome.response.body, "");
      // An announced body may come all the same, and would be taken for the next answer.
      EXPECT_EQ(outcome.keep_alive, header == none || header == zero) << status << header;
    }
  }
}

TEST(Http1ParserTest, ResetContentIsFramedLikeAnyOther) {
  EXPECT_TRUE(Parse("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n").keep_alive);
  const Outcome outcome = Parse("HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.body, "ok");
}

TEST(Http1ParserTest, TheAnswerToHeadHasNoBody) {
  for (const char* header : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""}) {
    Http1Parser parser(kLimits, Http1Parser::AnswerTo::kHead);
    EXPECT_EQ(parser.Put(absl::StrCat("HTTP/1.1 200 OK\r\n", header, "\r\n")), State::kDone) << header;
    EXPECT_TRUE(parser.keep_alive()) << header;
  }
}

TEST(Http1ParserTest, ATunnelBeginsBehindTheHead) {
  for (const char* header :
       {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\n", ""}) {
    Http1Parser parser(kLimits, Http1Parser::AnswerTo::kConnect);
    EXPECT_EQ(parser.Put(absl::StrCat("HTTP/1.1 200 OK\r\n", header, "\r\n")), State::kDone) << header;
  }
  Http1Parser refused(kLimits, Http1Parser::AnswerTo::kConnect);
  EXPECT_EQ(refused.Put("HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n"), State::kBody);
}

// -- Leniency --------------------------------------------------------------------------------------------

TEST(Http1ParserTest, EmptyLinesBeforeTheAnswer) {
  for (const char* before : {"\r\n", "\n", "\r\n\r\n\n", "  \r\n"}) {
    const Outcome outcome =
        Parse(absl::StrCat(before, "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"));
    EXPECT_EQ(outcome.state, State::kDone);
    EXPECT_EQ(outcome.response.status, 202);
    EXPECT_TRUE(outcome.keep_alive);
  }
  std::string endless;
  while (endless.size() <= kLimits.head_bytes) endless += "\r\n";
  ExpectRefused(endless);
}

TEST(Http1ParserTest, BareLineFeeds) {
  const Outcome outcome =
      Parse("HTTP/1.1 202 Accepted\nTransfer-Encoding: chunked\nX: y\n\n2;a=b\n{}\n0\nX-Sum: 1\n\n");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.status, 202);
  EXPECT_EQ(outcome.response.body, "{}");
  EXPECT_TRUE(outcome.keep_alive);
  EXPECT_EQ(Parse("HTTP/1.1 200\nContent-Length: 2\r\n\nok").response.body, "ok");
}

TEST(Http1ParserTest, FoldedLinesAreOneValue) {
  const Outcome outcome =
      Parse("HTTP/1.1 200 OK\r\nX:\r\n one\r\n\t two \r\nContent-Length:\r\n  2\r\n\r\nok");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.body, "ok");
  EXPECT_THAT(outcome.response.headers,
              testing::ElementsAre(Pair("X", "one two"), Pair("Content-Length", "2")));
  // RFC 9112 section 2.2: a folded line that continues nothing is left out.
  const Outcome first = Parse("HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(first.response.body, "ok");
  EXPECT_THAT(first.response.headers, testing::ElementsAre(Pair("Content-Length", "2")));
  EXPECT_FALSE(first.keep_alive);
}

TEST(Http1ParserTest, AFoldedLineContinuesNoHeaderOfAnAnswerBefore) {
  const Outcome outcome = Parse(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\n folded\r\n\r\n", /*end=*/true);
  EXPECT_EQ(outcome.response.status, 202);
  EXPECT_THAT(outcome.response.headers, testing::IsEmpty());
}

TEST(Http1ParserTest, MalformedHeaderLinesAreLeftOut) {
  for (const std::string_view line :
       {"no colon"sv, "na me: x"sv, ": x"sv, "a\0b: x"sv, "(x): y"sv, " folded"sv}) {
    const Outcome outcome =
        Parse(absl::StrCat("HTTP/1.1 202 Accepted\r\n", line, "\r\nContent-Length: 2\r\n\r\n{}"));
    EXPECT_EQ(outcome.state, State::kDone) << line;
    EXPECT_EQ(outcome.response.status, 202) << line;
    EXPECT_EQ(outcome.response.body, "{}") << line;
    EXPECT_FALSE(outcome.keep_alive) << line;
    EXPECT_THAT(outcome.response.headers, testing::ElementsAre(Pair("Content-Length", "2"))) << line;
  }
}

TEST(Http1ParserTest, SpacesBeforeAColon) {
  const Outcome outcome = Parse("HTTP/1.1 200 OK\r\nContent-Length \t: 2\r\n\r\nok");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.body, "ok");
  EXPECT_FALSE(outcome.keep_alive);
}

TEST(Http1ParserTest, CharactersThatNoValueMayHaveBecomeSpaces) {
  const Outcome outcome = Parse("HTTP/1.1 200 OK\r\nX: a\0b\rc\r\nContent-Length: 0\r\n\r\n"sv);
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_FALSE(outcome.keep_alive);
  EXPECT_EQ(outcome.response.headers.at(0).second, "a b c");
}

TEST(Http1ParserTest, SpacesInTheStatusLine) {
  for (const char* line : {"HTTP/1.1  202  Accepted", "HTTP/1.1\t202\tAccepted", " HTTP/1.1 202 Accepted "}) {
    EXPECT_EQ(Parse(absl::StrCat(line, "\r\nContent-Length: 0\r\n\r\n")).response.status, 202) << line;
  }
}

TEST(Http1ParserTest, LaterMinorVersionsAreReadAsThisOne) {
  EXPECT_TRUE(Parse("HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

// -- Before the answer -----------------------------------------------------------------------------------

TEST(Http1ParserTest, AnswersBeforeTheAnswer) {
  const Outcome outcome = Parse(
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nRetry-After: 5\r\n\r\n"
      "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.status, 202);
  EXPECT_EQ(outcome.response.body, "{}");
  EXPECT_THAT(outcome.response.headers, testing::ElementsAre(Pair("Content-Length", "2")));
  EXPECT_TRUE(outcome.keep_alive);
}

TEST(Http1ParserTest, OnlyAContinueIsNoAnswer) {
  const Outcome outcome = Parse("HTTP/1.1 100 Continue\r\n\r\n", /*end=*/true);
  EXPECT_EQ(outcome.state, State::kHead);
  EXPECT_TRUE(outcome.begun);
  EXPECT_FALSE(outcome.head_complete);
}

TEST(Http1ParserTest, SwitchingProtocolsIsAnAnswer) {
  const Outcome outcome = Parse("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.status, 101);
  EXPECT_FALSE(outcome.keep_alive) << "another protocol is spoken from here on";
}

TEST(Http1ParserTest, EndlessAnswersBeforeTheAnswerAreCutOff) {
  Http1Parser parser(kLimits);
  size_t given = 0;
  const std::string_view before = "HTTP/1.1 102 Processing\r\n\r\n";
  for (; parser.state() == State::kHead && given < 100 * kLimits.head_bytes; given += before.size())
    parser.Put(before);
  EXPECT_EQ(parser.state(), State::kError);
  EXPECT_FALSE(parser.head_complete());
  EXPECT_LE(given, kLimits.head_bytes + before.size());
}

// -- Keep-alive ------------------------------------------------------------------------------------------

TEST(Http1ParserTest, WhetherTheConnectionGoesOn) {
  const struct {
    const char* version;
    const char* connection;
    bool keep_alive;
  } kCases[] = {
      {"1.1", "", true},
      {"1.1", "Connection: keep-alive\r\n", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "connection: Close\r\n", false},
      {"1.1", "Connection: foo, close\r\n", false},
      {"1.1", "Connection: foo\r\nConnection: close\r\n", false},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: close\r\n", false},
      {"1.0", "Connection: keep-alive, close\r\n", false},
      {"1.1", "Connection: , close ,\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
  };
  for (const auto& c : kCases) {
    const Outcome outcome =
        Parse(absl::StrCat("HTTP/", c.version, " 200 OK\r\n", c.connection, "Content-Length: 2\r\n\r\nok"));
    EXPECT_EQ(outcome.state, State::kDone);
    EXPECT_EQ(outcome.keep_alive, c.keep_alive) << c.version << " " << c.connection;
  }
}

TEST(Http1ParserTest, BytesBehindTheAnswerEndTheConnection) {
  const Outcome outcome = Parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!");
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.body, "ok");
  EXPECT_FALSE(outcome.keep_alive);
}

TEST(Http1ParserTest, NothingBehindTheAnswerIsNothing) {
  Http1Parser parser(kLimits);
  parser.Put("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  parser.Put("");
  EXPECT_TRUE(parser.keep_alive());
}

// -- Unfinished ------------------------------------------------------------------------------------------

TEST(Http1ParserTest, NothingHasComeYet) {
  const Outcome outcome = Parse("", /*end=*/true);
  EXPECT_EQ(outcome.state, State::kHead);
  EXPECT_FALSE(outcome.begun);
}

TEST(Http1ParserTest, HalfAHeadIsNoHead) {
  const std::string_view all = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nX: y\r\n\r\n";
  for (size_t cut = 1; cut < all.size(); ++cut) {
    const Outcome outcome = Parse(all.substr(0, cut), /*end=*/true);
    EXPECT_EQ(outcome.state, State::kHead) << cut;
    EXPECT_TRUE(outcome.begun) << cut;
    EXPECT_FALSE(outcome.head_complete) << cut;
  }
}

// -- Limits ----------------------------------------------------------------------------------------------

std::string HeadOf(size_t bytes) {
  std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  head.append(bytes - head.size() - 4, 'x');
  return head + "\r\n\r\n";
}

TEST(Http1ParserTest, AHeadAtTheLimitAndOneBeyondIt) {
  EXPECT_EQ(Parse(HeadOf(kLimits.head_bytes)).state, State::kDone);
  ExpectHeadOnly(HeadOf(kLimits.head_bytes + 1));
}

TEST(Http1ParserTest, AHeadOfManyLinesBeyondTheLimit) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  while (head.size() < kLimits.head_bytes) head += "a: b\r\n";
  ExpectHeadOnly(head);
}

TEST(Http1ParserTest, AHeadBeyondTheLimitHasTheStatusOfItsFirstLine) {
  const std::string rest = "\r\nRetry-After: 5\r\nX: " + std::string(kLimits.head_bytes, 'x');
  EXPECT_THAT(ExpectHeadOnly("HTTP/1.1 503 Busy" + rest, 503).response.headers,
              testing::ElementsAre(Pair("Retry-After", "5")));
  ExpectHeadOnly("HTTP/1.1 202 Accepted" + rest, 202);
  ExpectRefused("HTTP/1.1 103 Early Hints" + rest);
}

TEST(Http1ParserTest, AReasonBeyondTheLimitLeavesTheStatus) {
  for (const size_t length : {kLimits.head_bytes, 3 * kLimits.head_bytes}) {
    const std::string reason(length, 'x');
    ExpectHeadOnly("HTTP/1.1 202 " + reason, 202);
    ExpectHeadOnly("HTTP/1.1 202 " + reason + "\r\nContent-Length: 0\r\n\r\n", 202);
    ExpectHeadOnly("\r\nHTTP/1.1 503  " + reason, 503);
    ExpectHeadOnly("HTTP/1.1 202" + std::string(length, ' '), 202);
    ExpectRefused("HTTP/1.1 103 " + reason);
    ExpectRefused("HTTP/1.1 20" + reason);
    ExpectRefused("HTTP/1.1 " + std::string(length, '2'));
  }
}

TEST(Http1ParserTest, AStatusThatTheLimitCutsIsNone) {
  // 1xx answers before the final one use the limit up.
  for (size_t left = 0; left <= 14; ++left) {
    std::string head = "HTTP/1.1 100 ";
    head.append(kLimits.head_bytes - left - head.size() - 4, 'x');
    head += "\r\n\r\nHTTP/1.1 2020 OK\r\n";
    ExpectRefused(head);
  }
}

TEST(Http1ParserTest, AnEndlessLine) {
  ExpectHeadOnly("HTTP/1.1 200 " + std::string(kLimits.head_bytes, 'x'));
  ExpectRefused(std::string(kLimits.head_bytes + 1, ' '));
  ExpectHeadOnly("HTTP/1.1 200 OK\r\nX: " + std::string(kLimits.head_bytes, 'x'));
}

TEST(Http1ParserTest, AnEndlessChunkExtensionIsCutOff) {
  Http1Parser parser(kLimits);
  parser.Put("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
  size_t given = 0;
  while (parser.state() == State::kBody && given < 100 * kLimits.head_bytes) {
    parser.Put("xxxxxxxxxxxxxxxx");
    given += 16;
  }
  EXPECT_EQ(parser.state(), State::kError);
  EXPECT_LE(given, kLimits.head_bytes + 16);
  EXPECT_TRUE(parser.head_complete());
}

TEST(Http1ParserTest, EndlessTrailersAreCutOff) {
  Http1Parser parser(kLimits);
  parser.Put("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
  for (int i = 0; i < 1000 && parser.state() == State::kBody; ++i) parser.Put("a: b\r\n");
  EXPECT_EQ(parser.state(), State::kError);
  EXPECT_TRUE(parser.head_complete());
}

TEST(Http1ParserTest, TheBeginningOfALongBodyIsKept) {
  const std::string body = std::string(64, 'a') + std::string(36, 'b');
  const Outcome outcome = Parse(absl::StrCat("HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n", body));
  EXPECT_EQ(outcome.state, State::kDone);
  EXPECT_EQ(outcome.response.body, std::string(64, 'a'));
  EXPECT_TRUE(outcome.response.body_whole) << "it came whole, and was read to its end";
  EXPECT_TRUE(outcome.keep_alive);
}

TEST(Http1ParserTest, ATooLongBodyIsNotReadToItsEnd) {
  for (const char* framing :
       {"Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n", "\r\n"}) {
    Http1Parser parser(kLimits);
    parser.Put(absl::StrCat("HTTP/1.1 200 OK\r\n", framing));
    parser.Put(std::string(kLimits.body_drained_bytes, 'x'));
    EXPECT_EQ(parser.state(), State::kBody) << framing;
    parser.Put("x");
    EXPECT_EQ(parser.state(), State::kEnough) << framing;
    EXPECT_TRUE(parser.head_complete());
    EXPECT_FALSE(parser.keep_alive());
    EXPECT_FALSE(parser.response().body_whole);
    EXPECT_EQ(parser.response().body.size(), kLimits.body_kept_bytes);
    EXPECT_EQ(parser.Put("more"), State::kEnough);
    EXPECT_EQ(parser.End(), State::kEnough);
  }
}

TEST(Http1ParserTest, ManySmallChunksAddUpToATooLongBody) {
  Http1Parser parser(kLimits);
  parser.Put("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  int chunks = 0;
  // Each piece ends within the line of the next chunk.
  parser.Put("4");
  while (parser.Put("\r\nabcd\r\n4") == State::kBody && chunks < 10000) ++chunks;
  EXPECT_EQ(parser.state(), State::kEnough);
  EXPECT_EQ(chunks, static_cast<int>(kLimits.body_drained_bytes / 4));
}

// -- What is refused -------------------------------------------------------------------------------------

TEST(Http1ParserTest, ContentLengthsThatAreNone) {
  for (const char* value : {"-1", "+1", "1a", "0x10", "", " ", "1 1", "1.0", "18446744073709551616",
                            "99999999999999999999999999", "1,2", "1,"}) {
    ExpectHeadOnly(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", value, "\r\n\r\n"));
  }
}

TEST(Http1ParserTest, AHugeContentLengthIsNotBelieved) {
  Http1Parser parser(kLimits);
  EXPECT_EQ(parser.Put("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx"), State::kBody);
  EXPECT_EQ(parser.Put(std::string(kLimits.body_drained_bytes, 'x')), State::kEnough);
}

TEST(Http1ParserTest, DuplicateContentLengths) {
  ExpectHeadOnly("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
  // The same number twice counts as one number (RFC 9110 section 8.6).
  EXPECT_EQ(Parse("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx").state, State::kDone);
  EXPECT_EQ(Parse("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx").state, State::kDone);
  EXPECT_EQ(Parse("HTTP/1.1 200 OK\r\nContent-Length: 1,01 ,1\r\n\r\nx").state, State::kDone);
}

TEST(Http1ParserTest, ContentLengthTogetherWithChunked) {
  // RFC 9112 section 6.3, rule 3: the coding counts, and the connection is not reused.
  for (const char* headers : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                              "Transfer-Encoding: Chunked\r\nContent-Length: 1\r\nContent-Length: 2\r\n"}) {
    const Outcome outcome = Parse(absl::StrCat("HTTP/1.1 200 OK\r\n", headers, "\r\n2\r\nok\r\n0\r\n\r\n"));
    EXPECT_EQ(outcome.response.status, 200);
    EXPECT_EQ(outcome.state, State::kDone) << headers;
    EXPECT_EQ(outcome.response.body, "ok") << headers;
    EXPECT_FALSE(outcome.keep_alive) << headers;
  }
}

TEST(Http1ParserTest, Codings) {
  const std::string_view chunks = "2\r\nok\r\n0\r\n\r\n";
  const auto parse = [&](std::string_view headers, bool end = false) {
    return Parse(absl::StrCat("HTTP/1.1 200 OK\r\n", headers, "\r\n", chunks), end);
  };
  EXPECT_EQ(parse("Transfer-Encoding: gzip, chunked\r\n").response.body, "ok");
  EXPECT_EQ(parse("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n").response.body, "ok");
  EXPECT_EQ(parse("Transfer-Encoding: , CHUNKED ,\r\n").response.body, "ok");
  EXPECT_EQ(parse("Transfer-Encoding: x-made-up\r\n", /*end=*/true).response.body, chunks);
  // "identity" was a coding in RFC 2616 and is ignored.
  const Outcome identity = parse("Transfer-Encoding: identity\r\nContent-Length: 12\r\n");
  EXPECT_EQ(identity.response.body, chunks);
  EXPECT_TRUE(identity.keep_alive);
}

TEST(Http1ParserTest, ACodingUnderHttp10EndsTheConnection) {
  // RFC 9112 section 6.1.
  const Outcome outcome = Parse(
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  EXPECT_EQ(outcome.response.body, "ok");
  EXPECT_FALSE(outcome.keep_alive);
}

TEST(Http1ParserTest, ChunkedTwice) {
  ExpectHeadOnly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n");
  ExpectHeadOnly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n");
}

TEST(Http1ParserTest, Garbage) {
  ExpectRefused("garbage\r\n\r\n");
  ExpectRefused("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1"sv);  // TLS
  ExpectRefused("\0\0\x12\x04\0\0\0\0\0"sv);                // HTTP/2
  ExpectRefused("<html></html>");
  ExpectRefused("HTTP/2.0 200 OK\r\n\r\n");
  ExpectRefused("HTTP/1.1 2000 OK\r\n\r\n");
  ExpectRefused("HTTP/1.1 20 OK\r\n\r\n");
  ExpectRefused("HTTP/1.1 -20 OK\r\n\r\n");
  ExpectRefused("HTTP/1.1 000 Nothing\r\n\r\n");
  ExpectRefused("HTTP/1.1 099 Nothing\r\n\r\n");
  ExpectRefused("HTTP/1.1 2x0 OK\r\n\r\n");
  ExpectRefused("HTTP/1.1 200OK\r\n\r\n");
  ExpectRefused("HTTP/1.1200 OK\r\n\r\n");
  ExpectRefused("HTTP/1.1\r\n\r\n");
  ExpectRefused("HTTP/1.x 200 OK\r\n\r\n");
  ExpectRefused("\r\n\r\ngarbage\r\n");
}

TEST(Http1ParserTest, AnErrorIsNotForgotten) {
  Http1Parser parser(kLimits);
  EXPECT_EQ(parser.Put("garbage\r\n"), State::kError);
  EXPECT_EQ(parser.Put("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), State::kError);
  EXPECT_EQ(parser.End(), State::kError);
  EXPECT_THAT(parser.error().message(), HasSubstr("not HTTP/1.1"));
}

TEST(Http1ParserTest, ChunkSizesMayBePaddedOrExtended) {
  for (const char* size : {"2 ", "2\t  ", "002", "2 ; a=b", "2;=", "2;a=\"x;\""}) {
    const Outcome outcome = Parse(
        absl::StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", size, "\r\nok\r\n0 \r\n\r\n"));
    EXPECT_EQ(outcome.state, State::kDone) << size;
    EXPECT_EQ(outcome.response.body, "ok") << size;
    EXPECT_TRUE(outcome.keep_alive) << size;
  }
}

TEST(Http1ParserTest, ALineOfAChunkBehindAHeadAtTheLimit) {
  std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: ";
  head.append(kLimits.head_bytes - head.size() - 4, 'x');
  EXPECT_EQ(Parse(head + "\r\n\r\n2\r\nok\r\n0\r\n\r\n").state, State::kDone);
}

TEST(Http1ParserTest, BrokenChunks) {
  for (const char* chunks : {"\r\n", "x\r\n", "-1\r\n", "2\r\nabc\r\n0\r\n\r\n", "11111111111111111\r\n",
                             "1 x\r\n!", ";a\r\n", "1\r\n!\rx"}) {
    const Outcome outcome =
        Parse(absl::StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks));
    EXPECT_EQ(outcome.state, State::kError) << chunks;
    EXPECT_TRUE(outcome.head_complete) << chunks;
    EXPECT_FALSE(outcome.keep_alive) << chunks;
  }
}

}  // namespace
}  // namespace thaw
