#include "cc/agent/http_request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

absl::Status NotHttp(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the request is not HTTP/1.1: ", what));
}

}  // namespace

class HttpRequestParser::Framing : public http::basic_parser</*isRequest=*/true> {
 public:
  explicit Framing(HttpRequestParser& owner) : owner_(owner) {
    header_limit(static_cast<uint32_t>(std::min<size_t>(owner.head_limit_, UINT32_MAX)));
    body_limit(boost::none);
  }

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    owner_.method_ = owner_.PlaceOf(method);
    owner_.target_ = owner_.PlaceOf(target);
    owner_.head_.http_1_0 = version == 10;
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    // Trailers come with the body and are no headers (RFC 9110 section 6.5.1).
    if (is_header_done()) return;
    owner_.fields_.push_back({owner_.PlaceOf(name), owner_.PlaceOf(value)});
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}
  size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, string_view body, error_code&) override {
    (*owner_.take_)(body);
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  HttpRequestParser& owner_;
};

struct HttpRequestParser::Beast {
  std::optional<Framing> framing;
};

HttpRequestParser::HttpRequestParser(size_t head_limit_bytes)
    : head_limit_(head_limit_bytes), beast_(std::make_unique<Beast>()) {
  Reset();
}
HttpRequestParser::~HttpRequestParser() = default;

void HttpRequestParser::Reset() {
  beast_->framing.emplace(*this);
  parsed_ = 0;
  folded_ = false;
  fields_.clear();
  // Its vector keeps what it has, unless that is more than any usual head needs.
  constexpr size_t kKeptHeaders = 128;
  HttpHeaderViews headers = std::move(head_.headers);
  headers.clear();
  if (fields_.capacity() > kKeptHeaders) {
    fields_.shrink_to_fit();
    headers.shrink_to_fit();
  }
  head_ = HttpRequestHead();
  head_.headers = std::move(headers);
}

HttpRequestParser::Place HttpRequestParser::PlaceOf(std::string_view text) {
  if (text.empty()) return {};
  // Beast joins folded lines in a buffer of its own.
  const std::less<const char*> before;
  if (before(text.data(), begin_) || before(begin_ + size_, text.data() + text.size())) {
    folded_ = true;
    return {};
  }
  return {static_cast<size_t>(text.data() - begin_), text.size()};
}

absl::StatusOr<bool> HttpRequestParser::PutHead(std::string_view bytes) {
  Framing& framing = *beast_->framing;
  begin_ = bytes.data();
  size_ = bytes.size();
  while (parsed_ < bytes.size()) {
    const std::string_view rest = bytes.substr(parsed_);
    error_code error;
    const size_t used = framing.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    parsed_ += used;
    if (error == http::error::header_limit) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the request's head is longer than ", head_limit_, " bytes"));
    }
    if (folded_) return NotHttp("a header is folded over several lines");
    if (error && error != http::error::need_more) return NotHttp(error.message());
    if (framing.is_header_done()) {
      if (const absl::Status status = CheckHead(); !status.ok()) return status;
      head_.bytes = parsed_;
      head_.headers.resize(fields_.size());
      Moved(begin_);
      return true;
    }
    if (error || used == 0) break;
  }
  return false;
}

absl::Status HttpRequestParser::CheckHead() {
  const Framing& framing = *beast_->framing;
  head_.chunked = framing.chunked();
  if (const auto length = framing.content_length()) head_.content_length = *length;
  // Who ends a message by chunks and by closing the connection may mean either (RFC 9112 section 6.1).
  head_.keep_alive = framing.keep_alive() && !(head_.http_1_0 && head_.chunked);
  for (const Field& field : fields_) {
    const std::string_view name = At(begin_, field.name);
    const std::string_view value = At(begin_, field.value);
    if (absl::EqualsIgnoreCase(name, "transfer-encoding")) {
      if (head_.content_length.has_value())
        return NotHttp("it has both a Transfer-Encoding and a Content-Length");
      if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(value), "chunked"))
        return absl::UnimplementedError(
            absl::StrCat("no Transfer-Encoding but 'chunked' is known, not '", value, "'"));
    } else if (absl::EqualsIgnoreCase(name, "expect")) {
      head_.expects_continue |= !head_.http_1_0 && absl::EqualsIgnoreCase(value, "100-continue");
    }
  }
  return absl::OkStatus();
}

void HttpRequestParser::Moved(const char* begin) {
  begin_ = begin;
  head_.method = At(begin, method_);
  head_.target = At(begin, target_);
  for (size_t i = 0; i < fields_.size(); ++i)
    head_.headers[i] = {At(begin, fields_[i].name), At(begin, fields_[i].value)};
}

absl::StatusOr<size_t> HttpRequestParser::PutChunks(std::string_view bytes,
                                                    absl::FunctionRef<void(std::string_view)> take) {
  Framing& framing = *beast_->framing;
  take_.emplace(take);
  size_t taken = 0;
  while (taken < bytes.size() && !framing.is_done()) {
    error_code error;
    const std::string_view rest = bytes.substr(taken);
    const size_t used = framing.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    taken += used;
    if (error == http::error::need_more) break;
    if (error) return NotHttp(error.message());
  }
  take_.reset();
  return taken;
}

bool HttpRequestParser::chunks_done() const { return beast_->framing->is_done(); }

RequestTarget SplitTarget(std::string_view target) {
  if (!target.empty() && target[0] != '/') {
    const size_t scheme = target.find("://");
    if (scheme != std::string_view::npos) {
      const size_t path = target.find_first_of("/?", scheme + 3);
      target = path == std::string_view::npos ? "/" : target.substr(path);
    }
  }
  const size_t mark = std::min(target.find('?'), target.size());
  return {mark == 0 ? "/" : target.substr(0, mark), target.substr(std::min(mark + 1, target.size()))};
}

}  // namespace thaw
