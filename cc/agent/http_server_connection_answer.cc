// The answer to a connection's request: decodes the body, calls the handler, writes, and makes ready for the next
// request.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/agent/http_server_connection.h"

namespace thaw {
namespace {

// A larger buffer is freed after its request, a smaller one kept for the next. Buffers of idle connections
// are not charged, so only a few connections keep more than kInboundBytes.
constexpr size_t kMostKeptBytes = 64 * 1024;
constexpr int kLargeBuffersKept = 8;
// Bytes decoded from a compressed body in one turn of the loop.
constexpr size_t kDecodeBytes = 256 << 10;

void GiveBack(std::string& buffer, size_t kept) {
  if (buffer.capacity() > kept) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

// -- The handler ---------------------------------------------------------------------------------------

bool HttpServerConnection::Dispatch() {
  deadline_.Cancel();
  const HttpRequestHead& head = parser_.head();
  const AfterWrite then = request_.keep_alive ? AfterWrite::kNextRequest : AfterWrite::kClose;
  if (request_.refusal.has_value()) {
    ++(state_.counts.*request_.refusal->counter);
    reply_.Set(request_.refusal->status, kTextType, request_.refusal->text);
    return Answer(then);
  }
  const RequestTarget target = SplitTarget(head.target);
  request_.view.method = head.method;
  request_.view.path = target.path;
  request_.view.query = target.query;
  request_.view.headers = &head.headers;
  request_.view.body_left_out = request_.body_left_out;
  if (request_.body_left_out) {
    ++state_.counts.bodies_left_out;
  } else if (request_.body_form == BodyForm::kInPlace) {
    request_.view.body = Inbound(request_.body_begin, request_.next_begin);
  } else {
    request_.view.body = body_;
    request_.view.body_buffer = &body_;
    request_.view.body_memory = body_aside_;
    request_.view.release_memory = [this] { state_.incoming_bytes -= std::exchange(body_aside_, 0); };
  }
  if (request_.coding != ContentCoding::kIdentity && !request_.view.body.empty()) {
    request_.decoder = std::make_unique<BodyDecoder>(request_.coding, request_.view.body, request_.body_limit,
                                                     state_.options.account, request_.view.body_memory);
    return DecodeRequestBody();
  }
  return Handle();
}

// Decodes one piece; the next one is decoded in another turn of the loop, so that other clients have theirs.
bool HttpServerConnection::DecodeRequestBody() {
  // Decoding asks for memory, for which connections that wait for their clients give way; this one must not.
  phase_ = Phase::kHandling;
  const absl::StatusOr<bool> done = request_.decoder->Step(kDecodeBytes);
  if (done.ok() && !*done) {
    state_.executor.Post([self = shared_from_this()] {
      if (self->phase_ == Phase::kHandling) {
        if (self->DecodeRequestBody()) self->Advance();
      } else {
        self->request_.decoder.reset();
        self->FreeBody();
      }
    });
    return false;
  }
  const AfterWrite then = request_.keep_alive ? AfterWrite::kNextRequest : AfterWrite::kClose;
  const std::unique_ptr<BodyDecoder> decoder = std::move(request_.decoder);
  if (done.ok()) {
    ++state_.counts.bodies_decoded;
    body_ = decoder->TakeBody();
    request_.body_charge = decoder->TakeCharge();
    // The buffer of the encoded body is released.
    state_.incoming_bytes -= std::exchange(body_aside_, 0);
    request_.view.body = body_;
    request_.view.body_buffer = &body_;
    request_.view.body_memory = request_.body_charge.bytes();
    request_.view.release_memory = [this] { request_.body_charge.Release(); };
    return Handle();
  }
  const std::string_view why = done.status().message();
  switch (done.status().code()) {
    case absl::StatusCode::kOutOfRange:
      if (request_.route->too_large == TooLarge::kLeaveOutBody) {
        ++state_.counts.bodies_left_out;
        request_.view.body = {};
        request_.view.body_buffer = nullptr;
        request_.view.body_memory = 0;
        request_.view.body_left_out = true;
        return Handle();
      }
      ++state_.counts.refused_too_large;
      reply_.Set(413, kTextType, why);
      break;
    case absl::StatusCode::kResourceExhausted:
      ++state_.counts.refused_incoming;
      reply_.Set(429, kTextType, why);
      break;
    default:
      ++state_.counts.refused_undecodable;
      reply_.Set(400, kTextType, why);
      break;
  }
  return Answer(then);
}

bool HttpServerConnection::Handle() {
  const AfterWrite then = request_.keep_alive ? AfterWrite::kNextRequest : AfterWrite::kClose;
  ++state_.counts.handled;
  phase_ = Phase::kHandling;
  if (request_.route->handler) {
    request_.route->handler(request_.view, reply_);
    if (phase_ == Phase::kClosed) {
      // The handler has closed the server.
      FreeBody();
      return false;
    }
    if (!reply_.deferred()) return Answer(then);
  }
  SetDeadline(state_.options.handler_timeout);
  task_cancellation_.emplace();
  Spawn(state_.executor, request_.route->task_handler(request_.view, reply_, *task_cancellation_),
        [self = shared_from_this()] { self->OnTaskDone(); });
  return false;
}

void HttpServerConnection::OnTaskDone() {
  if (phase_ == Phase::kClosed) return FreeBody();
  deadline_.Cancel();
  if (request_.task_timed_out) {
    ++state_.counts.refused_slow_handler;
    reply_.Reset();
    reply_.Set(503, kTextType, "the request took too long to process");
  }
  task_cancellation_.reset();
  if (Answer(request_.keep_alive ? AfterWrite::kNextRequest : AfterWrite::kClose)) Advance();
}

// -- Writing -------------------------------------------------------------------------------------------

bool HttpServerConnection::Answer(AfterWrite then) {
  const HttpRequestHead& head = parser_.head();
  outbound_.clear();
  reply_.AppendTo(outbound_, head.http_1_0, then == AfterWrite::kNextRequest, head.method == "HEAD");
  return WriteOut(then);
}

bool HttpServerConnection::Refuse(int status, Counter counter, std::string_view text) {
  ++(state_.counts.*counter);
  deadline_.Cancel();
  // A pending read may write into it.
  if (!reading_) FreeBody();
  reply_.Set(status, kTextType, text);
  Answer(AfterWrite::kDiscard);
  return false;
}

bool HttpServerConnection::RefuseForRoom() {
  return Refuse(429, &HttpServerCounts::refused_incoming,
                "too many bytes are being received at once; retry later");
}

bool HttpServerConnection::WriteOut(AfterWrite then) {
  phase_ = Phase::kWriting;
  after_write_ = then;
  const IoResult result = transport_->TryWrite(outbound_);
  written_ = result.bytes;
  if (result.status.ok() && written_ == outbound_.size()) return OnWritten();
  if (!result.status.ok() && !absl::IsUnavailable(result.status)) {
    Lose();
    return false;
  }
  SetDeadline(state_.options.write_timeout);
  MarkProgress();
  ContinueWrite();
  return false;
}

void HttpServerConnection::ContinueWrite() {
  const std::string_view rest = std::string_view(outbound_).substr(written_);
  transport_->StartWrite(rest, [self = shared_from_this()](IoResult result) {
    if (self->phase_ != Phase::kWriting) return;
    if (!result.status.ok()) return self->Lose();
    self->written_ += result.bytes;
    self->CountProgress(result.bytes);
    if (self->written_ < self->outbound_.size()) return self->ContinueWrite();
    self->deadline_.Cancel();
    if (self->OnWritten()) self->Advance();
  });
}

bool HttpServerConnection::OnWritten() {
  switch (after_write_) {
    case AfterWrite::kBody:
      phase_ = Phase::kBody;
      return true;
    case AfterWrite::kNextRequest:
      ++state_.counts.answered;
      EndRequest();
      return true;
    case AfterWrite::kDiscard:
      ++state_.counts.answered;
      phase_ = Phase::kDiscarding;
      SetDeadline(state_.options.linger_timeout);
      MarkProgress();
      Read();
      return false;
    case AfterWrite::kClose:
      ++state_.counts.answered;
      Close();
      return false;
  }
  return false;
}

void HttpServerConnection::EndRequest() {
  phase_ = Phase::kHead;
  if (reply_.status() / 100 == 2 && std::max(request_.body_length, request_.body_received) > 0)
    useful_ = true;
  answered_in_turn_ = true;
  uncounted_progress_ = 0;
  begin_ = request_.next_begin;
  if (begin_ == end_ && inbound_.size() > kInboundBytes) {
    std::vector<char>(kInboundBytes).swap(inbound_);
    begin_ = end_ = 1;
    ReleaseInbound();
  }
  parser_.Reset();
  request_ = Request();
  reply_.Reset();
  state_.incoming_bytes -= std::exchange(body_aside_, 0);
  const size_t kept = KeptBytes();
  GiveBack(body_, kept);
  GiveBack(outbound_, kept);
}

size_t HttpServerConnection::KeptBytes() {
  const bool has_large = std::max(body_.capacity(), outbound_.capacity()) > kInboundBytes;
  if (has_large && !keeps_large_ && state_.large_buffers_kept < kLargeBuffersKept) {
    ++state_.large_buffers_kept;
    keeps_large_ = true;
  }
  return keeps_large_ ? kMostKeptBytes : kInboundBytes;
}

}  // namespace thaw
