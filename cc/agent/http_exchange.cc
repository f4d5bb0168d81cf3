#include "cc/agent/http_exchange.h"

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

// RFC 9110 section 15. A status without a phrase is no error, since phrases are for people.
std::string_view PhraseOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

}  // namespace

void HttpReply::AppendTo(std::string& out, bool http_1_0, bool keep_alive, bool to_head) const {
  absl::StrAppend(&out, "HTTP/1.1 ", status_, " ", PhraseOf(status_), "\r\nContent-Type: ", content_type_);
  absl::StrAppend(&out, "\r\nContent-Length: ", body_.size(), "\r\n");
  // HTTP/1.0 closes unless told otherwise, HTTP/1.1 keeps the connection.
  if (!keep_alive) {
    out.append("Connection: close\r\n");
  } else if (http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  for (const auto& [name, value] : headers_) absl::StrAppend(&out, name, ": ", value, "\r\n");
  out.append("\r\n");
  if (!to_head) out.append(body_);
}

void HttpReply::Reset() {
  status_ = 500;
  deferred_ = false;
  content_type_ = kTextType;
  body_.clear();
  headers_.clear();
}

}  // namespace thaw
