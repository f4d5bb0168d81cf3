// Connections to one destination, each in the list of its state.
//
//   PoolConnections<HttpConnection> connections;
//   const auto place = connections.Add(dial, epoch);       // dialling
//   place->connection = std::move(connection);
//   connections.TakeSlot(place);                           // leased
//   connections.ReturnSlot(place);                         // leased still, with one request less
//   connections.Move(place, ConnectionState::kIdle);
//
// A place stays valid until Remove(). Counts follow from the lists. One thread.

#ifndef THAW_CC_NET_POOL_CONNECTIONS_H_
#define THAW_CC_NET_POOL_CONNECTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>

#include "cc/clock/clock.h"

namespace thaw {

// The state of a pool's connection. A connection that is closed leaves the pool.
enum class ConnectionState {
  kDialling,  // the dial has not ended
  kLeased,    // used by at least one request; others may join it while a slot is free
  kIdle,      // open and used by no request
  kDraining,  // used by at least one request; no other may join it, and the last one's return closes it
};
inline constexpr int kConnectionStates = 4;

template <typename Connection>
class PoolConnections {
 public:
  struct Entry {
    uint64_t dial;  // the number of the dial that opens it
    int64_t epoch;  // the epoch in which the dial began, or the connection was last idle at a resume
    std::shared_ptr<Connection> connection;  // null while it is dialled
    int leases = 0;
    bool used = false;        // it carries or has carried a request
    ClockReading idle_since;  // of the last time that it became idle
    ConnectionState state = ConnectionState::kDialling;
  };
  using List = std::list<Entry>;
  using Place = typename List::iterator;

  Place Add(uint64_t dial, int64_t epoch) {
    List& dialling = in(ConnectionState::kDialling);
    return dialling.insert(dialling.end(), Entry{.dial = dial, .epoch = epoch});
  }

  // Returns the connections in `state`, in the order in which they came into it; but leased connections with
  // a free slot come before the others.
  List& in(ConnectionState state) { return lists_[static_cast<size_t>(state)]; }
  const List& in(ConnectionState state) const { return lists_[static_cast<size_t>(state)]; }

  int count(ConnectionState state) const { return static_cast<int>(in(state).size()); }
  int dialling() const { return count(ConnectionState::kDialling); }
  // The number of connections that were opened and not closed.
  int open() const {
    return count(ConnectionState::kLeased) + count(ConnectionState::kIdle) +
           count(ConnectionState::kDraining);
  }
  bool empty() const { return open() + dialling() == 0; }
  // The sum of the slots of all open connections.
  int open_slots() const {
    int slots = 0;
    for (const ConnectionState state :
         {ConnectionState::kLeased, ConnectionState::kIdle, ConnectionState::kDraining}) {
      for (const Entry& entry : in(state)) slots += entry.connection->slots();
    }
    return slots;
  }

  // Puts a connection at the end of the list of `state`.
  void Move(Place place, ConnectionState state) { Splice(place, state, in(state).end()); }

  // Lets no other request join the leased connections.
  void DrainLeased() {
    List& leased = in(ConnectionState::kLeased);
    while (!leased.empty()) Move(leased.begin(), ConnectionState::kDraining);
  }

  // Counts one more request on a connection, which thereby is leased. If it is draining, it stays so.
  void TakeSlot(Place place) {
    ++place->leases;
    place->used = true;
    if (place->state != ConnectionState::kDraining) OrderLeased(place);
  }
  // Counts one request less. The connection stays in its state, even if that was its last request.
  void ReturnSlot(Place place) {
    --place->leases;
    if (place->state == ConnectionState::kLeased) OrderLeased(place);
  }
  static bool has_free_slot(const Entry& entry) { return entry.leases < entry.connection->slots(); }

  // Takes a connection out and returns it; null if it was being dialled.
  std::shared_ptr<Connection> Remove(Place place) {
    std::shared_ptr<Connection> connection = std::move(place->connection);
    in(place->state).erase(place);
    return connection;
  }

 private:
  void OrderLeased(Place place) {
    List& leased = in(ConnectionState::kLeased);
    Splice(place, ConnectionState::kLeased, has_free_slot(*place) ? leased.begin() : leased.end());
  }
  void Splice(Place place, ConnectionState state, Place before) {
    in(state).splice(before, in(place->state), place);
    place->state = state;
  }

  std::array<List, kConnectionStates> lists_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_POOL_CONNECTIONS_H_
