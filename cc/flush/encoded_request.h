// One request body as it is sent, and the payloads whose data it holds.

#ifndef THAW_CC_FLUSH_ENCODED_REQUEST_H_
#define THAW_CC_FLUSH_ENCODED_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cc/net/http_message.h"

namespace thaw {

// Identifies what was handed over at once (one body of a tracer, one stats payload). Unique within a flusher.
using PayloadId = uint64_t;

struct EncodedRequest {
  std::string_view method = "POST";  // a constant
  std::string target;                // path and query, appended to the endpoint's; may be empty
  HttpHeaders headers;               // without the API key, which is added when it is sent
  // Encoded and compressed. All endpoints and resends share it, so that they are byte-identical.
  std::shared_ptr<const std::string> body;
  // The payloads that have a part in the body. A payload may have parts in several requests.
  std::vector<PayloadId> payloads;

  // The bytes of memory that the request holds.
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
