#include "cc/agent/http_server_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/reserve.h"

namespace thaw {
namespace {

// Holds the usual request: a payload of a few traces and its head.
constexpr size_t kInboundBytes = 16 * 1024;
// The least room for a read.
constexpr size_t kReadBytes = 4 * 1024;
// A large body is read in pieces of this size.
constexpr size_t kBodyReadBytes = 64 * 1024;
// A larger buffer is freed after its request, a smaller one kept for the next. Buffers of idle connections
// are not charged, so only a few connections keep more than the least.
constexpr size_t kLeastKeptBytes = kInboundBytes;
constexpr size_t kMostKeptBytes = 64 * 1024;
constexpr int kLargeBuffersKept = 8;
// Bytes that are read and discarded so that a connection can carry another request.
constexpr size_t kMaxSkippedBytes = 1 << 20;
// Bytes that are read and discarded if a route handles a request without its body, or so that a client sees
// its refusal.
constexpr size_t kMaxDiscardedBytes = 64 << 20;
// A large body's buffer begins with at least half of this, and is at most twice as large as the received
// bytes.
constexpr size_t kLeastBodyBytes = 32 * 1024;
// This many bytes, sent or received, are progress of the client.
constexpr size_t kProgressBytes = 16 * 1024;
// Bytes decoded from a compressed body in one turn of the loop.
constexpr size_t kDecodeBytes = 256 << 10;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Returns the size of the buffer for a body of `length` bytes once `came` of them have filled it. A promised
// length takes no memory: the buffer grows with what came, by halves of its length, so that it is never
// copied from more than half of its next size.
size_t BufferFor(size_t length, size_t came) {
  size_t capacity = length;
  while (capacity / 2 > std::max(came, kLeastBodyBytes)) capacity = (capacity + 1) / 2;
  return capacity;
}

void GiveBack(std::string& buffer, size_t kept) {
  if (buffer.capacity() > kept) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

HttpServerConnection::HttpServerConnection(std::shared_ptr<HttpConnectionOwner> owner,
                                           std::unique_ptr<Transport> transport)
    : owner_(std::move(owner)),
      transport_(std::move(transport)),
      inbound_(kInboundBytes),
      parser_(owner_->options.max_head_bytes) {}

// -- Reading --------------------------------------------------------------------------------------------

void HttpServerConnection::Read() {
  if (reading_) return;
  absl::Span<char> into;
  if (phase_ == Phase::kBody && request_.body_form == BodyForm::kBuffer) {
    // AdvanceBody() has made the room for this read.
    const uint64_t room = std::min<uint64_t>(request_.body_length, body_aside_) - request_.body_received;
    const size_t more = std::min<uint64_t>(room, kBodyReadBytes);
    body_.resize(request_.body_received + more);
    into = absl::MakeSpan(body_).subspan(request_.body_received, more);
  } else if (phase_ == Phase::kDiscarding) {
    into = absl::MakeSpan(inbound_);
  } else {
    // A body that stays in place got its room in BeginBody().
    const bool grows =
        phase_ == Phase::kHead || (phase_ == Phase::kBody && request_.body_form != BodyForm::kInPlace);
    if (grows && !MakeRoom(kReadBytes)) {
      RefuseForRoom();
      return;
    }
    into = absl::MakeSpan(inbound_).subspan(end_);
  }
  // The client may wait for the acknowledgement before it sends the rest of a request.
  if (phase_ == Phase::kHead || phase_ == Phase::kBody) transport_->AcknowledgeNow();
  reading_ = true;
  transport_->StartRead(into, [self = shared_from_this()](IoResult result) {
    self->reading_ = false;
    self->OnRead(std::move(result));
  });
}

bool HttpServerConnection::MakeRoom(size_t bytes) {
  if (inbound_.size() - end_ >= bytes) return true;
  MoveToFront();
  if (inbound_.size() - end_ >= bytes) return true;
  // Heads are bounded, and so are the bytes of a chunked body that can't be taken yet.
  const size_t size = std::max(2 * inbound_.size(), end_ + bytes);
  const size_t more = size - inbound_.size();
  if (!owner_->SetAside(*this, more)) return false;
  inbound_aside_ += more;
  if (!CanAllocate(size)) return false;
  inbound_.resize(size);
  if (phase_ == Phase::kBody) parser_.Moved(inbound_.data() + begin_);
  return true;
}

void HttpServerConnection::MoveToFront() {
  if (begin_ == 0) return;
  std::memmove(inbound_.data(), inbound_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  request_.body_begin -= std::min(request_.body_begin, begin_);
  begin_ = 0;
  if (phase_ == Phase::kBody) parser_.Moved(inbound_.data());
}

void HttpServerConnection::OnRead(IoResult result) {
  if (!result.status.ok()) return OnStreamOver(result.status);
  switch (phase_) {
    case Phase::kIdle:
      phase_ = Phase::kHead;
      end_ += result.bytes;
      break;
    case Phase::kBody:
      CountProgress(result.bytes);
      if (request_.body_form == BodyForm::kBuffer) {
        request_.body_received += result.bytes;
      } else {
        end_ += result.bytes;
      }
      break;
    case Phase::kHead:
      CountProgress(result.bytes);
      end_ += result.bytes;
      break;
    case Phase::kDiscarding:
      FreeBody();  // the buffer of the read that just ended
      discarded_bytes_ += result.bytes;
      if (discarded_bytes_ > kMaxDiscardedBytes) return Close();
      return Read();
    case Phase::kWriting:  // a refusal was written while a read was pending
      FreeBody();
      discarded_bytes_ += result.bytes;
      return;
    case Phase::kHandling:
    case Phase::kClosed:
      return;
  }
  Advance();
}

void HttpServerConnection::OnStreamOver(const absl::Status& status) {
  const bool in_order = absl::IsOutOfRange(status);
  switch (phase_) {
    case Phase::kIdle:
      ++owner_->counts.closed_by_peer;
      return Close();
    case Phase::kHead:
    case Phase::kBody:
      if (!in_order) return Lose();
      // The client may have ended only its own side, and still read the answer.
      Refuse(400, &HttpServerCounts::refused_cut,
             phase_ == Phase::kHead ? "the connection ended within the request's head"
                                    : "the connection ended within the request's body");
      return;
    case Phase::kWriting:
    case Phase::kHandling:
    case Phase::kClosed:
      return;  // the write, or the next step, will notice
    case Phase::kDiscarding:
      return Close();
  }
}

// -- A request ------------------------------------------------------------------------------------------

void HttpServerConnection::Advance() {
  answered_in_turn_ = false;
  bool more = true;
  while (more) {
    switch (phase_) {
      case Phase::kHead:
        // Of pipelined requests only the first is answered at once.
        if (answered_in_turn_ && begin_ < end_) {
          yields_ = true;
          return owner_->WaitForTurn(*this);
        }
        more = AdvanceHead();
        break;
      case Phase::kBody:
        more = AdvanceBody();
        break;
      default:
        more = false;
        break;
    }
  }
}

void HttpServerConnection::Continue() {
  yields_ = false;
  Advance();
}

bool HttpServerConnection::AdvanceHead() {
  if (!request_.head_begun) {
    // An empty line before a request is skipped (RFC 9112 section 2.2).
    while (begin_ < end_ && (inbound_[begin_] == '\r' || inbound_[begin_] == '\n')) ++begin_;
    if (begin_ == end_) {
      deadline_.Cancel();
      phase_ = Phase::kIdle;
      begin_ = end_ = 1;
      owner_->OnIdle(*this);
      Read();
      return false;
    }
    request_.head_begun = true;
  }
  const absl::StatusOr<bool> whole = parser_.PutHead(Inbound(begin_, end_));
  if (!whole.ok()) {
    const std::string_view text = whole.status().message();
    switch (whole.status().code()) {
      case absl::StatusCode::kResourceExhausted:
        return Refuse(431, &HttpServerCounts::refused_head, text);
      case absl::StatusCode::kUnimplemented:
        return Refuse(501, &HttpServerCounts::refused_transfer_coding, text);
      default:
        return Refuse(400, &HttpServerCounts::refused_not_http, text);
    }
  }
  if (!*whole) {
    if (!deadline_.is_set()) {
      SetDeadline(owner_->options.head_timeout);
      MarkProgress();
    }
    Read();
    return false;
  }
  deadline_.Cancel();
  ++owner_->counts.requests;
  return OnHead();
}

bool HttpServerConnection::OnHead() {
  const HttpRequestHead& head = parser_.head();
  phase_ = Phase::kBody;
  request_.keep_alive = head.keep_alive;
  request_.body_begin = begin_ + head.bytes;
  const auto route = owner_->routes.find(SplitTarget(head.target).path);
  if (route == owner_->routes.end()) {
    request_.refusal = Refusal{404, &HttpServerCounts::refused_not_found, "Not Found"};
    return BeginBody(kMaxSkippedBytes);
  }
  request_.route = &route->second;
  const std::vector<std::string>& methods = request_.route->methods;
  if (!methods.empty() && std::find(methods.begin(), methods.end(), head.method) == methods.end()) {
    const std::string allow = absl::StrJoin(methods, ", ");
    reply_.AddHeader("Allow", allow);
    request_.refusal = Refusal{405, &HttpServerCounts::refused_method,
                               absl::StrCat(head.method, " is not allowed here, only ", allow)};
    return BeginBody(kMaxSkippedBytes);
  }
  if (request_.route->decode_body) {
    const absl::StatusOr<ContentCoding> coding =
        ParseContentCoding(FindHeader(head.headers, "content-encoding").value_or(""));
    if (!coding.ok()) {
      reply_.AddHeader("Accept-Encoding", kAcceptedCodings);
      request_.refusal =
          Refusal{415, &HttpServerCounts::refused_coding, std::string(coding.status().message())};
      return BeginBody(kMaxSkippedBytes);
    }
    request_.coding = *coding;
  }
  return BeginBody(request_.route->max_body_bytes);
}

bool HttpServerConnection::BeginBody(size_t limit_bytes) {
  const HttpRequestHead& head = parser_.head();
  request_.body_limit = limit_bytes;
  request_.body_length = head.content_length.value_or(0);
  // A body for which there can never be room is refused at once.
  const size_t most = std::min(limit_bytes, owner_->options.largest_body_bytes());
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
    ++owner_->counts.continued;
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
    SetDeadline(owner_->options.body_timeout);
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
      owner_->incoming_bytes -= capacity;
      return false;
    }
    std::string larger;
    larger.reserve(capacity);
    larger.append(body_);
    body_.swap(larger);
  }
  owner_->incoming_bytes -= body_aside_;
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

bool HttpServerConnection::Dispatch() {
  deadline_.Cancel();
  const HttpRequestHead& head = parser_.head();
  const AfterWrite then = request_.keep_alive ? AfterWrite::kNextRequest : AfterWrite::kClose;
  if (request_.refusal.has_value()) {
    ++(owner_->counts.*request_.refusal->counter);
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
    ++owner_->counts.bodies_left_out;
  } else if (request_.body_form == BodyForm::kInPlace) {
    request_.view.body = Inbound(request_.body_begin, request_.next_begin);
  } else {
    request_.view.body = body_;
    request_.view.body_buffer = &body_;
    request_.view.body_memory = body_aside_;
    request_.view.release_memory = [this] { owner_->incoming_bytes -= std::exchange(body_aside_, 0); };
  }
  if (request_.coding != ContentCoding::kIdentity && !request_.view.body.empty()) {
    request_.decoder = std::make_unique<BodyDecoder>(request_.coding, request_.view.body, request_.body_limit,
                                                     owner_->options.account, request_.view.body_memory);
    return DecodeRequestBody();
  }
  return Handle();
}

bool HttpServerConnection::Handle() {
  const AfterWrite then = request_.keep_alive ? AfterWrite::kNextRequest : AfterWrite::kClose;
  ++owner_->counts.handled;
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
  SetDeadline(owner_->options.handler_timeout);
  task_cancellation_.emplace();
  Spawn(owner_->executor, request_.route->task_handler(request_.view, reply_, *task_cancellation_),
        [self = shared_from_this()] { self->OnTaskDone(); });
  return false;
}

// Decodes one piece; the next one is decoded in another turn of the loop, so that other clients have theirs.
bool HttpServerConnection::DecodeRequestBody() {
  const absl::StatusOr<bool> done = request_.decoder->Step(kDecodeBytes);
  if (done.ok() && !*done) {
    phase_ = Phase::kHandling;
    owner_->executor.Post([self = shared_from_this()] {
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
    ++owner_->counts.bodies_decoded;
    body_ = decoder->TakeBody();
    request_.body_charge = decoder->TakeCharge();
    // The buffer of the encoded body is released.
    owner_->incoming_bytes -= std::exchange(body_aside_, 0);
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
        ++owner_->counts.bodies_left_out;
        request_.view.body = {};
        request_.view.body_buffer = nullptr;
        request_.view.body_memory = 0;
        request_.view.body_left_out = true;
        return Handle();
      }
      ++owner_->counts.refused_too_large;
      reply_.Set(413, kTextType, why);
      break;
    case absl::StatusCode::kResourceExhausted:
      ++owner_->counts.refused_incoming;
      reply_.Set(429, kTextType, why);
      break;
    default:
      ++owner_->counts.refused_undecodable;
      reply_.Set(400, kTextType, why);
      break;
  }
  return Answer(then);
}

void HttpServerConnection::OnTaskDone() {
  if (phase_ == Phase::kClosed) return FreeBody();
  deadline_.Cancel();
  if (request_.task_timed_out) {
    ++owner_->counts.refused_slow_handler;
    reply_.Reset();
    reply_.Set(503, kTextType, "this took too long");
  }
  task_cancellation_.reset();
  if (Answer(request_.keep_alive ? AfterWrite::kNextRequest : AfterWrite::kClose)) Advance();
}

// -- Its answer -----------------------------------------------------------------------------------------

bool HttpServerConnection::Answer(AfterWrite then) {
  const HttpRequestHead& head = parser_.head();
  outbound_.clear();
  reply_.AppendTo(outbound_, head.http_1_0, then == AfterWrite::kNextRequest, head.method == "HEAD");
  return WriteOut(then);
}

bool HttpServerConnection::Refuse(int status, Counter counter, std::string_view text) {
  ++(owner_->counts.*counter);
  deadline_.Cancel();
  // A pending read may write into it.
  if (!reading_) FreeBody();
  reply_.Set(status, kTextType, text);
  Answer(AfterWrite::kDiscard);
  return false;
}

bool HttpServerConnection::RefuseForRoom() {
  return Refuse(429, &HttpServerCounts::refused_incoming, "too many bytes are coming in at once; try again");
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
  SetDeadline(owner_->options.write_timeout);
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
      ++owner_->counts.answered;
      EndRequest();
      return true;
    case AfterWrite::kDiscard:
      ++owner_->counts.answered;
      phase_ = Phase::kDiscarding;
      SetDeadline(owner_->options.linger_timeout);
      MarkProgress();
      Read();
      return false;
    case AfterWrite::kClose:
      ++owner_->counts.answered;
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
  owner_->incoming_bytes -= std::exchange(body_aside_, 0);
  const size_t kept = KeptBytes();
  GiveBack(body_, kept);
  GiveBack(outbound_, kept);
}

size_t HttpServerConnection::KeptBytes() {
  const bool has_large = std::max(body_.capacity(), outbound_.capacity()) > kLeastKeptBytes;
  if (has_large && !keeps_large_ && owner_->large_buffers_kept < kLargeBuffersKept) {
    ++owner_->large_buffers_kept;
    keeps_large_ = true;
  }
  return keeps_large_ ? kMostKeptBytes : kLeastKeptBytes;
}

// -- Its end --------------------------------------------------------------------------------------------

bool HttpServerConnection::CloseIfIdle() {
  if (phase_ != Phase::kIdle) return false;
  // The pending read writes after this byte.
  const IoResult result = transport_->TryRead(absl::MakeSpan(inbound_).subspan(0, 1));
  if (result.status.ok()) {
    ++owner_->counts.woken_when_closing;
    phase_ = Phase::kHead;
    begin_ = 0;
    SetDeadline(owner_->options.head_timeout);
    MarkProgress();
    return false;
  }
  Close();
  return true;
}

void HttpServerConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  const auto self = shared_from_this();
  const Phase phase = std::exchange(phase_, Phase::kClosed);
  deadline_.Cancel();
  transport_->Close();
  // The handling task still refers to the request's body.
  if (phase != Phase::kHandling) FreeBody();
  ReleaseInbound();
  if (std::exchange(keeps_large_, false)) --owner_->large_buffers_kept;
  if (task_cancellation_.has_value()) task_cancellation_->Request(absl::CancelledError("the server closes"));
  owner_->OnClosed(*this);
}

void HttpServerConnection::GiveWay() {
  ++owner_->counts.gave_way;
  if (phase_ == Phase::kHead || phase_ == Phase::kBody) {
    reply_.Reset();
    reply_.Set(408, kTextType, "the request stood still while others needed its room");
    outbound_.clear();
    reply_.AppendTo(outbound_, /*http_1_0=*/false, /*keep_alive=*/false, /*to_head=*/false);
    // Writes only the part that is accepted at once.
    static_cast<void>(transport_->TryWrite(outbound_));
  }
  Close();
}

void HttpServerConnection::Lose() {
  ++owner_->counts.client_lost;
  Close();
}

void HttpServerConnection::SetDeadline(absl::Duration timeout) {
  // A late alarm is set again: a freeze is not the client's slowness.
  deadline_ = Alarm(owner_->clock, timeout, [this] { OnDeadline(); });
}

void HttpServerConnection::OnDeadline() {
  const auto self = shared_from_this();
  // The client has just come out of the freeze too.
  if (owner_->resumed_lately && (phase_ == Phase::kHead || phase_ == Phase::kBody))
    return SetDeadline(owner_->options.resume_grace);
  switch (phase_) {
    case Phase::kHead:
      Refuse(408, &HttpServerCounts::refused_timeout, "the request's head took too long");
      return;
    case Phase::kBody:
      Refuse(408, &HttpServerCounts::refused_timeout, "the request's body took too long");
      return;
    case Phase::kHandling:
      request_.task_timed_out = true;
      task_cancellation_->Request(absl::DeadlineExceededError(
          absl::StrCat("no answer within ", absl::FormatDuration(owner_->options.handler_timeout))));
      return;
    case Phase::kWriting:
      ++owner_->counts.write_timeouts;
      return Close();
    case Phase::kDiscarding:
      return Close();
    case Phase::kIdle:
    case Phase::kClosed:
      return;
  }
}

void HttpServerConnection::CountProgress(size_t bytes) {
  uncounted_progress_ += bytes;
  if (uncounted_progress_ >= kProgressBytes) MarkProgress();
}

void HttpServerConnection::MarkProgress() {
  uncounted_progress_ = 0;
  owner_->OnProgress(*this);
}

void HttpServerConnection::FreeBody() {
  std::string().swap(body_);
  request_.body_charge.Release();
  owner_->incoming_bytes -= std::exchange(body_aside_, 0);
}

void HttpServerConnection::ReleaseInbound() { owner_->incoming_bytes -= std::exchange(inbound_aside_, 0); }

}  // namespace thaw
