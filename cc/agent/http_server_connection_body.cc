// The body of a connection's request: the place it is received into, and the room that is set aside for it.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/agent/http_server_connection.h"
#include "cc/base/reserve.h"

namespace thaw {
namespace {

// A large body's buffer begins with at least half of this, and is at most twice as large as the received
// bytes.
constexpr size_t kLeastBodyBytes = 32 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Returns the size of the buffer for a body of `length` bytes once `came` of them have filled it. A promised
// length takes no memory: the buffer grows with what came, by halves of its length, so that it is never
// copied from more than half of its next size.
size_t BufferFor(size_t length, size_t came) {
  size_t capacity = length;
  while (capacity / 2 > std::max(came, kLeastBodyBytes)) capacity = (capacity + 1) / 2;
  return capacity;
}

}  // namespace

bool HttpServerConnection::BeginBody(size_t limit_bytes) {
  const HttpRequestHead& head = parser_.head();
  request_.body_limit = limit_bytes;
  request_.body_length = head.content_length.value_or(0);
  // A body for which there can never be room is refused at once.
  const size_t most = std::min(limit_bytes, state_.options.largest_body_bytes());
  const bool has_body = head.chunked || request_.body_length > 0;
  const bool waits = head.expects_continue && has_body && end_ == request_.body_begin;
  if (request_.refusal.has_value() && (waits || request_.body_length > most)) {
    // The body needs neither to be sent nor to be read.
    return Refuse(request_.refusal->status, request_.refusal->counter, request_.refusal->text);
  }
  if (head.chunked) {
    request_.body_form = BodyForm::kChunks;
  } else if (request_.body_length > most) {
    if (request_.route->too_large == TooLarge::kRefuse || request_.body_length > kMaxDiscardedBytes) {
      return Refuse(413, &HttpServerCounts::refused_too_large,
                    absl::StrCat("a body of ", request_.body_length, " bytes is larger than ", most));
    }
    request_.body_left_out = true;
    request_.body_form = BodyForm::kThrowAway;
  } else if (request_.refusal.has_value()) {
    request_.body_form = BodyForm::kThrowAway;
  } else if (head.bytes + request_.body_length <= inbound_.size()) {
    request_.body_form = BodyForm::kInPlace;
    if (request_.body_begin + request_.body_length > inbound_.size()) MoveToFront();
  } else {
    if (!ReserveBody(BufferFor(request_.body_length, end_ - request_.body_begin))) return RefuseForRoom();
    request_.body_form = BodyForm::kBuffer;
    body_.assign(Inbound(request_.body_begin, end_));
    request_.body_received = body_.size();
    end_ = request_.body_begin;
  }
  if (waits) {
    ++state_.counts.continued;
    outbound_.assign(kContinue);
    return WriteOut(AfterWrite::kBody);
  }
  return true;
}

bool HttpServerConnection::AdvanceBody() {
  switch (request_.body_form) {
    case BodyForm::kInPlace:
      if (end_ - request_.body_begin < request_.body_length) break;
      request_.next_begin = request_.body_begin + request_.body_length;
      return Dispatch();
    case BodyForm::kBuffer:
      if (request_.body_received < request_.body_length) {
        if (request_.body_received == body_aside_ &&
            !ReserveBody(BufferFor(request_.body_length, request_.body_received)))
          return RefuseForRoom();
        break;
      }
      request_.next_begin = request_.body_begin;
      return Dispatch();
    case BodyForm::kThrowAway: {
      const size_t used =
          std::min<uint64_t>(end_ - request_.body_begin, request_.body_length - request_.body_received);
      request_.body_received += used;
      request_.next_begin = request_.body_begin + used;
      if (request_.body_received == request_.body_length) return Dispatch();
      end_ = request_.body_begin;
      break;
    }
    case BodyForm::kChunks:
      if (!AdvanceChunks()) return false;
      if (parser_.chunks_done()) return Dispatch();
      break;
  }
  if (!deadline_.is_set()) {
    SetDeadline(state_.options.body_timeout);
    MarkProgress();
  }
  Read();
  return false;
}

bool HttpServerConnection::ReserveBody(size_t bytes) {
  if (bytes <= body_aside_) return true;
  // A kept buffer is used as a whole. While one buffer is copied into another, both exist.
  const size_t capacity = std::max(bytes, body_.capacity());
  if (!owner_->SetAside(*this, capacity)) return false;
  if (capacity > body_.capacity()) {
    if (!CanAllocate(capacity)) {
      state_.incoming_bytes -= capacity;
      return false;
    }
    std::string larger;
    larger.reserve(capacity);
    larger.append(body_);
    body_.swap(larger);
  }
  state_.incoming_bytes -= body_aside_;
  body_aside_ = capacity;
  return true;
}

bool HttpServerConnection::AppendToBody(std::string_view content) {
  const size_t bytes = body_.size() + content.size();
  if (bytes > body_aside_ &&
      !ReserveBody(std::min(request_.body_limit, std::max({bytes, 2 * body_aside_, kReadBytes})))) {
    return false;
  }
  body_.append(content);
  return true;
}

// Returns false if the request was refused.
bool HttpServerConnection::AdvanceChunks() {
  const bool wanted = !request_.refusal.has_value();
  const auto take = [this, wanted](std::string_view content) {
    request_.body_received += content.size();
    if (!wanted || request_.body_left_out || request_.body_received > request_.body_limit) return;
    if (!request_.chunks_over_budget && !AppendToBody(content)) request_.chunks_over_budget = true;
  };
  const absl::StatusOr<size_t> used = parser_.PutChunks(Inbound(request_.body_begin, end_), take);
  if (!used.ok()) {
    Refuse(400, &HttpServerCounts::refused_not_http, used.status().message());
    return false;
  }
  if (request_.chunks_over_budget) return RefuseForRoom();
  // The first line of a chunk shows that it is too long.
  const uint64_t announced = request_.body_received + parser_.chunk_left();
  if (announced > request_.body_limit) {
    if (request_.refusal.has_value()) {
      Refuse(request_.refusal->status, request_.refusal->counter, request_.refusal->text);
      return false;
    }
    if (request_.route->too_large == TooLarge::kRefuse || announced > kMaxDiscardedBytes) {
      Refuse(413, &HttpServerCounts::refused_too_large,
             absl::StrCat("the body is larger than ", request_.body_limit, " bytes"));
      return false;
    }
    request_.body_left_out = true;
    FreeBody();
  }
  request_.next_begin = request_.body_begin + *used;
  if (!parser_.chunks_done()) end_ = request_.body_begin;
  return true;
}

void HttpServerConnection::FreeBody() {
  std::string().swap(body_);
  request_.body_charge.Release();
  state_.incoming_bytes -= std::exchange(body_aside_, 0);
}

}  // namespace thaw
