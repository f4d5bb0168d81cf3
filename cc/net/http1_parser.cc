#include "cc/net/http1_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

}  // namespace

class Http1Parser::Framing : public http::basic_parser</*isRequest=*/false> {
 public:
  explicit Framing(Http1Parser& owner) : owner_(owner) {
    eager(true);
    header_limit(static_cast<uint32_t>(std::min<size_t>(owner.limits_.head_bytes, UINT32_MAX)));
    body_limit(boost::none);
  }

 private:
  void on_request_impl(http::verb, boost::beast::string_view, boost::beast::string_view, int,
                       error_code&) override {}
  void on_response_impl(int code, boost::beast::string_view, int, error_code&) override {
    owner_.response_.status = code;
    owner_.response_.headers.clear();
  }
  void on_field_impl(http::field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code&) override {
    // Trailers come with the body and are no headers (RFC 9110 section 6.5.1).
    if (is_header_done()) return;
    owner_.response_.headers.emplace_back(std::string(name), std::string(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}
  size_t on_body_impl(boost::beast::string_view body, error_code&) override { return Keep(body); }
  void on_chunk_header_impl(uint64_t, boost::beast::string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, boost::beast::string_view body, error_code&) override {
    return Keep(body);
  }
  void on_finish_impl(error_code&) override {}

  size_t Keep(boost::beast::string_view body) {
    std::string& kept = owner_.response_.body;
    const size_t room =
        owner_.limits_.body_kept_bytes - std::min(owner_.limits_.body_kept_bytes, kept.size());
    kept.append(body.data(), std::min(room, body.size()));
    owner_.body_bytes_ += body.size();
    return body.size();
  }

  Http1Parser& owner_;
};

Http1Parser::Http1Parser(const Limits& limits)
    : limits_(limits), framing_(std::make_unique<Framing>(*this)) {}
Http1Parser::~Http1Parser() = default;

Http1Parser::State Http1Parser::Fail(std::string_view what) {
  error_ = absl::InvalidArgumentError(absl::StrCat("the answer is not HTTP/1.1: ", what));
  response_.body_whole = false;
  return state_ = State::kError;
}

Http1Parser::State Http1Parser::Put(std::string_view bytes) {
  if (state_ == State::kDone || state_ == State::kEnough) {
    bytes_after_end_ |= !bytes.empty();
    return state_;
  }
  if (state_ == State::kError) return state_;
  begun_ |= !bytes.empty();
  // Beast wants an unfinished line again from its start.
  const bool joined = !pending_.empty();
  if (joined) {
    pending_.append(bytes);
    bytes = pending_;
  }
  while (!bytes.empty()) {
    error_code error;
    const size_t used = framing_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    // Beast goes on behind the head as far as it can: an error or an unfinished line found there leaves the
    // head whole.
    if (state_ == State::kHead && framing_->is_header_done()) {
      const int status = response_.status;
      if (status < 100) return Fail("its status is below 100");
      if (status / 100 == 1 && status != 101) {
        // An answer before the answer (RFC 9110 section 15.2): start over.
        response_ = HttpResponse();
        framing_ = std::make_unique<Framing>(*this);
        continue;
      }
      state_ = State::kBody;
      head_complete_ = true;
    }
    const bool unfinished = error == http::error::need_more;
    if (error && !unfinished) return Fail(error.message());
    if (framing_->is_done()) {
      state_ = State::kDone;
      bytes_after_end_ |= !bytes.empty();
      return state_;
    }
    if (body_bytes_ > limits_.body_drained_bytes) {
      response_.body_whole = false;
      return state_ = State::kEnough;
    }
    if (unfinished || used == 0) break;
  }
  if (joined) {
    pending_.erase(0, pending_.size() - bytes.size());
  } else {
    pending_.assign(bytes);
  }
  // Beast bounds the head and its trailers, but no line that begins a chunk.
  if (pending_.size() > limits_.head_bytes) return Fail("a line is longer than a head may be");
  return state_;
}

Http1Parser::State Http1Parser::End() {
  if (state_ == State::kBody) {
    error_code error;
    framing_->put_eof(error);
    if (!error && framing_->is_done()) {
      state_ = State::kDone;
      bytes_after_end_ = true;  // the stream is over
    } else {
      response_.body_whole = false;
    }
  }
  return state_;
}

bool Http1Parser::keep_alive() const {
  return state_ == State::kDone && !bytes_after_end_ && framing_->keep_alive() && !framing_->need_eof();
}

}  // namespace thaw
