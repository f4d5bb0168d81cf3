#include "cc/sim/sim_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/log/check.h"

namespace thaw {
namespace {

absl::Status ResetStatus() { return absl::AbortedError("connection reset by peer"); }
absl::Status EndStatus() { return absl::OutOfRangeError("end of stream"); }
absl::Status ClosedStatus() { return absl::CancelledError("the connection was closed"); }

}  // namespace

void SimStream::Arrive(absl::Duration delay, void (SimStream::*what)()) {
  world_.At(delay, [self = shared_from_this(), what] { (self.get()->*what)(); });
}

void SimStream::PeerSend(std::string bytes) {
  if (peer_gone_ || cut_) return;
  world_.At(one_way_, [self = shared_from_this(), bytes = std::move(bytes)] {
    if (self->cut_ || self->client_closed_) return;
    self->inbound_ += bytes;
    self->received_ += static_cast<int64_t>(bytes.size());
    self->CompleteRead();
  });
}

void SimStream::PeerEnd() {
  if (peer_gone_) return;
  peer_gone_ = true;
  if (!cut_) Arrive(one_way_, &SimStream::OnEndArrived);
}

void SimStream::PeerReset() {
  if (peer_gone_) return;
  peer_gone_ = true;
  if (!cut_) Arrive(one_way_, &SimStream::OnResetArrived);
}

void SimStream::OnEndArrived() {
  end_arrived_ = true;
  CompleteRead();
}

void SimStream::OnResetArrived() {
  // A reset discards what was queued and not read yet.
  reset_arrived_ = true;
  inbound_.clear();
  CompleteRead();
  CompleteWrite();
}

void SimStream::SetWindow(size_t bytes) {
  window_ = bytes;
  CompleteWrite();
}

IoResult SimStream::Take(absl::Span<char> into) {
  if (reset_arrived_) return {ResetStatus(), 0};
  if (inbound_.empty()) return {EndStatus(), 0};
  const size_t size = std::min(into.size(), inbound_.size());
  std::memcpy(into.data(), inbound_.data(), size);
  inbound_.erase(0, size);
  return {absl::OkStatus(), size};
}

void SimStream::StartRead(absl::Span<char> into, Transport::Done done) {
  CHECK(!read_done_) << "one read at a time";
  read_into_ = into;
  read_done_ = std::move(done);
  CompleteRead();
}

void SimStream::CompleteRead() {
  if (!read_done_) return;
  IoResult result;
  if (client_closed_) {
    result = {ClosedStatus(), 0};
  } else if (readable()) {
    result = Take(read_into_);
  } else {
    return;
  }
  world_.executor().Post([done = std::exchange(read_done_, nullptr), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

IoResult SimStream::TryRead(absl::Span<char> into) {
  if (client_closed_) return {ClosedStatus(), 0};
  if (!readable()) return {absl::UnavailableError("nothing to read now"), 0};
  return Take(into);
}

void SimStream::StartWrite(std::string_view from, Transport::Done done) {
  CHECK(!write_done_) << "one write at a time";
  write_from_ = from;
  write_done_ = std::move(done);
  CompleteWrite();
}

void SimStream::CompleteWrite() {
  if (!write_done_) return;
  IoResult result;
  if (client_closed_) {
    result = {ClosedStatus(), 0};
  } else if (reset_arrived_) {
    result = {ResetStatus(), 0};
  } else {
    const size_t size = std::min({write_from_.size(), window_, segment_});
    if (size == 0) return;
    if (window_ != SIZE_MAX) window_ -= size;
    sent_ += static_cast<int64_t>(size);
    result = {absl::OkStatus(), size};
    if (!cut_) {
      world_.At(one_way_,
                [self = shared_from_this(), bytes = std::string(write_from_.substr(0, size))]() mutable {
                  self->DeliverToPeer(std::move(bytes));
                });
    }
  }
  world_.executor().Post([done = std::exchange(write_done_, nullptr), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

void SimStream::DeliverToPeer(std::string bytes) {
  if (cut_) return;
  if (peer_gone_) {
    Arrive(one_way_, &SimStream::OnResetArrived);
    return;
  }
  peer_->OnBytes(bytes);
}

void SimStream::Close() {
  if (client_closed_) return;
  client_closed_ = true;
  CompleteRead();
  CompleteWrite();
  if (!cut_) {
    world_.At(one_way_, [self = shared_from_this()] {
      if (!self->peer_gone_ && self->peer_ != nullptr) self->peer_->OnEnd();
      // From here on the peer has forgotten the connection.
      self->peer_gone_ = true;
    });
  }
}

}  // namespace thaw
