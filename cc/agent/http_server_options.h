// The limits of a local HTTP server.

#ifndef THAW_CC_AGENT_HTTP_SERVER_OPTIONS_H_
#define THAW_CC_AGENT_HTTP_SERVER_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"

namespace thaw {

struct HttpServerOptions {
  // Largest number of connections. Beyond it the one that has stood still longest is closed.
  int max_connections = 256;
  size_t max_head_bytes = 64 << 10;
  // Largest total of incoming requests that don't fit into the connections' buffers; small ones may take an
  // eighth more. Beyond it the request that has stood still longest is given up or, if none stands still, the
  // one that needs more room: 429.
  size_t max_incoming_bytes = 128 << 20;
  // The account for such requests and for decoded bodies; null: none. Must outlive the server.
  ByteAccount* account = nullptr;
  // Active time without a request until a connection is closed; up to a quarter more. The time is long
  // because a client that misses the close loses its next request.
  absl::Duration idle_timeout = absl::Minutes(5);
  // Time from a request's first byte until its head is complete, then until its body is.
  absl::Duration head_timeout = absl::Seconds(10);
  absl::Duration body_timeout = absl::Seconds(60);
  // Time for the client to receive an answer.
  absl::Duration write_timeout = absl::Seconds(10);
  // Time for a TaskHandler.
  absl::Duration handler_timeout = absl::Seconds(30);
  // Time for reading the rest of a request that was refused.
  absl::Duration linger_timeout = absl::Seconds(2);
  // Time after a resume in which no connection is closed for being idle, and no request is given up.
  absl::Duration resume_grace = absl::Seconds(1);

  // Returns the longest Content-Length for which there can be room: a body's buffer grows as the body comes,
  // and while it is copied into a larger one both exist.
  size_t largest_body_bytes() const { return max_incoming_bytes / 3 * 2; }

  // InvalidArgument names the field and the value.
  absl::Status Validate() const;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_OPTIONS_H_
