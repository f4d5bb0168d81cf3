#include "cc/sim/watched_dialer.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "cc/net/transport.h"
#include "cc/sim/state_hash.h"

namespace thaw {

class WatchedDialer::WatchedTransport : public Transport {
 public:
  WatchedTransport(std::unique_ptr<Transport> inner, View& view)
      : inner_(std::move(inner)), view_(view), epoch_(view.epoch) {
    view_.open.insert(this);
  }
  ~WatchedTransport() override { view_.open.erase(this); }

  void StartRead(absl::Span<char> into, Done done) override {
    inner_->StartRead(into, [this, done = std::move(done)](IoResult result) mutable {
      // The intake answers in one piece.
      if (result.status.ok() && std::exchange(busy_, false)) idle_since_ = view_.world.now();
      done(std::move(result));
    });
  }
  void StartWrite(std::string_view from, Done done) override {
    if (absl::StartsWith(from, "POST ")) BeginRequest();
    inner_->StartWrite(from, std::move(done));
  }
  IoResult TryRead(absl::Span<char> into) override { return inner_->TryRead(into); }
  void Close() override {
    view_.open.erase(this);
    inner_->Close();
  }
  int64_t wire_bytes_sent() const override { return inner_->wire_bytes_sent(); }
  int64_t wire_bytes_received() const override { return inner_->wire_bytes_received(); }

  // `begun`: when the freeze began.
  void Thawed(absl::Duration begun) {
    // The client has not been able to keep it as idle yet.
    if (idle_since_ == begun) idle_since_ = view_.thawed;
  }
  void Resumed() {
    busy_at_resume_ |= busy_;
    since_resume_ = 0;
  }
  uint64_t Fingerprint() const {
    uint64_t hash = Mixed(static_cast<uint64_t>(epoch_), idle_since_);
    hash = Mixed(hash, static_cast<uint64_t>(since_resume_));
    for (const bool flag : {used_, busy_, busy_at_resume_}) hash = Mixed(hash, uint64_t{flag});
    return hash;
  }

 private:
  void BeginRequest() {
    Scene::Use use{.first = !used_,
                   .busy_at_resume = busy_at_resume_,
                   .since_resume = ++since_resume_,
                   .from_before = epoch_ != view_.epoch};
    const absl::Duration now = view_.world.now();
    if (used_) use.idle_for = (now == view_.thawed ? view_.frozen : now) - idle_since_;
    used_ = busy_ = true;
    view_.on_request(use);
  }

  const std::unique_ptr<Transport> inner_;
  View& view_;
  const int64_t epoch_;   // of its dial's end
  int since_resume_ = 0;  // requests
  bool used_ = false;
  bool busy_ = false;
  bool busy_at_resume_ = false;
  absl::Duration idle_since_;
};

void WatchedDialer::View::Thawed(absl::Duration length) {
  const absl::Duration begun = world.now() - length;
  if (begun != thawed) frozen = begun;
  thawed = world.now();
  for (WatchedTransport* transport : open) transport->Thawed(begun);
}

void WatchedDialer::View::Resumed() {
  ++epoch;
  for (WatchedTransport* transport : open) transport->Resumed();
}

int WatchedDialer::View::connections() const {
  return static_cast<int>(open.size()) +
         static_cast<int>(std::count_if(dials.begin(), dials.end(),
                                        [](const Cancellation* dial) { return !dial->requested(); }));
}

uint64_t WatchedDialer::View::Fingerprint() const {
  // A sum: the set is ordered by address.
  uint64_t hash = Mixed(static_cast<uint64_t>(epoch), static_cast<uint64_t>(dials.size()));
  for (const WatchedTransport* transport : open) hash += transport->Fingerprint();
  return hash;
}

Task<DialResult> WatchedDialer::Dial(Destination destination, Cancellation& cancellation) {
  view_.dials.insert(&cancellation);
  DialResult result = co_await inner_->Dial(std::move(destination), cancellation);
  view_.dials.erase(&cancellation);
  if (result.transport != nullptr) {
    result.transport = std::make_unique<WatchedTransport>(std::move(result.transport), view_);
  }
  co_return result;
}

}  // namespace thaw
