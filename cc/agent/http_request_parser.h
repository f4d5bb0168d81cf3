// Parses HTTP/1.x requests from bytes that come in pieces, without copying them. Pure: no stream, no time.
//
//   HttpRequestParser parser(64 << 10);
//   absl::StatusOr<bool> whole = parser.PutHead(bytes);    // pass all bytes of this request, each time
//   const HttpRequestHead& head = parser.head();           // once `whole` is true
//   if (head.chunked) whole = parser.PutChunks(bytes_after_the_head, take);
//   parser.Reset();                                        // for the next request
//
// A body with a Content-Length needs no parser: it is the bytes after the head.
//
// The parser is as strict as RFC 9112 asks of servers, and refuses where that leaves a choice: lines that end
// without CR, CR and other control characters within lines, white space before a colon, folded lines, a
// missing, repeated or malformed Host, and every ambiguity about where a body ends. It looks at each byte
// once, however small the pieces are, and bounds the number and length of a request's parts.

#ifndef THAW_CC_AGENT_HTTP_REQUEST_PARSER_H_
#define THAW_CC_AGENT_HTTP_REQUEST_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cc/net/http_message.h"

namespace thaw {

// Largest number of headers of one request; clients send a dozen.
inline constexpr size_t kMaxRequestHeaders = 256;
// Longest line that begins a chunk, its extensions included.
inline constexpr size_t kMaxChunkLineBytes = 4 * 1024;

struct HttpRequestHead {
  std::string_view method;
  std::string_view target;  // as it was sent
  HttpHeaderViews headers;  // in the order of arrival
  bool http_1_0 = false;
  // The client wants to send another request on this connection.
  bool keep_alive = false;
  // The client waits for a 100 before it sends the body.
  bool expects_continue = false;
  bool chunked = false;
  std::optional<uint64_t> content_length;  // never together with `chunked`
  size_t bytes = 0;                        // length of the head, the empty line included
};

class HttpRequestParser {
 public:
  explicit HttpRequestParser(size_t head_limit_bytes) : head_limit_(head_limit_bytes) {}
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;

  // `bytes`: all bytes since the request's first; each call passes at least those of the call before, at the
  // same or at another address. Returns true once the head is complete. Errors are final until Reset():
  // InvalidArgument: not HTTP, or a request that must be refused; ResourceExhausted: longer than the limit,
  // or with too many headers; Unimplemented: an unknown transfer coding.
  absl::StatusOr<bool> PutHead(std::string_view bytes);

  // Valid once PutHead() returned true; refers to the bytes of that call.
  const HttpRequestHead& head() const { return head_; }
  // Must be called when the bytes of the head have moved to another address.
  void Moved(const char* begin);

  // Parses a chunked body and passes its content to `take`. Returns how many bytes belong to this request:
  // all, unless it ends among them. InvalidArgument: no chunks, or more bytes beside the content than the
  // limits allow; final until Reset().
  absl::StatusOr<size_t> PutChunks(std::string_view bytes, absl::FunctionRef<void(std::string_view)> take);
  // Returns how many bytes of the current chunk are still to come.
  uint64_t chunk_left() const { return chunk_left_; }
  // Returns whether the last chunk and the trailers came.
  bool chunks_done() const { return chunk_state_ == ChunkState::kDone; }

  void Reset();

 private:
  struct Place {
    size_t begin = 0;
    size_t length = 0;
  };
  struct Field {
    Place name;
    Place value;
  };
  // The part that the next byte belongs to.
  enum class ChunkState {
    kFirstDigit,
    kDigits,
    kSpaces,  // between the size and an extension
    kExtensions,
    kLineFeed,  // after the size
    kContent,
    kContentReturn,
    kContentLineFeed,
    kTrailerBegin,
    kTrailerName,
    kTrailerValue,
    kTrailerLineFeed,
    kLastLineFeed,
    kDone,
  };
  // The framing headers seen so far.
  struct Framing;

  static std::string_view At(const char* begin, Place place) { return {begin + place.begin, place.length}; }
  // Checks that the bytes of the line [line_begin_, end) may occur in a line, before it is parsed.
  absl::Status CheckBytes(std::string_view bytes, size_t end);
  absl::Status PutRequestLine(std::string_view line, size_t begin);
  absl::Status PutField(std::string_view line, size_t begin);
  absl::Status CheckHead(const char* begin);
  static absl::Status PutFraming(std::string_view name, std::string_view value, Framing& framing);
  absl::Status PutChunkByte(char byte);
  absl::Status PutSizeByte(char byte);
  absl::Status PutTrailerByte(char byte);

  const size_t head_limit_;
  size_t line_begin_ = 0;  // start of the incomplete line
  size_t checked_ = 0;     // bytes of the head looked at so far
  Place method_;           // empty: the request line is incomplete
  Place target_;
  std::vector<Field> fields_;
  HttpRequestHead head_;

  ChunkState chunk_state_ = ChunkState::kFirstDigit;
  uint64_t chunk_left_ = 0;
  size_t chunk_line_ = 0;      // bytes of the line with the size
  size_t beside_content_ = 0;  // bytes of extensions and trailers
};

// The parts of a request's target in origin or absolute form (RFC 9112 section 3.2). The query excludes the
// question mark.
struct RequestTarget {
  std::string_view path;
  std::string_view query;
};
RequestTarget SplitTarget(std::string_view target);

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_REQUEST_PARSER_H_
