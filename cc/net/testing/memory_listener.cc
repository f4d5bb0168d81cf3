#include "cc/net/testing/memory_listener.h"

#include <utility>

namespace thaw {

std::unique_ptr<Listener> MemoryListener::Door::Open() { return std::make_unique<MemoryListener>(*this); }

std::unique_ptr<MemoryTransport> MemoryListener::Door::Connect(MemoryTransport** theirs) {
  auto [client, server] = MemoryTransport::Pair(executor_);
  if (theirs != nullptr) *theirs = server.get();
  Offer(std::unique_ptr<Transport>(std::move(server)));
  return std::move(client);
}

void MemoryListener::Door::Offer(Offered offered) {
  offered_.push_back(std::move(offered));
  if (waiter_ != nullptr) waiter_->Set(true);
}

Task<absl::StatusOr<std::unique_ptr<Transport>>> MemoryListener::Accept(Cancellation& cancellation) {
  ++door_.accepts_;
  if (cancellation.requested()) co_return cancellation.reason();
  if (door_.offered_.empty()) {
    Completion<bool> offered(door_.executor_);
    door_.waiter_ = &offered;
    const auto registration = cancellation.OnRequest([&offered](const absl::Status&) { offered.Set(false); });
    co_await offered;
    door_.waiter_ = nullptr;
    if (cancellation.requested()) co_return cancellation.reason();
  }
  auto next = std::move(door_.offered_.front());
  door_.offered_.pop_front();
  co_return next;
}

}  // namespace thaw
