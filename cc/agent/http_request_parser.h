// Reads HTTP/1.x requests from bytes that come in pieces, without copying them. Pure: no stream, no time.
//
//   HttpRequestParser parser(64 << 10);
//   absl::StatusOr<bool> whole = parser.PutHead(bytes);    // all that came of this request, each time
//   parser.head().method ...                               // once it is whole
//   parser.PutChunks(bytes_behind_the_head, take);         // if head().chunked
//   parser.Reset();                                        // the next request
//
// A body with a Content-Length needs no parser: it is the bytes behind the head.
//
// It is as strict as RFC 9112 asks of servers, and where that leaves a choice, refuses: lines that end
// without CR, CR and other control characters within lines, white space before a colon, folded lines, a
// missing, repeated or malformed Host, every doubt about where a body ends. Each byte is looked at once
// however small the pieces are, and numbers and lengths of what a request may hold are bounded.

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

// Headers of one request; clients send a dozen.
inline constexpr size_t kMaxRequestHeaders = 256;
// The line that begins a chunk, its extensions included.
inline constexpr size_t kMaxChunkLineBytes = 4 * 1024;

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
  explicit HttpRequestParser(size_t head_limit_bytes) : head_limit_(head_limit_bytes) {}
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;

  // `bytes`: all that came since the request's first byte; each call gives at least what the one before gave,
  // at the same or at another address. True: the head is whole. Errors are final until Reset():
  // InvalidArgument: no HTTP, or a request that must be refused; ResourceExhausted: longer than the limit, or
  // with too many headers; Unimplemented: a transfer coding that isn't known.
  absl::StatusOr<bool> PutHead(std::string_view bytes);

  // Valid once PutHead() returned true; refers to the bytes of that call.
  const HttpRequestHead& head() const { return head_; }
  // The bytes of the head are at another address now.
  void Moved(const char* begin);

  // Reads a chunked body and gives its content to `take`; returns how many bytes are of this request: all,
  // unless it ends among them. InvalidArgument: no chunks, or more than the limits allow beside their
  // content; final until Reset().
  absl::StatusOr<size_t> PutChunks(std::string_view bytes, absl::FunctionRef<void(std::string_view)> take);
  // What is still to come of the chunk that has begun.
  uint64_t chunk_left() const { return chunk_left_; }
  // The last chunk and the trailers came.
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
  // What the next byte belongs to.
  enum class ChunkState {
    kFirstDigit,
    kDigits,
    kSpaces,  // between the size and an extension
    kExtensions,
    kLineFeed,  // of the line with the size
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
  // The headers that say how the request is framed, as far as they were seen.
  struct Framing;

  static std::string_view At(const char* begin, Place place) { return {begin + place.begin, place.length}; }
  // Of the line [line_begin_, end): whether its bytes may be part of one, before it is known what they mean.
  absl::Status CheckBytes(std::string_view bytes, size_t end);
  absl::Status PutRequestLine(std::string_view line, size_t begin);
  absl::Status PutField(std::string_view line, size_t begin);
  absl::Status CheckHead(const char* begin);
  static absl::Status PutFraming(std::string_view name, std::string_view value, Framing& framing);
  absl::Status PutChunkByte(char byte);
  absl::Status PutSizeByte(char byte);
  absl::Status PutTrailerByte(char byte);

  const size_t head_limit_;
  size_t line_begin_ = 0;  // of the line that isn't whole
  size_t checked_ = 0;     // bytes of the head that were looked at
  Place method_;           // empty: the request line isn't whole
  Place target_;
  std::vector<Field> fields_;
  HttpRequestHead head_;

  ChunkState chunk_state_ = ChunkState::kFirstDigit;
  uint64_t chunk_left_ = 0;
  size_t chunk_line_ = 0;      // bytes of the line with the size
  size_t beside_content_ = 0;  // bytes of extensions and trailers
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
