// Decides which request gets which connection: keeping, sharing, dialling, expiry, resume. Knows nothing of
// HTTP or TLS.
//
//   Pool<Destination, Connection, ExchangeFailure> pool(clock, options, counts, start_dial, cancel_dial);
//   const auto id = pool.Acquire(destination, Want::kAny, [](auto acquired) { ... });
//   pool.Release(std::move(lease), /*reusable=*/true);
//
// Connection needs:
//   bool open() const      whether the loop has seen no end so far; no system call
//   bool CheckUsable()     checks, without waiting, that the peer neither closed it nor sent anything
//   void Close()
//
// Rules, in the order they apply (docs/design.md has the reasons):
//   checkout   most recently used first; closed, expired and unusable connections are dropped on the way
//   waiting    in order; a connection that becomes free goes to the first waiter before it may become idle
//   dialling   the first request dials; more connections are dialled, up to the cap, while the waiters
//              outnumber the dials under way and (waiters / open connections) x the last exchange's time is
//              longer than the last dial took. If an exchange's time is not known, or an exchange takes long
//              all the same, another is dialled when the first waiter has been first for as long as a dial
//              takes. With `share_patience` set, only when it has been first for that long
//   failing    a failed dial fails the first waiter only; until a dial succeeds again there is one dial at a
//              time, and each further failure fails all waiters
//   keeping    at most max_idle_per_host; a connection that comes back when there are that many is closed
//   resume     idle connections are kept, probed or drained; those in use at a resume are never reused
//
// One thread. Callbacks run inside the call that causes them; they may call the pool again.

#ifndef THAW_CC_NET_POOL_H_
#define THAW_CC_NET_POOL_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"

namespace thaw {

// The connection that a request accepts.
enum class Want {
  kAny,
  kFresh,  // one that has carried no request
};

template <typename Key, typename Connection, typename DialFailure>
class Pool {
 public:
  struct Lease {
    std::shared_ptr<Connection> connection;
    Key key;
    bool reused = false;      // it carried a request before
    absl::Duration idle_for;  // zero if it was fresh or shared
    int64_t epoch = 0;        // the epoch in which it was opened
    absl::Duration begun;     // when it was handed out, on the monotonic clock
  };
  using Acquired = std::variant<Lease, DialFailure>;
  using OnAcquired = absl::AnyInvocable<void(Acquired)>;
  using WaiterId = uint64_t;

  struct Dialled {
    std::shared_ptr<Connection> connection;  // null: the dial failed
    std::optional<DialFailure> failure;
    std::optional<absl::Duration> took;  // unset: the next dial's time can't be told from this one
  };
  // Starts a dial; its result comes through OnDialled() with the same number.
  using StartDial = absl::AnyInvocable<void(const Key&, uint64_t dial)>;
  // Why no request waits for a dial any more.
  enum class GivenUp {
    kServed,  // other connections served the requests; says nothing of the destination
    // The requests were cancelled, possibly because this dial hangs, or the pool is closed.
    kCancelled,
  };
  using CancelDial = absl::AnyInvocable<void(uint64_t dial, GivenUp why)>;

  // Another connection does not pay if the queue or a dial takes less time than this.
  static constexpr absl::Duration kShortQueue = absl::Milliseconds(5);
  // The first waiter's patience while the time of a dial isn't known. It is also the interval of looking
  // again while no dial is allowed, so that a patience of zero does not keep the loop turning.
  static constexpr absl::Duration kPatienceAtFirst = absl::Milliseconds(50);

  Pool(Clock& clock, const ClientOptions& options, ConnectionCounts& counts, StartDial start_dial,
       CancelDial cancel_dial)
      : clock_(clock),
        options_(options),
        counts_(counts),
        start_dial_(std::move(start_dial)),
        cancel_dial_(std::move(cancel_dial)) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Takes an idle connection, or waits for one. `done` runs once, unless the waiter is cancelled first.
  WaiterId Acquire(const Key& key, Want want, OnAcquired done) {
    const WaiterId id = next_id_++;
    Host& host = hosts_[key];
    if (want == Want::kAny) {
      if (std::optional<Lease> lease = TakeIdle(host)) {
        Hand(done, *std::move(lease));
        return id;
      }
    }
    host.waiters.push_back({id, want, std::move(done)});
    host.fresh_waiters += want == Want::kFresh;
    Dial(key, host);
    return id;
  }

  // Returns false if the waiter was served already.
  bool CancelWaiter(const Key& key, WaiterId id) {
    const auto found = hosts_.find(key);
    if (found == hosts_.end()) return false;
    Host& host = found->second;
    const auto waiter = std::find_if(host.waiters.begin(), host.waiters.end(),
                                     [id](const Waiter& candidate) { return candidate.id == id; });
    if (waiter == host.waiters.end()) return false;
    TakeWaiter(host, waiter);
    GiveUpDials(host, GivenUp::kCancelled);
    WatchPatience(key, host);
    return true;
  }

  // Takes the result of a dial. The connection of a dial that was cancelled is closed at once.
  void OnDialled(uint64_t dial, Dialled result) {
    const auto found = dial_keys_.find(dial);
    if (found == dial_keys_.end()) {
      if (result.connection != nullptr) Drop(*result.connection);
      return;
    }
    const Key key = found->second.key;
    const int64_t epoch = found->second.epoch;
    dial_keys_.erase(found);
    Host& host = hosts_[key];
    std::erase(host.dials, dial);
    if (result.connection == nullptr) return OnDialFailed(key, host, *std::move(result.failure));
    host.failures = 0;
    if (result.took.has_value()) host.last_dial = result.took;
    ++host.open;
    Lease lease{std::move(result.connection), key, false, absl::ZeroDuration(), epoch};
    if (!host.waiters.empty()) return Serve(key, host, std::move(lease));
    if (epoch != epoch_) {
      // The connection crossed a freeze while it was being opened.
      ++counts_.dropped_epoch;
      return Discard(host, lease);
    }
    Keep(host, std::move(lease));
  }

  // Gives a leased connection back. `reusable`: the exchange ended so that another may follow. `answered`:
  // the exchange was answered, so that its time predicts the next one's.
  void Release(Lease lease, bool reusable) { Release(std::move(lease), reusable, reusable); }
  void Release(Lease lease, bool reusable, bool answered) {
    Host& host = hosts_[lease.key];
    const Key key = lease.key;
    lease.reused = true;
    // Frozen time is not part of an exchange's time.
    if (answered && lease.epoch == epoch_) host.last_exchange = clock_.Now().monotonic - lease.begun;
    if (!reusable || !lease.connection->open() || lease.epoch != epoch_) {
      if (reusable && lease.connection->open()) ++counts_.dropped_epoch;
      Discard(host, lease);
      Dial(key, host);
      return;
    }
    if (sharing()) {
      const auto waiter = std::find_if(host.waiters.begin(), host.waiters.end(),
                                       [](const Waiter& candidate) { return candidate.want == Want::kAny; });
      if (waiter != host.waiters.end()) {
        OnAcquired done = TakeWaiter(host, waiter);
        ++counts_.shared;
        lease.idle_for = absl::ZeroDuration();
        GiveUpDials(host, GivenUp::kServed);
        Dial(key, host);
        return Hand(done, std::move(lease));
      }
    }
    Keep(host, std::move(lease));
    Dial(key, host);
  }

  // Tells the pool that the loop saw an idle connection's end.
  void OnIdleClosed(const Key& key, const Connection* connection) {
    Host& host = hosts_[key];
    const auto found = std::find_if(host.idle.begin(), host.idle.end(), [connection](const Idle& idle) {
      return idle.lease.connection.get() == connection;
    });
    if (found == host.idle.end()) return;
    ++counts_.dropped_peer_closed;
    const Lease lease = std::move(found->lease);
    host.idle.erase(found);
    Discard(host, lease);
  }

  // Tells the pool that the environment was frozen and runs again. Connections now in use are not reused.
  void Resume() {
    ++epoch_;
    for (auto& [key, host] : hosts_) {
      if (options_.on_resume == OnResume::kDrain) {
        while (!host.idle.empty()) {
          ++counts_.dropped_epoch;
          PopIdle(host);
        }
      } else {
        for (size_t i = 0; i < host.idle.size();) {
          Lease& lease = host.idle[i].lease;
          if (options_.on_resume == OnResume::kProbe &&
              !(lease.connection->open() && lease.connection->CheckUsable())) {
            ++counts_.dropped_not_usable;
            const Lease gone = std::move(lease);
            host.idle.erase(host.idle.begin() + i);
            Discard(host, gone);
            continue;
          }
          // An idle connection had no exchange that crossed, so it goes on as one of this epoch.
          lease.epoch = epoch_;
          ++i;
        }
      }
    }
  }

  // Closes idle connections and forgets all waiters; their callbacks don't run.
  void Close() {
    for (auto& [key, host] : hosts_) {
      host.patience.Cancel();
      host.waiters.clear();
      host.fresh_waiters = 0;
      for (const uint64_t dial : std::exchange(host.dials, {})) {
        dial_keys_.erase(dial);
        cancel_dial_(dial, GivenUp::kCancelled);
      }
      while (!host.idle.empty()) PopIdle(host);
    }
  }

  int64_t epoch() const { return epoch_; }
  int open(const Key& key) const {
    const auto found = hosts_.find(key);
    return found == hosts_.end() ? 0 : found->second.open;
  }
  int open() const {
    return Sum([](const Host& host) { return host.open; });
  }
  int idle() const {
    return Sum([](const Host& host) { return static_cast<int>(host.idle.size()); });
  }
  int dialling() const { return static_cast<int>(dial_keys_.size()); }
  int waiting() const {
    return Sum([](const Host& host) { return static_cast<int>(host.waiters.size()); });
  }

 private:
  struct Waiter {
    WaiterId id;
    Want want;
    OnAcquired done;
  };
  struct Idle {
    Lease lease;
    ClockReading since;
  };
  struct Host {
    std::vector<Idle> idle;  // most recently used last
    std::deque<Waiter> waiters;
    size_t fresh_waiters = 0;     // waiters that want a fresh one
    std::vector<uint64_t> dials;  // dials under way
    int open = 0;                 // opened and not closed: idle or leased
    int failures = 0;             // dials that failed in a row
    std::optional<absl::Duration> last_dial;
    std::optional<absl::Duration> last_exchange;
    Alarm patience;
    WaiterId patient = 0;  // the waiter whose patience is measured
  };
  struct DialOrigin {
    Key key;
    int64_t epoch;
  };

  bool sharing() const { return options_.share_within_flush || options_.max_idle_per_host > 0; }

  template <typename Count>
  int Sum(Count count) const {
    int sum = 0;
    for (const auto& [key, host] : hosts_) sum += count(host);
    return sum;
  }

  void Drop(Connection& connection) {
    connection.Close();
    ++counts_.closed;
  }
  void Discard(Host& host, const Lease& lease) {
    --host.open;
    Drop(*lease.connection);
  }
  void PopIdle(Host& host) {
    const Lease lease = std::move(host.idle.back().lease);
    host.idle.pop_back();
    Discard(host, lease);
  }

  absl::Duration Age(const ClockReading& since) const {
    const ClockReading now = clock_.Now();
    return options_.expiry_clock == ExpiryClock::kMonotonic ? now.monotonic - since.monotonic
                                                            : LargestAdvance(since, now);
  }

  std::optional<Lease> TakeIdle(Host& host) {
    while (!host.idle.empty()) {
      const absl::Duration age = Age(host.idle.back().since);
      Connection& connection = *host.idle.back().lease.connection;
      if (!connection.open()) {
        ++counts_.dropped_peer_closed;
      } else if (age > options_.idle_timeout) {
        ++counts_.dropped_expired;
      } else if (options_.liveness == Liveness::kPeek && !connection.CheckUsable()) {
        ++counts_.dropped_not_usable;
      } else {
        Lease lease = std::move(host.idle.back().lease);
        host.idle.pop_back();
        lease.idle_for = age;
        ++counts_.reused;
        return lease;
      }
      PopIdle(host);
    }
    return std::nullopt;
  }

  void Keep(Host& host, Lease lease) {
    if (host.idle.size() >= static_cast<size_t>(options_.max_idle_per_host)) {
      if (options_.max_idle_per_host > 0) ++counts_.dropped_over_limit;
      return Discard(host, lease);
    }
    lease.idle_for = absl::ZeroDuration();
    host.idle.push_back({std::move(lease), clock_.Now()});
  }

  void Serve(const Key& key, Host& host, Lease lease) {
    OnAcquired done = TakeWaiter(host, host.waiters.begin());
    GiveUpDials(host, GivenUp::kServed);
    Dial(key, host);
    Hand(done, std::move(lease));
  }
  OnAcquired TakeWaiter(Host& host, typename std::deque<Waiter>::iterator waiter) {
    OnAcquired done = std::move(waiter->done);
    host.fresh_waiters -= waiter->want == Want::kFresh;
    host.waiters.erase(waiter);
    return done;
  }
  void Hand(OnAcquired& done, Lease lease) {
    lease.begun = clock_.Now().monotonic;
    done(std::move(lease));
  }

  void OnDialFailed(const Key& key, Host& host, DialFailure failure) {
    ++host.failures;
    std::vector<OnAcquired> failed;
    // From the second failure in a row on, the destination is taken to be at fault, not the attempt.
    const size_t count = host.failures >= 2 ? host.waiters.size() : std::min<size_t>(1, host.waiters.size());
    for (size_t i = 0; i < count; ++i) failed.push_back(TakeWaiter(host, host.waiters.begin()));
    // If each request dials for itself, as peers' do, the count starts again.
    if (options_.dial_eagerly && host.failures >= 2) host.failures = 0;
    GiveUpDials(host, GivenUp::kCancelled);
    Dial(key, host);
    for (OnAcquired& done : failed) done(failure);
  }

  // Starts the dials that the rules require.
  void Dial(const Key& key, Host& host) {
    const size_t cap = static_cast<size_t>(options_.max_connections_per_host);
    const auto room = [&] { return host.open + host.dials.size() < cap; };
    // Requests that a connection that becomes free can't serve need one of their own.
    size_t own = options_.dial_eagerly || !sharing() ? host.waiters.size() : host.fresh_waiters;
    if (Failing(host)) own = std::min<size_t>(own, 1);
    while (host.dials.size() < own) {
      // The cap is reached but a fresh connection is needed, so an idle one makes room.
      if (!room() && !host.idle.empty()) PopIdle(host);
      if (!room()) break;
      Begin(key, host);
    }
    if (!host.waiters.empty() && host.open == 0 && host.dials.empty()) Begin(key, host);
    while (host.dials.size() < host.waiters.size() && room() && IsQueueLong(host)) Begin(key, host);
    WatchPatience(key, host);
  }

  // After a failed dial, only one dial at a time checks whether the destination works again.
  bool Failing(const Host& host) const { return host.failures > 0 && !options_.dial_eagerly; }

  // Returns true if another connection would be ready before the open ones have worked off the queue.
  bool IsQueueLong(const Host& host) const {
    if (options_.share_patience.has_value() || !sharing() || Failing(host)) return false;
    if (!host.last_dial.has_value() || !host.last_exchange.has_value()) return false;
    const double each = static_cast<double>(host.waiters.size()) / std::max(host.open, 1);
    return each * *host.last_exchange > std::max(*host.last_dial, kShortQueue);
  }

  void Begin(const Key& key, Host& host) {
    const uint64_t dial = next_id_++;
    host.dials.push_back(dial);
    dial_keys_.emplace(dial, DialOrigin{key, epoch_});
    ++counts_.dials;
    start_dial_(key, dial);
  }

  // Gives up the dials that no request waits for, so that none is open when a flush has ended. hyper lets
  // them finish and keeps their connections.
  void GiveUpDials(Host& host, GivenUp why) {
    if (options_.dial_eagerly) return;
    while (host.dials.size() > host.waiters.size()) {
      const uint64_t dial = host.dials.back();
      host.dials.pop_back();
      dial_keys_.erase(dial);
      cancel_dial_(dial, why);
    }
  }

  // Measures how long the first waiter has been first.
  void WatchPatience(const Key& key, Host& host) {
    if (host.waiters.empty()) {
      host.patience.Cancel();
      host.patient = 0;
      return;
    }
    if (host.patient == host.waiters.front().id) return;
    host.patient = host.waiters.front().id;
    SetPatience(key, host, Patience(host));
  }

  absl::Duration Patience(const Host& host) const {
    if (options_.share_patience.has_value()) return *options_.share_patience;
    return std::max(kShortQueue, host.last_dial.value_or(kPatienceAtFirst));
  }
  // Returns whether the first waiter's impatience may begin a dial. A dial that is under way serves it no
  // later than a new one.
  bool MayDialForPatience(const Host& host) const {
    if (host.dials.size() >= host.waiters.size()) return false;
    if (host.open + host.dials.size() >= static_cast<size_t>(options_.max_connections_per_host)) return false;
    if (Failing(host)) return host.dials.empty();
    // While no connection is open, a third dial would most likely fare like the first two.
    return options_.share_patience.has_value() || host.open > 0 || host.dials.size() < 2;
  }
  void SetPatience(const Key& key, Host& host, absl::Duration patience) {
    host.patience = Alarm(clock_, patience, [this, key] { OnPatienceOver(key); });
  }

  void OnPatienceOver(const Key& key) {
    Host& host = hosts_[key];
    if (host.waiters.empty()) return;
    // The next connection is dialled when the first waiter has waited as long again.
    absl::Duration again = Patience(host);
    if (MayDialForPatience(host)) {
      Begin(key, host);
    } else {
      again = std::max(again, kPatienceAtFirst);
    }
    host.patient = host.waiters.front().id;
    SetPatience(key, host, again);
  }

  Clock& clock_;
  const ClientOptions& options_;
  ConnectionCounts& counts_;
  StartDial start_dial_;
  CancelDial cancel_dial_;
  std::map<Key, Host> hosts_;  // ordered, so that no hash decides what is closed first
  std::map<uint64_t, DialOrigin> dial_keys_;
  uint64_t next_id_ = 1;
  int64_t epoch_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_POOL_H_
