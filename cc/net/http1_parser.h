// Parses one HTTP/1.1 response from bytes that come in pieces. Pure: no stream, no time.
//
//   Http1Parser parser(limits);
//   const Http1Parser::State state = parser.Put(bytes);   // as bytes come
//   parser.End();                                         // the stream ended
//
// It handles Content-Length, chunked and end-delimited bodies, 1xx answers before the final one, bodiless
// statuses, `Connection`, HTTP/1.0. It is as lenient as RFC 9112 allows a client to be: rejecting an answer
// for its form means sending the request again, though the peer may have accepted it. Empty lines before the
// answer, bare LF, a missing reason, folded lines and spaces before a colon are accepted; a header line that
// is malformed is left out. If framing is in doubt the connection isn't reused, and if it is contradictory
// the body isn't read; the head with its status counts all the same.

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
    size_t head_bytes;          // a longer head is an error; 1xx answers and empty lines before it count
    size_t body_kept_bytes;     // how much of the body is kept for the caller
    size_t body_drained_bytes;  // a longer body isn't read to its end: kEnough
  };
  enum class State {
    kHead,    // the head isn't complete
    kBody,    // the head is complete, the body isn't
    kDone,    // the whole answer came
    kEnough,  // the body is longer than body_drained_bytes
    kError,   // not HTTP, or over a limit: error() says what
  };
  // The kind of request that is answered, which decides whether a body follows (RFC 9112 section 6.3).
  enum class AnswerTo {
    kAny,
    kHead,     // no body follows, whatever the head says
    kConnect,  // the tunnel begins behind a 2xx head
  };

  explicit Http1Parser(const Limits& limits, AnswerTo answer_to = AnswerTo::kAny)
      : limits_(limits), answer_to_(answer_to) {}
  Http1Parser(const Http1Parser&) = delete;
  Http1Parser& operator=(const Http1Parser&) = delete;

  State Put(std::string_view bytes);
  // Tells the parser that no more bytes come, which completes an end-delimited body and nothing else.
  State End();

  State state() const { return state_; }
  bool begun() const { return begun_; }  // a byte came
  // Returns true if the whole head came, or if its status came and the rest, reason included, is over the
  // limit: the status is known. A later error does not change this.
  bool head_complete() const { return head_complete_; }
  // Returns true once the line came whose status says that the request is refused, whatever of the head is missing.
  bool refused() const { return response_.status >= 300 && (head_complete_ || expect_ == Expect::kHeader); }
  // Whether the connection may carry another request; meaningful in kDone. Bytes behind the answer's end make
  // it false.
  bool keep_alive() const { return state_ == State::kDone && reusable_ && !bytes_after_end_; }
  const absl::Status& error() const { return error_; }
  // Status and headers, once the head is complete, and the body as far as it came and is kept.
  HttpResponse& response() { return response_; }
  // The reason phrase, as far as it is kept; raw bytes from the peer.
  std::string_view reason() const { return reason_; }

 private:
  // The kind of bytes that comes next.
  enum class Expect { kStatusLine, kHeader, kCounted, kChunkSize, kChunk, kChunkEnd, kTrailer, kToTheEnd };

  // The body's framing according to the headers, whether or not a body follows. The length is in `left_`.
  struct BodyFraming {
    bool sound = true;  // false: it contradicts itself
    bool has_length = false;
    bool coded = false;    // transfer-coded; then the length means nothing
    bool chunked = false;  // its last coding is chunked
  };

  State Fail(std::string_view what);
  // Takes a line off `bytes`, without its end. Returns false if it isn't complete yet or the parser failed.
  bool TakeLine(std::string_view& bytes, std::string& joined, std::string_view& line);
  size_t LineLimit() const;
  // Ends a line, of which `begin` came, that is longer than the limit.
  void OverLimit(std::string_view begin);
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
  bool header_kept_ = false;  // the last header line was kept; folded lines belong to it
  size_t line_bytes_ = 0;     // in whole lines of the head or of the trailers
  size_t body_bytes_ = 0;
  uint64_t left_ = 0;    // bytes left of the body or of the current chunk
  std::string pending_;  // bytes of an incomplete line
  std::string reason_;
  absl::Status error_;
  HttpResponse response_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP1_PARSER_H_
