// The events counted by a local HTTP server, declared once.

#ifndef THAW_CC_AGENT_HTTP_SERVER_COUNTS_H_
#define THAW_CC_AGENT_HTTP_SERVER_COUNTS_H_

#include <cstdint>

#include "cc/base/declare_counts.h"

namespace thaw {

// X(name, what it counts)
#define THAW_HTTP_SERVER_COUNTS(X)                                                           \
  X(accepted, "connections taken in")                                                        \
  X(accept_failed, "tries to take one in that failed, for want of descriptors for example")  \
  X(held_at_limit, "connections that waited because none could be closed to make room")      \
  X(requests, "requests with a whole head")                                                  \
  X(handled, "requests given to a handler")                                                  \
  X(answered, "answers that the connection took whole, refusals included")                   \
  X(refused_not_http, "400: bytes that are no HTTP/1.1")                                     \
  X(refused_cut, "400: bodies whose connection ended before they did")                       \
  X(refused_not_found, "404: no such route")                                                 \
  X(refused_method, "405: the route has other methods")                                      \
  X(refused_timeout, "408: a head or body that took too long")                               \
  X(gave_way, "408: requests and answers that stood still while others needed their room")   \
  X(refused_too_large, "413: a body over its route's limit, as sent or decoded")             \
  X(refused_coding, "415: a Content-Encoding that isn't known")                              \
  X(refused_undecodable, "400: a body that isn't of its Content-Encoding")                   \
  X(refused_incoming, "429: too many bytes of bodies coming in at once")                     \
  X(refused_head, "431: a head over the limit")                                              \
  X(refused_transfer_coding, "501: a Transfer-Encoding that isn't known")                    \
  X(refused_slow_handler, "503: a task that didn't answer in time")                          \
  X(bodies_left_out, "requests given to a handler without their body, which was too large")  \
  X(bodies_decoded, "bodies that came in gzip or zstd")                                      \
  X(continued, "100s sent to clients that waited for one")                                   \
  X(closed_idle, "connections closed for being idle")                                        \
  X(closed_for_room, "idle connections closed at the limit")                                 \
  X(closed_by_peer, "connections that the client ended between requests")                    \
  X(client_lost, "connections that the client ended or reset within a request or an answer") \
  X(write_timeouts, "connections closed because the client didn't read")                     \
  X(woken_when_closing, "idle connections that were to be closed and had bytes waiting")     \
  X(resumes, "returns from a freeze that the server was told of")

struct HttpServerCounts {
  THAW_DECLARE_COUNTS(THAW_HTTP_SERVER_COUNTS)
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_COUNTS_H_
