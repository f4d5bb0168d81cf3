// Requests and responses as plain values.

#ifndef THAW_CC_NET_HTTP_MESSAGE_H_
#define THAW_CC_NET_HTTP_MESSAGE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/net/destination.h"

namespace thaw {

// Returns the path of a request's target for log and error texts: queries may hold keys.
std::string_view PathOf(std::string_view target);

// Headers in the order they are sent; names compare without case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Headers that refer to bytes owned elsewhere.
using HttpHeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;

// Returns the first value of `name`, or nullopt if there is none.
std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name);
std::optional<std::string_view> FindHeader(const HttpHeaderViews& headers, std::string_view name);

// Checks whether a header may be sent. Returns InvalidArgument unless `name` is a token, is not one of the
// headers by which the client frames a message and keeps its connection (Host, Content-Length,
// Transfer-Encoding, Connection, ...), and `value` has no control character but tabs (RFC 9110 section 5.5):
// a line end would start another header. The text names the header and never shows the value, which may be a
// key.
absl::Status CheckHeader(std::string_view name, std::string_view value);
// Checks only the value, for headers whose names are constants. `what` names the header in the error.
absl::Status CheckHeaderValue(std::string_view what, std::string_view value);

// HttpRequest::body_timeout where the body of the answer is of no use: long enough for one that comes at
// once, after which the connection can be used again.
inline constexpr absl::Duration kUnwantedBodyTimeout = absl::Milliseconds(100);

struct HttpRequest {
  Destination destination;
  std::string method = "POST";
  std::string target = "/";  // path and query
  HttpHeaders headers;       // without those that the client adds itself (CheckHeader)
  // Shared, so that a resend is byte-identical and copies nothing. Null: no body.
  std::shared_ptr<const std::string> body;
  // Time limit for the rest of the answer's body, counted from when its head has come and the request is
  // written. A body that takes longer is cut (HttpResponse::body_whole), and its connection closed.
  absl::Duration body_timeout = absl::InfiniteDuration();

  // Returns InvalidArgument if the method is not a token, the target has spaces, control or 8-bit characters
  // or '#' in it, or CheckHeader rejects a header.
  absl::Status Validate() const;

  // Returns "POST https://host/path, 3 headers, 1234 bytes". Header values and queries are left out: they
  // hold keys.
  std::string ToString() const;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;        // as far as it is kept (ClientOptions::max_response_body_kept_bytes)
  bool body_whole = true;  // false: the peer cut it, or it was not read to its end

  // Returns "202, 2 headers, 15 bytes: {...}"; a body over 64 bytes is cut.
  std::string ToString() const;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP_MESSAGE_H_
