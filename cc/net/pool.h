// Decides which request gets which connection: keeping, sharing, dialling, expiry, resume. Knows nothing of
// HTTP or TLS.
//
//   Pool<Destination, HttpConnection, ExchangeFailure> pool(clock, options, counts, std::move(start_dial),
//                                                           std::move(cancel_dial));
//   const auto id = pool.Acquire(destination, Want::kAny, [](auto acquired) { ... });
//   pool.Release(std::move(lease), /*reusable=*/true);
//
// Connection needs:
//   bool open() const      whether the loop has seen no end so far; no system call
//   int slots() const      how many requests it may carry at once; a change of the number holds from the next
//                          lease or return on
//   bool CheckUsable()     checks, without waiting, that the peer neither closed it nor sent anything
//   void Close()
// A connection that dies tells the owners of its leases, and they return them; the pool does not.
//
// Rules, in the order they apply (docs/design.md has the reasons):
//   checkout   a leased connection with a free slot; else the idle one that was used last; closed, expired
//              and unusable connections are dropped on the way
//   waiting    in order; a slot that becomes free goes to the first waiter before its connection may be idle
//   dialling   the first request dials; more connections are dialled, up to the cap, while the waiters
//              outnumber the dials under way and (waiters / slots of open connections) x the last exchange's
//              time is longer than the last dial took. If an exchange's time is not known, or an exchange
//              takes long all the same, another is dialled when the first waiter has been first for as long
//              as a dial takes. With `share_patience` set, only when it has been first for that long
//   failing    a failed dial fails the first waiter only; until a dial succeeds again there is one dial at a
//              time, and each further failure fails all waiters
//   keeping    at most max_idle_per_host; a connection that comes back when there are that many is closed
//   resume     idle connections are kept, probed or drained; those in use at a resume drain
//   forgetting a destination without connections, dials and waiters is forgotten if no dial to it has ended;
//              otherwise the next flush needs to know how dials and exchanges went, and the pool remembers
//              the kRememberedHosts that were used last
//
// One thread. Callbacks run inside the call that causes them; they may call the pool again.

#ifndef THAW_CC_NET_POOL_H_
#define THAW_CC_NET_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/pool_connections.h"

namespace thaw {

// The connection that a request accepts.
enum class Want {
  kAny,
  kFresh,  // one that has carried no request
};

template <typename Key, typename Connection, typename DialFailure>
class Pool {
  struct Host;
  using Connections = PoolConnections<Connection>;
  using Place = typename Connections::Place;

 public:
  // The use of one slot of a connection.
  struct Lease {
    std::shared_ptr<Connection> connection;
    bool reused = false;      // it carried a request before
    absl::Duration idle_for;  // zero if it was fresh or shared
    int64_t epoch = 0;        // the epoch in which it was opened
    absl::Duration begun;     // when it was handed out, on the monotonic clock
    // The pool's own.
    Host* host = nullptr;
    Place place;
  };
  using Acquired = std::variant<Lease, DialFailure>;
  using OnAcquired = absl::AnyInvocable<void(Acquired)>;
  using WaiterId = uint64_t;

  struct Dialled {
    std::shared_ptr<Connection> connection;  // null: the dial failed
    std::optional<DialFailure> failure;
    std::optional<absl::Duration> took;  // unset: the next dial's time can't be told from this one
  };
  // Starts a dial; its result comes later, through OnDialled() with the same number.
  using StartDial = absl::AnyInvocable<void(const Key&, uint64_t dial)>;
  // The reason why no request waits for a dial any more.
  enum class CancelReason {
    kServed,  // other connections served the requests; says nothing of the destination
    // The requests were cancelled, possibly because this dial hangs, or the pool is closed.
    kCancelled,
  };
  using CancelDial = absl::AnyInvocable<void(uint64_t dial, CancelReason why)>;

  // Another connection does not pay if the queue or a dial takes less time than this.
  static constexpr absl::Duration kShortQueue = absl::Milliseconds(5);
  // The first waiter's patience while the time of a dial isn't known. It is also the interval of looking
  // again while no dial is allowed, so that a patience of zero does not keep the loop turning.
  static constexpr absl::Duration kPatienceAtFirst = absl::Milliseconds(50);
  // The number of destinations, those in use included, beyond which unused ones are forgotten.
  static constexpr size_t kRememberedHosts = 32;

  Pool(Clock& clock, const ClientOptions& options, ConnectionCounts& counts, StartDial start_dial,
       CancelDial cancel_dial)
      : clock_(clock),
        options_(options),
        counts_(counts),
        start_dial_(std::move(start_dial)),
        cancel_dial_(std::move(cancel_dial)) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Takes a free slot or an idle connection, or waits for one. `done` runs once, unless the waiter is
  // cancelled first.
  WaiterId Acquire(const Key& key, Want want, OnAcquired done);

  // Returns false if the waiter was served already.
  bool CancelWaiter(WaiterId id);

  // Takes the result of a dial. The connection of a dial that was cancelled is closed at once.
  void OnDialled(uint64_t dial, Dialled result);

  // Gives a lease back. `reusable`: the exchange ended so that another may follow. `answered`: the exchange
  // was answered, so that its time predicts the next one's.
  void Release(Lease lease, bool reusable) { Release(std::move(lease), reusable, reusable); }
  void Release(Lease lease, bool reusable, bool answered);

  // Tells the pool that the loop saw an idle connection's end.
  void OnIdleClosed(const Key& key, const Connection* connection);

  // Tells the pool that the environment was frozen and runs again. Connections now in use are not reused.
  void Resume();

  // Closes idle connections, drains those in use and forgets all waiters; their callbacks don't run.
  void Close();

  int64_t epoch() const { return epoch_; }
  int open(const Key& key) const {
    const auto found = hosts_.find(key);
    return found == hosts_.end() ? 0 : found->second.connections.open();
  }
  int open() const {
    return Sum([](const Host& host) { return host.connections.open(); });
  }
  int idle() const { return count(ConnectionState::kIdle); }
  int dialling() const { return count(ConnectionState::kDialling); }
  int count(ConnectionState state) const {
    return Sum([state](const Host& host) { return host.connections.count(state); });
  }
  int waiting() const {
    return Sum([](const Host& host) { return static_cast<int>(host.waiters.size()); });
  }
  // The number of destinations in use or remembered.
  size_t hosts() const { return hosts_.size(); }

 private:
  struct Waiter {
    WaiterId id;
    Want want;
    OnAcquired done;
  };
  using Waiters = std::deque<Waiter>;
  // One destination.
  struct Host {
    const Key* key = nullptr;  // owned by hosts_
    Connections connections;
    Waiters waiters;           // with ascending ids
    size_t fresh_waiters = 0;  // waiters that want a fresh one
    int failures = 0;          // dials that failed in a row
    std::optional<absl::Duration> last_dial;
    std::optional<absl::Duration> last_exchange;
    Alarm patience_alarm;
    WaiterId patience_owner = 0;  // the waiter whose patience is measured
    uint64_t unused_since = 0;    // the number that the next waiter or dial had then

    bool in_use() const { return !connections.empty() || !waiters.empty(); }
    bool known() const { return failures > 0 || last_dial.has_value() || last_exchange.has_value(); }
    size_t dials() const { return static_cast<size_t>(connections.dialling()); }
  };

  bool sharing() const { return options_.share_within_flush || options_.max_idle_per_host > 0; }

  template <typename Count>
  int Sum(Count count) const {
    int sum = 0;
    for (const auto& [key, host] : hosts_) sum += count(host);
    return sum;
  }

  Host& HostOf(const Key& key);
  // Ends an operation after which `host` may be unused: see ForgetUnused(). References to `host` are not
  // valid afterwards.
  void Leave(Host& host);
  // Forgets the unused hosts of which nothing is known, and those unused for the longest if there are too
  // many.
  void ForgetUnused();

  // Checkout.
  Lease LeaseSlot(Host& host, Place place, absl::Duration idle_for = absl::ZeroDuration());
  std::optional<Lease> TakeFreeSlot(Host& host);
  std::optional<Lease> TakeIdle(Host& host);
  absl::Duration Age(const ClockReading& since) const;
  void Hand(OnAcquired& done, Lease lease);

  // Waiters.
  OnAcquired TakeWaiter(Host& host, typename Waiters::iterator waiter);
  // Returns the first waiter that accepts a connection which has carried a request.
  typename Waiters::iterator FirstSharer(Host& host);
  void ServeWaiters(Host& host, Place place);

  // Closing and keeping.
  void Drop(Connection& connection);
  void Discard(Host& host, Place place);
  void DiscardLastIdle(Host& host) {
    Discard(host, std::prev(host.connections.in(ConnectionState::kIdle).end()));
  }
  void Keep(Host& host, Place place);
  void ResumeIdle(Host& host);

  // Dialling.
  void OnDialFailed(Host& host, DialFailure failure);
  void StartDials(Host& host);
  void BeginDial(Host& host);
  void StopDial(Host& host, Place place, CancelReason why);
  void StopUnneededDials(Host& host, CancelReason why);
  bool Failing(const Host& host) const;
  bool HasRoom(const Host& host) const;
  bool IsQueueLong(const Host& host) const;

  // The first waiter's patience.
  void WatchFirstWaiter(Host& host);
  void SetPatienceAlarm(Host& host, absl::Duration patience);
  absl::Duration PatienceFor(const Host& host) const;
  bool MayDialForPatience(const Host& host) const;
  void OnPatienceAlarm(Host& host);

  Clock& clock_;
  const ClientOptions& options_;
  ConnectionCounts& counts_;
  StartDial start_dial_;
  CancelDial cancel_dial_;
  std::map<Key, Host> hosts_;  // ordered, so that no hash decides what is closed first
  uint64_t next_id_ = 1;
  int64_t epoch_ = 0;
};

}  // namespace thaw

#include "cc/net/pool_dialling_impl.h"
#include "cc/net/pool_impl.h"

#endif  // THAW_CC_NET_POOL_H_
