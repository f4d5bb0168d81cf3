// One request body as it goes over the wire, and whose data it holds.

#ifndef THAW_CC_FLUSH_ENCODED_REQUEST_H_
#define THAW_CC_FLUSH_ENCODED_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cc/net/http_message.h"

namespace thaw {

// What was handed over at once: one body of a tracer, one stats payload. Unique within a flusher.
using PayloadId = uint64_t;

struct EncodedRequest {
  std::string target;   // path and query, behind the endpoint's; empty: that is all of it
  HttpHeaders headers;  // without the API key, which the endpoint adds
  // Encoded and compressed. Shared by all endpoints and all resends, so that they are byte-identical.
  std::shared_ptr<const std::string> body;
  // Each payload that has a part in the body. A payload may have parts in several requests.
  std::vector<PayloadId> payloads;

  // Bytes of memory that it holds.
  size_t memory() const {
    size_t bytes = sizeof(*this) + target.capacity() + payloads.capacity() * sizeof(PayloadId);
    bytes += body == nullptr ? 0 : body->capacity();
    for (const auto& [name, value] : headers)
      bytes += sizeof(headers[0]) + name.capacity() + value.capacity();
    return bytes;
  }
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_ENCODED_REQUEST_H_
