#include "cc/agent/telemetry_receiver.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cc/base/reserve.h"
#include "cc/base/utf8.h"
#include "cc/telemetry/json_elements.h"

namespace thaw {

namespace {

// Largest batch that is read within a turn of the loop: a full buffer of the subscription, and a record more.
constexpr size_t kAtOnceBytes = size_t{320} << 10;
// Work done in one turn of the loop on a larger one: one or two milliseconds.
constexpr int64_t kStepWork = int64_t{512} << 10;

}  // namespace

std::vector<HttpRoute> TelemetryReceiver::Routes() {
  std::vector<HttpRoute> routes;
  routes.push_back(
      {.path = "/",
       .methods = {"POST"},
       .max_body_bytes = kMaxBatchBytes,
       .handler = [this](HttpServerRequest& request, HttpReply& reply) { TakeAtOnce(request, reply); },
       .task_handler = [this](HttpServerRequest& request, HttpReply& reply,
                              Cancellation& cancellation) { return Take(request, reply, cancellation); }});
  return routes;
}

void TelemetryReceiver::TakeAtOnce(HttpServerRequest& request, HttpReply& reply) {
  if (request.body.size() > kAtOnceBytes) return reply.Defer();
  const bool is_utf8 = IsValidUtf8(request.body);
  ByteCharge charge(account_);
  if (!is_utf8 && !ChargeRepairs(request.body.size(), charge, reply)) return;
  TelemetryWork work(request.body, clock_.Now().wall, is_utf8);
  Step(work, kUnlimitedWork);
  Finish(work);
  reply.Set(200, kTextType, "OK");
}

Task<void> TelemetryReceiver::Take(HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation) {
  const Line::Place place = co_await line_.Enter();
  // Lambda delivers refused batches again. Records that it repeats are recognised.
  const auto cut_short = [&reply] { reply.Set(503, kTextType, "the request was cancelled"); };
  const std::string_view body = request.body;
  bool is_utf8 = true;
  for (size_t at = 0; is_utf8 && at < body.size();) {
    if (cancellation.requested()) co_return cut_short();
    const size_t end = Utf8Cut(body, std::min(body.size(), at + kStepWork));
    is_utf8 = IsValidUtf8(body.substr(at, end - at));
    at = end;
    co_await Turn(executor_);
  }
  ByteCharge charge(account_);
  if (!is_utf8 && !ChargeRepairs(body.size(), charge, reply)) co_return;
  TelemetryWork work(body, clock_.Now().wall, is_utf8);
  while (!Step(work, kStepWork)) {
    if (cancellation.requested()) co_return cut_short();
    co_await Turn(executor_);
  }
  Finish(work);
  reply.Set(200, kTextType, "OK");
}

bool TelemetryReceiver::ChargeRepairs(size_t body_bytes, ByteCharge& charge, HttpReply& reply) {
  if (body_bytes < kLargeAllocation) return true;
  // A byte may become three in the copy.
  if (charge.Grow(3 * body_bytes).ok() && CanAllocate(3 * body_bytes)) return true;
  reply.Set(429, kTextType, "there is no memory to repair the text");
  return false;
}

bool TelemetryReceiver::Step(TelemetryWork& work, int64_t bytes) {
  return work.Step(bytes, [this](TelemetryRecord&& record) { on_record_(std::move(record)); });
}

void TelemetryReceiver::Finish(TelemetryWork& work) {
  TelemetryBatch batch = work.Take();
  counts_ += batch.counts;
  if (first_problem_.empty()) first_problem_ = std::move(batch.first_problem);
  if (on_batch_) on_batch_();
}

}  // namespace thaw
