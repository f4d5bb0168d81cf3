#include "cc/agent/telemetry_receiver.h"

#include <utility>

#include "cc/base/reserve.h"
#include "cc/base/utf8.h"

namespace thaw {

std::vector<HttpRoute> TelemetryReceiver::Routes() {
  std::vector<HttpRoute> routes;
  routes.push_back(
      {.path = "/",
       .methods = {"POST"},
       .max_body_bytes = kMaxBatchBytes,
       .handler = [this](HttpServerRequest& request, HttpReply& reply) { Take(request, reply); }});
  return routes;
}

void TelemetryReceiver::Take(HttpServerRequest& request, HttpReply& reply) {
  ByteCharge charge(account_);
  // A batch that is not UTF-8 is copied, and a byte may become three in the copy.
  const bool is_large = request.body.size() >= kLargeAllocation;
  const size_t copy = is_large && !IsValidUtf8(request.body) ? 3 * request.body.size() : 0;
  if (!charge.Grow(copy).ok() || !CanAllocate(copy))
    return reply.Set(429, kTextType, "there is no memory to repair the text");
  TelemetryBatch batch = DecodeTelemetry(request.body, clock_.Now().wall,
                                         [this](TelemetryRecord&& record) { on_record_(std::move(record)); });
  counts_ += batch.counts;
  if (first_problem_.empty()) first_problem_ = std::move(batch.first_problem);
  if (on_batch_) on_batch_();
  reply.Set(200, kTextType, "OK");
}

}  // namespace thaw
