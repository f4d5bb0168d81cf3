// The course of a connection: reads, requests' heads, time limits and the end.

#include "cc/agent/http_server_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/base/reserve.h"

namespace thaw {
namespace {

// A large body is read in pieces of this size.
constexpr size_t kBodyReadBytes = 64 * 1024;
// This many bytes, sent or received, are progress of the client.
constexpr size_t kProgressBytes = 16 * 1024;

}  // namespace

HttpServerConnection::HttpServerConnection(HttpServerState& state, std::shared_ptr<HttpConnectionOwner> owner,
                                           std::unique_ptr<Transport> transport)
    : state_(state),
      owner_(std::move(owner)),
      transport_(std::move(transport)),
      inbound_(kInboundBytes),
      parser_(state_.options.max_head_bytes) {}

// -- Reading -------------------------------------------------------------------------------------------

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
  if (phase_ == Phase::kHead || phase_ == Phase::kBody || phase_ == Phase::kDiscarding)
    transport_->AcknowledgeNow();
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
      ++state_.counts.closed_by_peer;
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

void HttpServerConnection::ReleaseInbound() { state_.incoming_bytes -= std::exchange(inbound_aside_, 0); }

// -- A request's head ----------------------------------------------------------------------------------

void HttpServerConnection::Advance() {
  answered_in_turn_ = false;
  bool more = true;
  while (more) {
    switch (phase_) {
      case Phase::kHead:
        // Only the first of several pipelined requests is answered at once.
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
      SetDeadline(state_.options.head_timeout);
      MarkProgress();
    }
    Read();
    return false;
  }
  deadline_.Cancel();
  ++state_.counts.requests;
  return OnHead();
}

bool HttpServerConnection::OnHead() {
  const HttpRequestHead& head = parser_.head();
  phase_ = Phase::kBody;
  request_.keep_alive = head.keep_alive;
  request_.body_begin = begin_ + head.bytes;
  request_.route = state_.FindRoute(SplitTarget(head.target).path);
  if (request_.route == nullptr) {
    request_.refusal = Refusal{404, &HttpServerCounts::refused_not_found, "Not Found"};
    return BeginBody(kMaxSkippedBytes);
  }
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

// -- Its end -------------------------------------------------------------------------------------------

bool HttpServerConnection::CloseIfIdle() {
  if (phase_ != Phase::kIdle) return false;
  // The pending read writes after this byte.
  const IoResult result = transport_->TryRead(absl::MakeSpan(inbound_).subspan(0, 1));
  if (result.status.ok()) {
    ++state_.counts.woken_when_closing;
    phase_ = Phase::kHead;
    begin_ = 0;
    SetDeadline(state_.options.head_timeout);
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
  if (std::exchange(keeps_large_, false)) --state_.large_buffers_kept;
  if (task_cancellation_.has_value()) task_cancellation_->Request(absl::CancelledError("the server closes"));
  owner_->OnClosed(*this);
}

void HttpServerConnection::GiveWay() {
  ++state_.counts.gave_way;
  if (phase_ == Phase::kHead || phase_ == Phase::kBody) {
    reply_.Reset();
    reply_.Set(408, kTextType, "the request made no progress while others needed its memory");
    outbound_.clear();
    reply_.AppendTo(outbound_, /*http_1_0=*/false, /*keep_alive=*/false, /*to_head=*/false);
    // Writes only the part that is accepted at once.
    static_cast<void>(transport_->TryWrite(outbound_));
  }
  Close();
}

void HttpServerConnection::Lose() {
  ++state_.counts.client_lost;
  Close();
}

// -- Time limits and progress --------------------------------------------------------------------------

void HttpServerConnection::SetDeadline(absl::Duration timeout) {
  // A late alarm is set again: a freeze is not the client's slowness.
  deadline_ = Alarm(state_.clock, timeout, [this] { OnDeadline(); });
}

void HttpServerConnection::OnDeadline() {
  const auto self = shared_from_this();
  // The client has just come out of the freeze too.
  if (state_.resumed_lately && (phase_ == Phase::kHead || phase_ == Phase::kBody))
    return SetDeadline(state_.options.resume_grace);
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
          absl::StrCat("no answer within ", absl::FormatDuration(state_.options.handler_timeout))));
      return;
    case Phase::kWriting:
      ++state_.counts.write_timeouts;
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

}  // namespace thaw
