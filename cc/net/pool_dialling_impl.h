// Member functions of Pool about dialling, which pool.h declares and includes.

#ifndef THAW_CC_NET_POOL_DIALLING_IMPL_H_
#define THAW_CC_NET_POOL_DIALLING_IMPL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/net/pool.h"
#include "cc/net/pool_connections.h"

namespace thaw {

// -- Dialling --------------------------------------------------------------------------------------------

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::OnDialFailed(Host& host, DialFailure failure) {
  ++host.failures;
  std::vector<OnAcquired> failed;
  // From the second failure in a row on, the destination is taken to be at fault, not the attempt.
  const size_t count = host.failures >= 2 ? host.waiters.size() : std::min<size_t>(1, host.waiters.size());
  for (size_t i = 0; i < count; ++i) failed.push_back(TakeWaiter(host, host.waiters.begin()));
  // If each request dials for itself, as peers' do, the count starts again.
  if (options_.dial_eagerly && host.failures >= 2) host.failures = 0;
  StopUnneededDials(host, CancelReason::kCancelled);
  StartDials(host);
  Leave(host);
  for (OnAcquired& done : failed) done(failure);
}

// Starts the dials that the rules require.
template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::StartDials(Host& host) {
  // Requests that a connection that becomes free can't serve need one of their own.
  size_t own = options_.dial_eagerly || !sharing() ? host.waiters.size() : host.fresh_waiters;
  if (Failing(host)) own = std::min<size_t>(own, 1);
  while (host.dials() < own) {
    // The cap is reached but a fresh connection is needed, so an idle one makes room.
    if (!HasRoom(host) && host.connections.count(ConnectionState::kIdle) > 0) DiscardLastIdle(host);
    if (!HasRoom(host)) break;
    BeginDial(host);
  }
  if (!host.waiters.empty() && host.connections.empty()) BeginDial(host);
  while (host.dials() < host.waiters.size() && HasRoom(host) && IsQueueLong(host)) BeginDial(host);
  WatchFirstWaiter(host);
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::BeginDial(Host& host) {
  const uint64_t dial = next_id_++;
  host.connections.Add(dial, epoch_);
  ++counts_.dials;
  start_dial_(*host.key, dial);
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::StopDial(Host& host, Place place, CancelReason why) {
  const uint64_t dial = place->dial;
  host.connections.Remove(place);
  cancel_dial_(dial, why);
}

// Cancels the dials that no request waits for, so that none is open when a flush has ended. hyper lets them
// finish and keeps their connections.
template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::StopUnneededDials(Host& host, CancelReason why) {
  if (options_.dial_eagerly) return;
  while (host.dials() > host.waiters.size()) {
    StopDial(host, std::prev(host.connections.in(ConnectionState::kDialling).end()), why);
  }
}

// Returns whether only one dial at a time checks if the destination works again.
template <typename Key, typename Connection, typename DialFailure>
bool Pool<Key, Connection, DialFailure>::Failing(const Host& host) const {
  return host.failures > 0 && !options_.dial_eagerly;
}

template <typename Key, typename Connection, typename DialFailure>
bool Pool<Key, Connection, DialFailure>::HasRoom(const Host& host) const {
  return host.connections.open() + host.connections.dialling() < options_.max_connections_per_host;
}

// Returns whether another connection would be ready before the open ones have worked off the queue.
template <typename Key, typename Connection, typename DialFailure>
bool Pool<Key, Connection, DialFailure>::IsQueueLong(const Host& host) const {
  if (options_.share_patience.has_value() || !sharing() || Failing(host)) return false;
  if (!host.last_dial.has_value() || !host.last_exchange.has_value()) return false;
  const int slots = std::max(host.connections.open_slots(), 1);
  const double requests_each = static_cast<double>(host.waiters.size()) / slots;
  return requests_each * *host.last_exchange > std::max(*host.last_dial, kShortQueue);
}

// -- Patience --------------------------------------------------------------------------------------------

// Measures how long the first waiter has been first.
template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::WatchFirstWaiter(Host& host) {
  if (host.waiters.empty()) {
    host.patience_alarm.Cancel();
    host.patience_owner = 0;
    return;
  }
  if (host.patience_owner != host.waiters.front().id) SetPatienceAlarm(host, PatienceFor(host));
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::SetPatienceAlarm(Host& host, absl::Duration patience) {
  host.patience_owner = host.waiters.front().id;
  host.patience_alarm = Alarm(clock_, patience, [this, &host] { OnPatienceAlarm(host); });
}

template <typename Key, typename Connection, typename DialFailure>
absl::Duration Pool<Key, Connection, DialFailure>::PatienceFor(const Host& host) const {
  if (options_.share_patience.has_value()) return *options_.share_patience;
  return std::max(kShortQueue, host.last_dial.value_or(kPatienceAtFirst));
}

// Returns whether the first waiter's impatience may begin a dial. A dial that is under way serves it no later
// than a new one.
template <typename Key, typename Connection, typename DialFailure>
bool Pool<Key, Connection, DialFailure>::MayDialForPatience(const Host& host) const {
  if (host.dials() >= host.waiters.size() || !HasRoom(host)) return false;
  if (Failing(host)) return host.dials() == 0;
  // While no connection is open, a third dial would most likely fare like the first two.
  return options_.share_patience.has_value() || host.connections.open() > 0 || host.dials() < 2;
}

template <typename Key, typename Connection, typename DialFailure>
void Pool<Key, Connection, DialFailure>::OnPatienceAlarm(Host& host) {
  if (host.waiters.empty()) return;
  // The next connection is dialled when the first waiter has waited as long again.
  absl::Duration patience = PatienceFor(host);
  if (MayDialForPatience(host)) {
    BeginDial(host);
  } else {
    patience = std::max(patience, kPatienceAtFirst);
  }
  SetPatienceAlarm(host, patience);
}

}  // namespace thaw

#endif  // THAW_CC_NET_POOL_DIALLING_IMPL_H_
