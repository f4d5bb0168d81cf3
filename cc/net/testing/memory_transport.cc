#include "cc/net/testing/memory_transport.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status.h"

namespace thaw {

// One end's state. It outlives its MemoryTransport while completions are queued.
struct MemoryTransport::End : std::enable_shared_from_this<MemoryTransport::End> {
  explicit End(Executor& e) : executor(e) {}

  Executor& executor;
  std::weak_ptr<End> peer;
  std::string arrived;  // bytes that can be read here
  size_t consumed = 0;  // the part of `arrived` that was read
  bool end_arrived = false;
  bool reset = false;
  bool closed = false;
  bool end_sent = false;
  bool hold = false;
  size_t write_limit = kNoLimit;
  size_t read_limit = kNoLimit;
  size_t capacity = kNoLimit;
  int64_t reset_after = std::numeric_limits<int64_t>::max();
  int64_t sent = 0;
  int64_t received = 0;
  int64_t acknowledged = 0;
  int64_t writes = 0;
  int64_t reads = 0;

  absl::Span<char> into;
  Done read_done;
  bool read_posted = false;
  std::string_view from;
  Done write_done;  // set while a write waits for room

  size_t waiting() const { return arrived.size() - consumed; }
  bool readable() const { return reset || (!hold && (waiting() > 0 || end_arrived)); }

  IoResult ReadNow(absl::Span<char> where) {
    if (closed) return {absl::CancelledError("the connection was closed")};
    if (reset) return {absl::AbortedError("connection reset by peer")};
    if (hold) return {absl::UnavailableError("nothing to read")};
    if (waiting() > 0) {
      const size_t n = std::min({waiting(), where.size(), read_limit});
      std::memcpy(where.data(), arrived.data() + consumed, n);
      consumed += n;
      if (consumed == arrived.size()) {
        std::string().swap(arrived);
        consumed = 0;
      }
      received += n;
      ++reads;
      if (auto other = peer.lock()) other->RetryWrite();
      return {absl::OkStatus(), n};
    }
    if (end_arrived) return {absl::OutOfRangeError("end of stream")};
    return {absl::UnavailableError("nothing to read")};
  }

  void WakeReader() {
    if (!read_done || read_posted || !readable()) return;
    read_posted = true;
    executor.Post([self = shared_from_this()] {
      self->read_posted = false;
      if (!self->read_done || !self->readable()) return;
      const IoResult result = self->ReadNow(self->into);
      Done done = std::exchange(self->read_done, nullptr);
      done(result);
    });
  }

  void PostResult(Done done, IoResult result) {
    executor.Post(
        [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  }

  // Accepts the bytes there is room for. Returns false if the write has to wait.
  bool WriteNow(std::string_view bytes, IoResult& result) {
    if (closed || end_sent) {
      result = {absl::CancelledError("the connection was closed")};
      return true;
    }
    if (reset) {
      result = {absl::AbortedError("connection reset by peer")};
      return true;
    }
    auto other = peer.lock();
    size_t n = std::min(bytes.size(), write_limit);
    if (other != nullptr && !other->closed) {
      const size_t room = capacity - std::min(capacity, other->waiting());
      if (room == 0) return false;
      n = std::min(n, room);
    }
    const int64_t left = reset_after - sent;
    const bool breaks = static_cast<int64_t>(n) >= left;
    if (breaks) n = static_cast<size_t>(std::max<int64_t>(left, 0));
    sent += n;
    if (other != nullptr && !other->closed) {
      other->arrived.append(bytes.substr(0, n));
      other->WakeReader();
    }
    result = {absl::OkStatus(), n};
    if (breaks) {
      result.status = absl::AbortedError("connection reset by peer");
      BreakBoth();
    } else if (other == nullptr || other->closed) {
      BreakBoth();
    }
    return true;
  }

  void RetryWrite() {
    if (!write_done) return;
    // Moved out first: a write that breaks the stream comes back here.
    Done done = std::exchange(write_done, nullptr);
    IoResult result;
    if (WriteNow(from, result)) {
      PostResult(std::move(done), std::move(result));
    } else {
      write_done = std::move(done);
    }
  }

  void Break() {
    reset = true;
    std::string().swap(arrived);
    consumed = 0;
    WakeReader();
    RetryWrite();
  }
  void BreakBoth() {
    Break();
    if (auto other = peer.lock()) other->Break();
  }

  void SendEnd() {
    if (std::exchange(end_sent, true)) return;
    if (auto other = peer.lock()) {
      other->end_arrived = true;
      other->WakeReader();
    }
  }

  void Close() {
    if (closed) return;
    SendEnd();
    closed = true;
    if (read_done)
      PostResult(std::exchange(read_done, nullptr), {absl::CancelledError("the connection was closed")});
    if (write_done)
      PostResult(std::exchange(write_done, nullptr), {absl::CancelledError("the connection was closed")});
    if (auto other = peer.lock()) other->RetryWrite();
  }
};

std::pair<std::unique_ptr<MemoryTransport>, std::unique_ptr<MemoryTransport>> MemoryTransport::Pair(
    Executor& executor) {
  auto a = std::make_shared<End>(executor);
  auto b = std::make_shared<End>(executor);
  a->peer = b;
  b->peer = a;
  return {std::unique_ptr<MemoryTransport>(new MemoryTransport(std::move(a))),
          std::unique_ptr<MemoryTransport>(new MemoryTransport(std::move(b)))};
}

MemoryTransport::~MemoryTransport() { end_->Close(); }

void MemoryTransport::StartRead(absl::Span<char> into, Done done) {
  CHECK(!end_->read_done) << "two reads at once";
  CHECK(!into.empty());
  if (end_->closed)
    return end_->PostResult(std::move(done), {absl::CancelledError("the connection was closed")});
  end_->into = into;
  end_->read_done = std::move(done);
  end_->WakeReader();
}

void MemoryTransport::StartWrite(std::string_view from, Done done) {
  CHECK(!end_->write_done) << "two writes at once";
  CHECK(!from.empty());
  ++end_->writes;
  IoResult result;
  if (end_->WriteNow(from, result)) return end_->PostResult(std::move(done), std::move(result));
  end_->from = from;
  end_->write_done = std::move(done);
}

IoResult MemoryTransport::TryRead(absl::Span<char> into) { return end_->ReadNow(into); }

IoResult MemoryTransport::TryWrite(std::string_view from) {
  CHECK(!end_->write_done) << "two writes at once";
  CHECK(!from.empty());
  ++end_->writes;
  IoResult result;
  if (!end_->WriteNow(from, result)) return {absl::UnavailableError("no room")};
  return result;
}

void MemoryTransport::AcknowledgeNow() { end_->acknowledged = end_->received; }
void MemoryTransport::Close() { end_->Close(); }
int64_t MemoryTransport::wire_bytes_sent() const { return end_->sent; }
int64_t MemoryTransport::wire_bytes_received() const { return end_->received; }
void MemoryTransport::set_write_limit(size_t bytes) { end_->write_limit = bytes; }
void MemoryTransport::set_read_limit(size_t bytes) { end_->read_limit = bytes; }
void MemoryTransport::set_reset_after_sending(int64_t bytes) { end_->reset_after = bytes; }
void MemoryTransport::set_hold_arrivals(bool hold) {
  end_->hold = hold;
  end_->WakeReader();
}
void MemoryTransport::set_capacity(size_t bytes) { end_->capacity = bytes; }
void MemoryTransport::SendEnd() { end_->SendEnd(); }
void MemoryTransport::Reset() { end_->BreakBoth(); }
bool MemoryTransport::closed() const { return end_->closed; }
int64_t MemoryTransport::writes() const { return end_->writes; }
int64_t MemoryTransport::reads() const { return end_->reads; }
int64_t MemoryTransport::acknowledged() const { return end_->acknowledged; }

}  // namespace thaw
