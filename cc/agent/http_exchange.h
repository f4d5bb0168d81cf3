// A request as a handler of the local HTTP server gets it, and the handler's reply.
//
//   void Hello(HttpServerRequest& request, HttpReply& reply) {
//     reply.Set(200, kJsonType, "{}");
//   }

#ifndef THAW_CC_AGENT_HTTP_EXCHANGE_H_
#define THAW_CC_AGENT_HTTP_EXCHANGE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "cc/net/http_message.h"

namespace thaw {

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";

// Refers to the connection's bytes: valid until the handler returns, or its task ends.
struct HttpServerRequest {
  std::string_view method;
  std::string_view path;
  std::string_view query;  // after the question mark
  const HttpHeaderViews* headers = nullptr;
  std::string_view body;
  // The body was longer than the route's limit and is omitted (TooLarge::kLeaveOutBody).
  bool body_left_out = false;
  // The body's own buffer; null if it shares one with the head.
  std::string* body_buffer = nullptr;
  // The bytes that the body's own buffer takes of the memory for requests.
  size_t body_memory = 0;
  // Releases that memory; null: there is none.
  std::function<void()> release_memory;

  // Returns the first value of a header; empty if there is none.
  std::string_view Header(std::string_view name) const {
    return FindHeader(*headers, name).value_or(std::string_view());
  }
  // Moves the body out; copies it only if it shares its buffer with the head. `body` is empty afterwards, and
  // the caller accounts for the memory.
  std::string TakeBody() {
    std::string taken = body_buffer != nullptr ? std::move(*body_buffer) : std::string(body);
    body = {};
    body_buffer = nullptr;
    body_memory = 0;
    if (release_memory) release_memory();
    return taken;
  }
};

// Status 500 until Set(). Each connection has one, reused for each request.
class HttpReply {
 public:
  // `content_type` must be a constant.
  void Set(int status, std::string_view content_type, std::string_view body) {
    status_ = status;
    content_type_ = content_type;
    body_.assign(body);
  }
  // Leaves the answer to the route's task handler.
  void Defer() { deferred_ = true; }
  bool deferred() const { return deferred_; }
  void AddHeader(std::string_view name, std::string_view value) { headers_.emplace_back(name, value); }

  int status() const { return status_; }
  std::string_view body() const { return body_; }
  const HttpHeaders& headers() const { return headers_; }

  // Appends the answer in its wire format. `to_head`: the request's method was HEAD, so the head describes
  // the body and the body is left out.
  void AppendTo(std::string& out, bool http_1_0, bool keep_alive, bool to_head) const;
  void Reset();

 private:
  int status_ = 500;
  bool deferred_ = false;
  std::string_view content_type_ = kTextType;
  std::string body_;
  HttpHeaders headers_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_EXCHANGE_H_
