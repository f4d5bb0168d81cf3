// Reads one HTTP/1.1 response from bytes that come in pieces. Pure: no stream, no time.
//
//   Http1Parser parser(limits);
//   const Http1Parser::State state = parser.Put(bytes);   // as bytes come
//   parser.End();                                         // the stream ended
//
// Handles Content-Length, chunked and end-delimited bodies, 1xx answers before the real one, bodiless
// statuses, `Connection`, HTTP/1.0. The framing is Boost.Beast's; this file's source is the only one that
// knows it.

#ifndef THAW_CC_NET_HTTP1_PARSER_H_
#define THAW_CC_NET_HTTP1_PARSER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "cc/net/http_message.h"

namespace thaw {

class Http1Parser {
 public:
  struct Limits {
    size_t head_bytes;          // a longer head is an error
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

  explicit Http1Parser(const Limits& limits);
  ~Http1Parser();
  Http1Parser(const Http1Parser&) = delete;
  Http1Parser& operator=(const Http1Parser&) = delete;

  State Put(std::string_view bytes);
  // No more bytes come: ends an end-delimited body; anything else unfinished stays so.
  State End();

  State state() const { return state_; }
  bool begun() const { return begun_; }  // a byte came
  bool head_complete() const { return head_complete_; }
  // Whether the connection may carry another request; meaningful when done. Bytes after the end: no.
  bool keep_alive() const;
  const absl::Status& error() const { return error_; }
  // Status and headers once the head is complete; the body as far as it came and is kept.
  HttpResponse& response() { return response_; }

 private:
  class Framing;

  State Fail(std::string_view what);

  Limits limits_;
  std::unique_ptr<Framing> framing_;
  State state_ = State::kHead;
  bool begun_ = false;
  bool head_complete_ = false;
  bool bytes_after_end_ = false;
  size_t body_bytes_ = 0;
  std::string pending_;  // bytes of an unfinished line
  absl::Status error_;
  HttpResponse response_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP1_PARSER_H_
