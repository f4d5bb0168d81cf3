// Reads one HTTP/1.1 response from bytes that come in pieces. Pure: no stream, no time.
//
//   Http1Parser parser(limits);
//   const Http1Parser::State state = parser.Put(bytes);   // as bytes come
//   parser.End();                                         // the stream ended
//
// Handles Content-Length, chunked and end-delimited bodies, 1xx answers before the real one, bodiless
// statuses, `Connection`, HTTP/1.0. The parser is as lenient as RFC 9112 allows a client to be: refusing an
// answer for its form means sending the request again, though the peer may have accepted it. Empty lines
// before the answer, bare LF, a missing reason, folded lines and spaces before a colon are read; a header
// line that is none is left out. Where framing is in doubt the connection isn't reused, and where it is
// contradictory the body isn't read; the head with its status counts all the same.

#ifndef THAW_CC_NET_HTTP1_PARSER_H_
#define THAW_CC_NET_HTTP1_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "cc/net/http_message.h"

namespace thaw {

class Http1Parser {
 public:
  struct Limits {
    size_t head_bytes;          // a longer head is an error, 1xx answers and empty lines before it included
    size_t body_kept_bytes;     // what of the body is kept for the caller
    size_t body_drained_bytes;  // beyond it the rest isn't worth reading: kEnough
  };
  enum class State {
    kHead,    // the head isn't whole
    kBody,    // the head is, the body isn't
    kDone,    // all of it came
    kEnough,  // the body is longer than anybody wants to read
    kError,   // not HTTP, or past a limit: error() says what
  };
  // Which request is answered: it decides whether a body follows (RFC 9112 section 6.3).
  enum class AnswerTo {
    kAny,
    kHead,     // no body whatever the head says
    kConnect,  // behind a 2xx head the tunnel begins
  };

  explicit Http1Parser(const Limits& limits, AnswerTo answer_to = AnswerTo::kAny)
      : limits_(limits), answer_to_(answer_to) {}
  Http1Parser(const Http1Parser&) = delete;
  Http1Parser& operator=(const Http1Parser&) = delete;

  State Put(std::string_view bytes);
  // No more bytes come: ends an end-delimited body; anything else unfinished stays so.
  State End();

  State state() const { return state_; }
  bool begun() const { return begun_; }  // a byte came
  // The head came whole, or its status line did and the rest is beyond the limit: the status is known. An
  // error found behind that leaves it so.
  bool head_complete() const { return head_complete_; }
  // Whether the connection may carry another request; meaningful when done. Bytes after the end: no.
  bool keep_alive() const { return state_ == State::kDone && reusable_ && !bytes_after_end_; }
  const absl::Status& error() const { return error_; }
  // Status and headers once the head is complete; the body as far as it came and is kept.
  HttpResponse& response() { return response_; }
  // The reason phrase, as far as it is kept; raw bytes of the peer's.
  std::string_view reason() const { return reason_; }

 private:
  // The kind of bytes that comes next.
  enum class Expect { kStatusLine, kHeader, kCounted, kChunkSize, kChunk, kChunkEnd, kTrailer, kToTheEnd };

  // The body's framing according to the headers, whether or not there is a body. The length is in `left_`.
  struct BodyFraming {
    bool sound = true;  // it does not contradict itself
    bool has_length = false;
    bool coded = false;    // for the transfer; then the length means nothing
    bool chunked = false;  // by the last of its codings
  };

  State Fail(std::string_view what);
  // Takes a line off `bytes`, without its end; false: it isn't whole yet, or the parser failed.
  bool TakeLine(std::string_view& bytes, std::string& joined, std::string_view& line);
  size_t LineLimit() const;
  void OverLimit();
  bool MayBeStatusLine(std::string_view begin) const;
  void OnLine(std::string_view line);
  void OnStatusLine(std::string_view line);
  void OnHeader(std::string_view line);
  void OnFolded(std::string_view line);
  void OnHeadEnd();
  // Reads Content-Length, Transfer-Encoding and Connection.
  BodyFraming ReadFraming();
  bool HasBody() const;
  void OnChunkSize(std::string_view line);
  void TakeBody(std::string_view& bytes);

  const Limits limits_;
  const AnswerTo answer_to_;
  State state_ = State::kHead;
  Expect expect_ = Expect::kStatusLine;
  bool begun_ = false;
  bool head_complete_ = false;
  bool bytes_after_end_ = false;
  bool reusable_ = true;
  bool http_1_0_ = false;
  bool header_kept_ = false;  // the last header line, for lines folded behind it
  size_t line_bytes_ = 0;     // of the head, or of the trailers, in whole lines
  size_t body_bytes_ = 0;
  uint64_t left_ = 0;    // of the body, or of the running chunk
  std::string pending_;  // bytes of an unfinished line
  std::string reason_;
  absl::Status error_;
  HttpResponse response_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP1_PARSER_H_
