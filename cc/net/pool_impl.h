// Member functions of Pool, which pool.h declares and includes.

#ifndef THAW_CC_NET_POOL_IMPL_H_
#define THAW_CC_NET_POOL_IMPL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/net/client_options.h"
#include "cc/net/pool.h"
#include "cc/net/pool_connections.h"

namespace thaw {

template <typename Key, typename Connection, typename DialFailure>
auto Pool<Key, Connection, DialFailure>::Acquire(const Key& key, Want want, OnAcquired done) -> WaiterId {
  const WaiterId id = next_id_++;
  Host& host = HostOf(key);
  if (want == Want::kAny) {
    std::optional<Lease> lease = TakeFreeSlot(host);
    if (!lease.has_value()) lease = TakeIdle(host);
    if (lease.has_value()) {
      Hand(done, *std::move(lease));
      return id;
    }
  }
  host.waiters.push_back({id, want, std::move(done)});
  host.fresh_waiters += want == Want::kFresh;
  StartDials(host);
  return id;
}

template <typename Key, typename Connection, typename DialFailure>
bool Pool<Key, Connection, DialFailure>::CancelWaiter(WaiterId id) {
  for (auto& [key, host] : hosts_) {
    const auto waiter =
        std::lower_bound(host.waiters.begin(), host.waiters.end(), id,
                         [](const Waiter& candidate, WaiterId wanted) { return candidate.id < wanted; });
    if (waiter == host.waiters.end() || waiter->id != id) continue;
    TakeWaiter(host, waiter);
    StopUnneededDials(host, CancelReason::kCancelled);
    WatchFirstWaiter(host);
    Leave(host);
    return true;
  }
  return false;
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::OnDialled(uint64_t dial, Dialled result) {
  for (auto& [key, host] : hosts_) {
    auto& dialling = host.connections.in(ConnectionState::kDialling);
    const Place place = std::find_if(dialling.begin(), dialling.end(),
                                     [dial](const auto& candidate) { return candidate.dial == dial; });
    if (place == dialling.end()) continue;
    if (result.connection == nullptr) {
      host.connections.Remove(place);
      return OnDialFailed(host, *std::move(result.failure));
    }
    host.failures = 0;
    if (result.took.has_value()) host.last_dial = result.took;
    place->connection = std::move(result.connection);
    if (!host.waiters.empty()) return ServeWaiters(host, place);
    if (place->epoch != epoch_) {
      // The connection crossed a freeze while it was being opened.
      ++counts_.dropped_epoch;
      Discard(host, place);
    } else {
      Keep(host, place);
    }
    return Leave(host);
  }
  if (result.connection != nullptr) Drop(*result.connection);  // the dial was cancelled
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Release(Lease lease, bool reusable, bool answered) {
  Host& host = *lease.host;
  const Place place = lease.place;
  // Frozen time is not part of an exchange's time.
  if (answered && lease.epoch == epoch_) host.last_exchange = clock_.Now().monotonic - lease.begun;
  host.connections.ReturnSlot(place);
  reusable = reusable && lease.connection->open();
  if (!reusable || place->state == ConnectionState::kDraining) {
    if (place->leases > 0) {
      host.connections.Move(place, ConnectionState::kDraining);
    } else {
      if (reusable && place->epoch != epoch_) ++counts_.dropped_epoch;
      Discard(host, place);
    }
    StartDials(host);
    return Leave(host);
  }
  const auto waiter = FirstSharer(host);
  // The number of slots may have fallen since they were leased.
  if (waiter != host.waiters.end() && Connections::has_free_slot(*place)) {
    OnAcquired done = TakeWaiter(host, waiter);
    ++counts_.shared;
    Lease next = LeaseSlot(host, place);
    StopUnneededDials(host, CancelReason::kServed);
    StartDials(host);
    return Hand(done, std::move(next));
  }
  if (place->leases == 0) Keep(host, place);
  StartDials(host);
  Leave(host);
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::OnIdleClosed(const Key& key, const Connection* connection) {
  const auto found = hosts_.find(key);
  if (found == hosts_.end()) return;
  Host& host = found->second;
  auto& idle = host.connections.in(ConnectionState::kIdle);
  const Place place = std::find_if(idle.begin(), idle.end(), [connection](const auto& candidate) {
    return candidate.connection.get() == connection;
  });
  if (place == idle.end()) return;
  ++counts_.dropped_peer_closed;
  Discard(host, place);
  Leave(host);
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Resume() {
  ++epoch_;
  for (auto& [key, host] : hosts_) {
    if (!host.in_use()) continue;
    host.connections.DrainLeased();
    ResumeIdle(host);
    host.unused_since = next_id_;
  }
  ForgetUnused();
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::ResumeIdle(Host& host) {
  auto& idle = host.connections.in(ConnectionState::kIdle);
  if (options_.on_resume == OnResume::kDrain) {
    while (!idle.empty()) {
      ++counts_.dropped_epoch;
      DiscardLastIdle(host);
    }
    return;
  }
  for (Place next = idle.begin(); next != idle.end();) {
    const Place place = next++;
    Connection& connection = *place->connection;
    if (options_.on_resume == OnResume::kProbe && !(connection.open() && connection.CheckUsable())) {
      ++counts_.dropped_not_usable;
      Discard(host, place);
    } else {
      // An idle connection had no exchange that crossed, so it goes on as one of this epoch.
      place->epoch = epoch_;
    }
  }
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Close() {
  for (auto next = hosts_.begin(); next != hosts_.end();) {
    const auto current = next++;
    Host& host = current->second;
    host.patience_alarm.Cancel();
    host.waiters.clear();
    host.fresh_waiters = 0;
    auto& dialling = host.connections.in(ConnectionState::kDialling);
    while (!dialling.empty()) StopDial(host, dialling.begin(), CancelReason::kCancelled);
    while (host.connections.count(ConnectionState::kIdle) > 0) DiscardLastIdle(host);
    host.connections.DrainLeased();
    if (!host.in_use()) hosts_.erase(current);
  }
}

// -- Hosts -----------------------------------------------------------------------------------------------

template <typename Key, typename Connection, typename DialFailure>
auto Pool<Key, Connection, DialFailure>::HostOf(const Key& key) -> Host& {
  const auto [found, added] = hosts_.try_emplace(key);
  if (added) found->second.key = &found->first;
  return found->second;
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Leave(Host& host) {
  if (host.in_use()) return;
  host.unused_since = next_id_;
  ForgetUnused();
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::ForgetUnused() {
  std::erase_if(hosts_, [](const auto& entry) { return !entry.second.in_use() && !entry.second.known(); });
  while (hosts_.size() > kRememberedHosts) {
    auto oldest = hosts_.end();
    for (auto candidate = hosts_.begin(); candidate != hosts_.end(); ++candidate) {
      const Host& host = candidate->second;
      if (!host.in_use() && (oldest == hosts_.end() || host.unused_since < oldest->second.unused_since))
        oldest = candidate;
    }
    if (oldest == hosts_.end()) return;  // all are in use
    hosts_.erase(oldest);
  }
}

// -- Checkout --------------------------------------------------------------------------------------------

template <typename Key, typename Connection, typename DialFailure>
auto Pool<Key, Connection, DialFailure>::LeaseSlot(Host& host, Place place, absl::Duration idle_for)
    -> Lease {
  Lease lease{.connection = place->connection,
              .reused = place->used,
              .idle_for = idle_for,
              .epoch = place->epoch,
              .host = &host,
              .place = place};
  host.connections.TakeSlot(place);
  return lease;
}

template <typename Key, typename Connection, typename DialFailure>
auto Pool<Key, Connection, DialFailure>::TakeFreeSlot(Host& host) -> std::optional<Lease> {
  if (!sharing()) return std::nullopt;
  auto& leased = host.connections.in(ConnectionState::kLeased);
  // Connections with a free slot come first.
  while (!leased.empty() && Connections::has_free_slot(leased.front())) {
    if (leased.front().connection->open()) {
      ++counts_.shared;
      return LeaseSlot(host, leased.begin());
    }
    host.connections.Move(leased.begin(), ConnectionState::kDraining);
  }
  return std::nullopt;
}

template <typename Key, typename Connection, typename DialFailure>
auto Pool<Key, Connection, DialFailure>::TakeIdle(Host& host) -> std::optional<Lease> {
  auto& idle = host.connections.in(ConnectionState::kIdle);
  while (!idle.empty()) {
    const Place place = std::prev(idle.end());
    const absl::Duration age = Age(place->idle_since);
    if (!place->connection->open()) {
      ++counts_.dropped_peer_closed;
    } else if (age > options_.idle_timeout) {
      ++counts_.dropped_expired;
    } else if (options_.liveness == Liveness::kPeek && !place->connection->CheckUsable()) {
      ++counts_.dropped_not_usable;
    } else {
      ++counts_.reused;
      return LeaseSlot(host, place, age);
    }
    Discard(host, place);
  }
  return std::nullopt;
}

template <typename Key, typename Connection, typename DialFailure>
absl::Duration Pool<Key, Connection, DialFailure>::Age(const ClockReading& since) const {
  const ClockReading now = clock_.Now();
  return options_.expiry_clock == ExpiryClock::kMonotonic ? now.monotonic - since.monotonic
                                                          : LargestAdvance(since, now);
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Hand(OnAcquired& done, Lease lease) {
  lease.begun = clock_.Now().monotonic;
  done(std::move(lease));
}

// -- Waiters ---------------------------------------------------------------------------------------------

template <typename Key, typename Connection, typename DialFailure>
auto Pool<Key, Connection, DialFailure>::TakeWaiter(Host& host, typename Waiters::iterator waiter)
    -> OnAcquired {
  OnAcquired done = std::move(waiter->done);
  host.fresh_waiters -= waiter->want == Want::kFresh;
  host.waiters.erase(waiter);
  return done;
}

template <typename Key, typename Connection, typename DialFailure>
auto Pool<Key, Connection, DialFailure>::FirstSharer(Host& host) -> typename Waiters::iterator {
  if (!sharing()) return host.waiters.end();
  return std::find_if(host.waiters.begin(), host.waiters.end(),
                      [](const Waiter& candidate) { return candidate.want == Want::kAny; });
}

// Gives the slots of a connection that was just opened to waiters: the first to the first waiter, the others
// to those that accept a connection which carries a request.
template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::ServeWaiters(Host& host, Place place) {
  std::vector<std::pair<OnAcquired, Lease>> served;
  OnAcquired first = TakeWaiter(host, host.waiters.begin());
  served.emplace_back(std::move(first), LeaseSlot(host, place));
  // A connection that crossed a freeze while it was being opened serves one request, which takes the risk.
  if (place->epoch != epoch_) host.connections.Move(place, ConnectionState::kDraining);
  while (place->state == ConnectionState::kLeased && Connections::has_free_slot(*place)) {
    const auto waiter = FirstSharer(host);
    if (waiter == host.waiters.end()) break;
    OnAcquired done = TakeWaiter(host, waiter);
    ++counts_.shared;
    served.emplace_back(std::move(done), LeaseSlot(host, place));
  }
  StopUnneededDials(host, CancelReason::kServed);
  StartDials(host);
  for (auto& [done, lease] : served) Hand(done, std::move(lease));
}

// -- Closing and keeping ---------------------------------------------------------------------------------

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Drop(Connection& connection) {
  connection.Close();
  ++counts_.closed;
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Discard(Host& host, Place place) {
  Drop(*host.connections.Remove(place));
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::Keep(Host& host, Place place) {
  if (host.connections.count(ConnectionState::kIdle) >= options_.max_idle_per_host) {
    if (options_.max_idle_per_host > 0) ++counts_.dropped_over_limit;
    return Discard(host, place);
  }
  place->idle_since = clock_.Now();
  host.connections.Move(place, ConnectionState::kIdle);
}

}  // namespace thaw

#endif  // THAW_CC_NET_POOL_IMPL_H_
