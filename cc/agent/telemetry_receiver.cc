#include "cc/agent/telemetry_receiver.h"

#include <utility>

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
  TelemetryBatch batch = DecodeTelemetry(request.body, clock_.Now().wall,
                                         [this](TelemetryRecord&& record) { on_record_(std::move(record)); });
  counts_ += batch.counts;
  if (first_problem_.empty()) first_problem_ = std::move(batch.first_problem);
  if (on_batch_) on_batch_();
  reply.Set(200, kTextType, "OK");
}

}  // namespace thaw
