// Reads HTTP/1.x requests from bytes that come in pieces, without copying them. Pure: no stream, no time.
//
//   HttpRequestParser parser(64 << 10);
//   absl::StatusOr<bool> whole = parser.PutHead(bytes);    // all that came of this request, each time
//   parser.head().method ...                               // once it is whole
//   parser.PutChunks(bytes_behind_the_head, take);         // if head().chunked
//   parser.Reset();                                        // the next request
//
// A body with a Content-Length needs no parser: it is the bytes behind the head. The syntax is Boost.Beast's;
// this file's source is the only one in this room that knows it. What Beast lets pass and a server must not
// is refused here: header lines that are folded, and codings of the transfer other than chunked.

#ifndef THAW_CC_AGENT_HTTP_REQUEST_PARSER_H_
#define THAW_CC_AGENT_HTTP_REQUEST_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/net/http_message.h"

namespace thaw {

struct HttpRequestHead {
  std::string_view method;
  std::string_view target;  // as it was sent
  HttpHeaderViews headers;  // in the order they came
  bool http_1_0 = false;
  // The client wants to send another request on this connection.
  bool keep_alive = false;
  // The client waits for a 100 before it sends the body.
  bool expects_continue = false;
  bool chunked = false;
  std::optional<uint64_t> content_length;  // never together with `chunked`
  size_t bytes = 0;                        // its own length, the empty line included
};

class HttpRequestParser {
 public:
  explicit HttpRequestParser(size_t head_limit_bytes);
  ~HttpRequestParser();
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;

  // `bytes`: all that came since the request's first byte; each call gives at least what the one before gave,
  // at the same or at another address. True: the head is whole. Errors are final until Reset():
  // InvalidArgument: no HTTP; ResourceExhausted: longer than the limit; Unimplemented: a transfer coding that
  // isn't known.
  absl::StatusOr<bool> PutHead(std::string_view bytes);

  // Valid once PutHead() returned true; refers to the bytes of that call.
  const HttpRequestHead& head() const { return head_; }
  // The bytes of the head are at another address now.
  void Moved(const char* begin);

  // Takes what it can of a chunked body and gives its content to `take`; returns how many bytes that used.
  // The rest comes again, with more behind it. InvalidArgument: no chunks.
  absl::StatusOr<size_t> PutChunks(std::string_view bytes, absl::FunctionRef<void(std::string_view)> take);
  // The last chunk and the trailers came.
  bool chunks_done() const;

  void Reset();

 private:
  class Framing;
  struct Place {
    size_t begin = 0;
    size_t length = 0;
  };
  struct Field {
    Place name;
    Place value;
  };
  struct Beast;

  std::string_view At(const char* begin, Place place) const { return {begin + place.begin, place.length}; }
  Place PlaceOf(std::string_view text);
  absl::Status CheckHead();

  const size_t head_limit_;
  std::unique_ptr<Beast> beast_;  // made once, filled anew for each request
  size_t parsed_ = 0;             // bytes of the head that Beast took
  const char* begin_ = nullptr;   // of the bytes in the running call
  size_t size_ = 0;
  bool folded_ = false;
  Place method_;
  Place target_;
  std::vector<Field> fields_;
  std::optional<absl::FunctionRef<void(std::string_view)>> take_;  // in the running call
  HttpRequestHead head_;
};

// The parts of a request's target: path and query, in origin or absolute form (RFC 9112 section 3.2). The
// query begins behind the question mark.
struct RequestTarget {
  std::string_view path;
  std::string_view query;
};
RequestTarget SplitTarget(std::string_view target);

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_REQUEST_PARSER_H_
