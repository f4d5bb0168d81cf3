// Requests and responses, as plain values.

#ifndef THAW_CC_NET_HTTP_MESSAGE_H_
#define THAW_CC_NET_HTTP_MESSAGE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/net/destination.h"

namespace thaw {

// The path of a request's target, for texts: queries may hold keys.
std::string_view PathOf(std::string_view target);

// In the order they are sent; names compare without case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The same, in somebody else's bytes.
using HttpHeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;

// The first value of `name`; nothing if there is none.
std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name);
std::optional<std::string_view> FindHeader(const HttpHeaderViews& headers, std::string_view name);

struct HttpRequest {
  Destination destination;
  std::string method = "POST";
  std::string target = "/";  // path and query
  HttpHeaders headers;       // without Host, Content-Length and Connection, which the client adds
  // Shared, so that a resend is byte-identical and copies nothing. Null: no body.
  std::shared_ptr<const std::string> body;
  // The answer's body is of use. Without: the head of the answer is what counts, and its body is waited for
  // only briefly (Http1Connection::kBodyPatience).
  bool body_wanted = true;

  // "POST https://host/path, 3 headers, 1234 bytes". Header values and queries are left out: they hold keys.
  std::string ToString() const;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;        // as far as it is kept (ClientOptions::max_response_body_kept_bytes)
  bool body_whole = true;  // false: cut by the peer, or not drained to its end

  // "202, 2 headers, 15 bytes: {...}", a body over 64 bytes cut.
  std::string ToString() const;
};

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP_MESSAGE_H_
