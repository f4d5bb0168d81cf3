#include "cc/sim/sim_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/log/check.h"
#include "cc/sim/state_hash.h"

namespace thaw {
namespace {

absl::Status ResetStatus() { return absl::AbortedError("connection reset by peer"); }
absl::Status EndStatus() { return absl::OutOfRangeError("end of stream"); }
absl::Status ClosedStatus() { return absl::CancelledError("the connection was closed"); }

}  // namespace

// The events that hashes stand for.
enum : uint64_t { kBytes = 1, kEnd, kReset, kClosed, kRead, kTried, kWrote };

template <typename What>
void SimStream::ArriveFromPeer(What what, uint64_t hash) {
  ++under_way_;
  world_.Arrive(
      number_, one_way_,
      [self = shared_from_this(), what = std::move(what)]() mutable {
        --self->under_way_;
        what();
      },
      hash);
}

template <typename What>
void SimStream::SendToPeer(What what, uint64_t hash) {
  ++under_way_;
  world_.At(
      one_way_,
      [self = shared_from_this(), what = std::move(what)]() mutable {
        --self->under_way_;
        what();
      },
      Mixed(hash, number_));
}

void SimStream::PeerSend(std::string bytes) {
  if (peer_gone_ || cut_) return;
  const uint64_t hash = world_.exploring() ? Mixed(kBytes, bytes) : 0;
  ArriveFromPeer(
      [this, bytes = std::move(bytes)] {
        if (cut_ || client_closed_) return;
        inbound_ += bytes;
        received_ += static_cast<int64_t>(bytes.size());
        CompleteRead();
      },
      hash);
}

void SimStream::PeerEnd() {
  if (peer_gone_) return;
  peer_gone_ = true;
  if (!cut_) ArriveFromPeer([this] { OnEndArrived(); }, kEnd);
}

void SimStream::PeerReset() {
  if (peer_gone_) return;
  peer_gone_ = true;
  if (!cut_) ArriveFromPeer([this] { OnResetArrived(); }, kReset);
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

void SimStream::Heal() {
  if (std::exchange(cut_, false)) peer_gone_ = true;
  SetWindow(SIZE_MAX);
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
  ClientSaw(kRead, result, {read_into_.data(), result.bytes});
  world_.executor().Post([done = std::exchange(read_done_, nullptr), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

IoResult SimStream::TryRead(absl::Span<char> into) {
  if (client_closed_) return {ClosedStatus(), 0};
  IoResult result = {absl::UnavailableError("nothing to read now"), 0};
  if (readable()) result = Take(into);
  ClientSaw(kTried, result, {into.data(), result.bytes});
  return result;
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
      const std::string_view sent = write_from_.substr(0, size);
      SendToPeer([this, bytes = std::string(sent)]() mutable { DeliverToPeer(std::move(bytes)); },
                 world_.exploring() ? Mixed(kBytes, sent) : 0);
    }
  }
  ClientSaw(kWrote, result, {});
  world_.executor().Post([done = std::exchange(write_done_, nullptr), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

void SimStream::DeliverToPeer(std::string bytes) {
  if (cut_) return;
  if (peer_gone_) {
    ArriveFromPeer([this] { OnResetArrived(); }, kReset);
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
    SendToPeer(
        [this] {
          if (!peer_gone_ && peer_ != nullptr) peer_->OnEnd();
          // From here on the peer has forgotten the connection.
          peer_gone_ = true;
        },
        kClosed);
  }
}

void SimStream::ClientSaw(uint64_t what, const IoResult& result, std::string_view bytes) {
  if (!world_.exploring()) return;
  uint64_t hash = Mixed(Mixed(what, number_), static_cast<uint64_t>(result.status.code()));
  world_.ClientSaw(Mixed(Mixed(hash, static_cast<uint64_t>(result.bytes)), bytes));
}

uint64_t SimStream::Fingerprint() const {
  // Nothing that happens to a connection which both ends have left can be seen.
  if (client_closed_ && peer_gone_) return 0;
  uint64_t hash = Mixed(number_, inbound_);
  for (const bool flag : {end_arrived_, reset_arrived_, client_closed_, cut_, peer_gone_, bool(read_done_),
                          bool(write_done_)}) {
    hash = Mixed(hash, uint64_t{flag});
  }
  hash = Mixed(Mixed(hash, static_cast<uint64_t>(window_)), static_cast<uint64_t>(segment_));
  return peer_gone_ ? hash : Mixed(hash, peer_->Fingerprint());
}

}  // namespace thaw
