// Tells running work to stop early, with a reason.
//
// The code that starts work owns the Cancellation. The work registers a callback that stops it (closes a
// transport, sets a completion) and keeps the registration while the callback makes sense. A request to a
// parent also cancels its children; a request to a child leaves the parent alone. One thread only.
//
//   Cancellation flush;                 // the whole flush
//   Cancellation exchange(&flush);      // one exchange in it
//   auto registration = exchange.OnRequest([&](const absl::Status&) { transport.Close(); });
//   exchange.Request(absl::DeadlineExceededError("no answer within 2s"));

#ifndef THAW_CC_BASE_CANCELLATION_H_
#define THAW_CC_BASE_CANCELLATION_H_

#include <cstdint>
#include <map>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace thaw {

class Cancellation {
 public:
  // Removes its callback when destroyed. The Cancellation must outlive it.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), id_(other.id_) {}
    Registration& operator=(Registration&& other) noexcept {
      if (this != &other) {
        Reset();
        owner_ = std::exchange(other.owner_, nullptr);
        id_ = other.id_;
      }
      return *this;
    }
    ~Registration() { Reset(); }
    void Reset() {
      if (owner_ != nullptr) std::exchange(owner_, nullptr)->callbacks_.erase(id_);
    }

   private:
    friend Cancellation;
    Registration(Cancellation* owner, uint64_t id) : owner_(owner), id_(id) {}
    Cancellation* owner_ = nullptr;
    uint64_t id_ = 0;
  };

  Cancellation() = default;
  explicit Cancellation(Cancellation* parent) {
    if (parent != nullptr) {
      parent_ = parent->OnRequest([this](const absl::Status& reason) { Request(reason); });
    }
  }
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // `reason` is an error. The first request wins. Callbacks run inside the call, each once, in the
  // order they were registered.
  void Request(const absl::Status& reason) {
    if (!reason_.ok()) return;
    reason_ = reason;
    while (!callbacks_.empty()) {
      auto node = callbacks_.extract(callbacks_.begin());
      node.mapped()(reason_);
    }
  }
  bool requested() const { return !reason_.ok(); }
  const absl::Status& reason() const { return reason_; }

  // If the request was made already, `callback` runs inside the call.
  [[nodiscard]] Registration OnRequest(absl::AnyInvocable<void(const absl::Status&)> callback) {
    if (requested()) {
      callback(reason_);
      return Registration();
    }
    const uint64_t id = next_id_++;
    callbacks_.emplace(id, std::move(callback));
    return Registration(this, id);
  }

 private:
  absl::Status reason_;
  uint64_t next_id_ = 0;
  std::map<uint64_t, absl::AnyInvocable<void(const absl::Status&)>> callbacks_;
  Registration parent_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_CANCELLATION_H_
