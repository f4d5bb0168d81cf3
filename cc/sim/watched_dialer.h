// A dialer around another one, which sees what a client does with its connections: how many are open or
// being dialled, and each request's use of one.
//
//   WatchedDialer::View view(world);
//   auto dialer = std::make_unique<WatchedDialer>(std::move(inner), view);
//   view.on_request = [](const Scene::Use& use) { ... };
//   view.Thawed(length);   // the environment runs again
//
// The dialer counts what a network would see and does not rely on the pool's own counts. HTTP/1.1 without
// TLS.

#ifndef THAW_CC_SIM_WATCHED_DIALER_H_
#define THAW_CC_SIM_WATCHED_DIALER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/net/dialer.h"
#include "cc/sim/invariants.h"
#include "cc/sim/sim_world.h"

namespace thaw {

class WatchedDialer : public Dialer {
 private:
  class WatchedTransport;

 public:
  // The record of connections and requests; outlives the dialer and its connections.
  struct View {
    explicit View(SimWorld& world) : world(world) {}
    // A freeze of this length is over. The client may do something before it is told.
    void Thawed(absl::Duration length);
    // The client is told, and a new epoch begins.
    void Resumed();
    // The connections that are open or being dialled. A dial that was given up does not count.
    int connections() const;
    // Returns a hash of what the checks will compare with.
    uint64_t Fingerprint() const;

    SimWorld& world;
    absl::AnyInvocable<void(const Scene::Use&)> on_request = [](const Scene::Use&) {};
    int64_t epoch = 0;
    // The times of the last freeze and of its end. Freezes that follow each other at once are one here: a
    // request that was handed its connection before the first may begin after the last.
    absl::Duration frozen = -absl::InfiniteDuration();
    absl::Duration thawed = -absl::InfiniteDuration();
    std::set<const Cancellation*> dials;
    std::set<WatchedTransport*> open;
  };

  WatchedDialer(std::unique_ptr<Dialer> inner, View& view) : inner_(std::move(inner)), view_(view) {}

  Task<DialResult> Dial(Destination destination, Cancellation& cancellation) override;
  void Forget() override { inner_->Forget(); }

 private:
  const std::unique_ptr<Dialer> inner_;
  View& view_;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_WATCHED_DIALER_H_
