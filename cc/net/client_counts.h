// Counts of everything that can happen to a client, each declared once.
//
// One list defines the struct and the names, so that a count cannot exist without being listed.
// Tests assert on counts and not on log text. One thread writes; other threads get a copy through that
// thread's executor.

#ifndef THAW_CC_NET_CLIENT_COUNTS_H_
#define THAW_CC_NET_CLIENT_COUNTS_H_

#include "cc/base/declare_counts.h"
#include "cc/base/histogram.h"
#include "cc/net/exchange_failure.h"

namespace thaw {

// X(name, what it counts)
#define THAW_CONNECTION_COUNTS(X)                                                                    \
  X(dials, "connections that were begun")                                                            \
  X(opened, "connections that became usable (through TLS where there is TLS)")                       \
  X(dial_failed, "connections that failed before they were usable")                                  \
  X(closed, "connections closed by us")                                                              \
  X(reused, "requests given to a connection that had been idle")                                     \
  X(shared, "requests given to a connection straight after another request, without its being idle") \
  X(dropped_not_usable, "idle connections found unusable by the check before reuse")                 \
  X(dropped_expired, "idle connections older than idle_timeout")                                     \
  X(dropped_over_limit, "connections not kept because max_idle_per_host were idle already")          \
  X(dropped_epoch, "connections closed because of a resume")                                         \
  X(dropped_peer_closed, "idle connections whose end the loop saw")                                  \
  X(tls_full, "full TLS handshakes")                                                                 \
  X(tls_resumed, "resumed TLS handshakes")                                                           \
  X(tls_tickets, "TLS session tickets received")                                                     \
  X(resumes, "returns from a freeze that the client was told of")                                    \
  X(crossed, "exchanges that were open at a resume")                                                 \
  X(open_at_next, "exchanges open when the environment was given up to a freeze")                    \
  X(name_lookups, "names asked of the resolver")                                                     \
  X(name_cache_hits, "names answered from the cache")                                                \
  X(name_stale_answers, "expired names used because the resolver failed")

// X(name, what it measures)
#define THAW_CONNECTION_HISTOGRAMS(X) \
  X(handshake_time,                   \
    "time that a successful TLS handshake with a destination took, unless a freeze fell into it")

// X(name, what it counts), and the failures by their class
#define THAW_EXCHANGE_COUNTS(X)                                                    \
  X(requests, "requests given to the client")                                      \
  X(attempts, "tries that were counted against max_attempts")                      \
  X(accepted, "requests answered with a complete 2xx head")                        \
  THAW_RETRY_CLASSES(X)                                                            \
  X(possible_duplicates, "requests sent again after the peer may have taken them") \
  X(bytes_sent, "bytes given to the transport, TLS included")                      \
  X(bytes_received, "bytes taken from the transport, TLS included")

struct ConnectionCounts {
  THAW_DECLARE_COUNTS(THAW_CONNECTION_COUNTS)
  THAW_DECLARE_HISTOGRAMS(THAW_CONNECTION_HISTOGRAMS)
};

struct ExchangeCounts {
  THAW_DECLARE_COUNTS(THAW_EXCHANGE_COUNTS)
  THAW_DECLARE_COUNTS_BY(RetryClass, THAW_RETRY_CLASSES)
};

// The counts of one client.
struct ClientCounts {
  ConnectionCounts connection;
  ExchangeCounts exchange;
};

}  // namespace thaw

#endif  // THAW_CC_NET_CLIENT_COUNTS_H_
