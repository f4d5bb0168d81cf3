// What a handler of the local HTTP server is given, and what it answers.
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
  std::string_view query;  // behind the question mark
  const HttpHeaderViews* headers = nullptr;
  std::string_view body;
  // The body was longer than the route's limit and is left out (TooLarge::kLeaveOutBody).
  bool body_left_out = false;
  // Where the body is kept, if it has a buffer of its own.
  std::string* body_buffer = nullptr;
  // What the body takes of the memory that there is for requests, in bytes, if it has a buffer of its own.
  size_t body_memory = 0;
  // Gives that back; null: nothing is to be given back.
  std::function<void()> release_memory;

  // The first value of a header; empty if there is none.
  std::string_view Header(std::string_view name) const {
    return FindHeader(*headers, name).value_or(std::string_view());
  }
  // The body for keeps; copied only if it shares its buffer with the head. `body` is empty afterwards, and
  // who has taken it accounts for its memory.
  std::string TakeBody() {
    std::string taken = body_buffer != nullptr ? std::move(*body_buffer) : std::string(body);
    body = {};
    body_buffer = nullptr;
    body_memory = 0;
    if (release_memory) release_memory();
    return taken;
  }
};

// 500 until it is set. One for each connection, filled anew for each request.
class HttpReply {
 public:
  // `content_type` is a constant.
  void Set(int status, std::string_view content_type, std::string_view body) {
    status_ = status;
    content_type_ = content_type;
    body_.assign(body);
  }
  // The answer takes longer: the route's task handler gives it.
  void Defer() { deferred_ = true; }
  bool deferred() const { return deferred_; }
  void AddHeader(std::string_view name, std::string_view value) { headers_.emplace_back(name, value); }

  int status() const { return status_; }
  std::string_view body() const { return body_; }
  const HttpHeaders& headers() const { return headers_; }

  // Appends the answer as it goes over the wire. `to_head`: the request's method was HEAD, so the body is
  // only told of.
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
