// Payloads that wait to be encoded, and which of them share a request.
//
//   while (!held.empty()) {
//     const absl::Span<const HeldPayload<TracePayload>> batch =
//         TakeBatch<TracePayload>(held, {.bytes = 5'000'000}, entries_of);
//     encode(batch, IdsOf(batch));
//   }
//
// Any thread, one at a time.

#ifndef THAW_CC_FLUSH_HELD_PAYLOAD_H_
#define THAW_CC_FLUSH_HELD_PAYLOAD_H_

#include <cstddef>
#include <limits>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "cc/flush/encoded_request.h"

namespace thaw {

// A payload that waits to be encoded.
template <typename Payload>
struct HeldPayload {
  PayloadId id;
  Payload payload;
};

// Limits what shares a request, before compression.
struct BatchLimits {
  size_t bytes;
  size_t entries = std::numeric_limits<size_t>::max();
};

// Takes the payloads of the next request off the front of `held`: as many as the limits allow, and at least one,
// since a payload that is larger by itself is sent alone. `held` must not be empty.
template <typename Payload>
absl::Span<const HeldPayload<Payload>> TakeBatch(absl::Span<const HeldPayload<Payload>>& held,
                                                 const BatchLimits& limits,
                                                 absl::FunctionRef<size_t(const Payload&)> entries_of) {
  size_t count = 0, bytes = 0, entries = 0;
  for (const HeldPayload<Payload>& each : held) {
    bytes += each.payload.size();
    entries += entries_of(each.payload);
    if (count > 0 && (bytes > limits.bytes || entries > limits.entries)) break;
    ++count;
  }
  const absl::Span<const HeldPayload<Payload>> batch = held.first(count);
  held.remove_prefix(count);
  return batch;
}

template <typename Payload>
std::vector<PayloadId> IdsOf(absl::Span<const HeldPayload<Payload>> batch) {
  std::vector<PayloadId> ids;
  ids.reserve(batch.size());
  for (const HeldPayload<Payload>& each : batch) ids.push_back(each.id);
  return ids;
}

}  // namespace thaw

#endif  // THAW_CC_FLUSH_HELD_PAYLOAD_H_
