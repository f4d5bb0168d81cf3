// What a local HTTP server puts up with.

#ifndef THAW_CC_AGENT_HTTP_SERVER_OPTIONS_H_
#define THAW_CC_AGENT_HTTP_SERVER_OPTIONS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"

namespace thaw {

struct HttpServerOptions {
  // Beyond it the connection gives way that has stood still longest.
  int max_connections = 256;
  size_t max_head_bytes = 64 << 10;
  // Of all requests together that are coming in and don't fit into the connections' buffers; small ones may
  // take an eighth more. Beyond it the request gives way that has stood still longest, or, if none does, the
  // one that needs more: 429.
  size_t max_incoming_bytes = 128 << 20;
  // What they are charged to, and what they are decoded to; null: nothing. Must outlive the server.
  ByteAccount* account = nullptr;
  // Active time without a request until a connection is closed; up to a quarter more. Long, since a client
  // that does not find out in time sends its next request into the void.
  absl::Duration idle_timeout = absl::Minutes(5);
  // From a request's first byte until its head is whole, then until its body is.
  absl::Duration head_timeout = absl::Seconds(10);
  absl::Duration body_timeout = absl::Seconds(60);
  // For the client to take an answer.
  absl::Duration write_timeout = absl::Seconds(10);
  // For a TaskHandler.
  absl::Duration handler_timeout = absl::Seconds(30);
  // For reading what still comes of a request that was refused.
  absl::Duration linger_timeout = absl::Seconds(2);
  // After a resume no connection is closed for being idle, and no request is given up.
  absl::Duration resume_grace = absl::Seconds(1);

  // A body with a longer Content-Length finds no room even alone: its buffer grows as it comes, and while one
  // is copied into a larger one there are both.
  size_t largest_body_bytes() const { return max_incoming_bytes / 3 * 2; }

  // InvalidArgument names the field and the value.
  absl::Status Validate() const;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_HTTP_SERVER_OPTIONS_H_
