#include "cc/net/testing/memory_datagrams.h"

#include <string_view>
#include <utility>
#include <vector>

namespace thaw {

std::unique_ptr<Datagrams> MemoryDatagrams::Sender::Bind() {
  return std::make_unique<MemoryDatagrams>(*this);
}

void MemoryDatagrams::Sender::Send(std::string datagram) {
  if (!bound_) return;
  if (waiting_.size() >= limits_.waiting) return Drop(1);
  waiting_.push_back({std::move(datagram), std::exchange(dropped_, 0)});
  Wake();
}

void MemoryDatagrams::Sender::Fail(absl::Status status) {
  failure_ = std::move(status);
  Wake();
}

void MemoryDatagrams::Sender::Wake() {
  if (waiter_ != nullptr) waiter_->Set(true);
}

MemoryDatagrams::~MemoryDatagrams() {
  sender_.bound_ = false;
  sender_.waiting_.clear();
  sender_.dropped_ = 0;
}

Task<absl::Status> MemoryDatagrams::Receive(Handler handler, Cancellation& cancellation) {
  while (true) {
    if (cancellation.requested()) co_return cancellation.reason();
    Completion<bool> readable(sender_.executor_);
    sender_.waiter_ = &readable;
    // Readiness is told by the queue, so that each batch has a turn of its own.
    if (!sender_.waiting_.empty() || !sender_.failure_.ok())
      sender_.executor_.Post([&sender = sender_] { sender.Wake(); });
    const auto registration =
        cancellation.OnRequest([&readable](const absl::Status&) { readable.Set(false); });
    co_await readable;
    sender_.waiter_ = nullptr;
    if (cancellation.requested()) co_return cancellation.reason();
    if (!sender_.waiting_.empty()) {
      HandOver(handler);
    } else if (!sender_.failure_.ok()) {
      co_return std::exchange(sender_.failure_, absl::OkStatus());
    }
  }
}

bool MemoryDatagrams::ReceiveWaiting(absl::FunctionRef<void(const DatagramBatch&)> take) {
  if (sender_.waiting_.empty()) return false;
  HandOver(take);
  return true;
}

void MemoryDatagrams::HandOver(absl::FunctionRef<void(const DatagramBatch&)> take) {
  const size_t most = static_cast<size_t>(sender_.limits_.datagrams_per_turn);
  std::vector<Sender::Sent> taken;
  while (!sender_.waiting_.empty() && taken.size() < most) {
    taken.push_back(std::move(sender_.waiting_.front()));
    sender_.waiting_.pop_front();
  }
  DatagramBatch batch;
  std::vector<std::string_view> views;
  for (const Sender::Sent& sent : taken) {
    batch.dropped += sent.dropped_before;
    if (sent.bytes.size() > sender_.limits_.max_datagram_bytes) {
      ++batch.truncated;
    } else {
      views.push_back(sent.bytes);
    }
  }
  batch.datagrams = views;
  take(batch);
}

}  // namespace thaw
