#include "cc/agent/telemetry_receiver.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/hash/hash.h"
#include "cc/base/reserve.h"
#include "cc/base/utf8.h"
#include "cc/telemetry/json_elements.h"

namespace thaw {

namespace {

// Largest batch that is read within a turn of the loop.
constexpr size_t kAtOnceBytes = kLargeAllocation;
// Work done in one turn of the loop on a larger one: less than a millisecond, and 20 ms where rules mask every byte of
// its lines.
constexpr int64_t kStepWork = int64_t{64} << 10;

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
  // While a large batch is read, the ones behind it wait, so that records stay in their order.
  if (request.body.size() > kAtOnceBytes || line_.size() > 0) return reply.Defer();
  TelemetryWork work(request.body, clock_.Now().wall, IsValidUtf8(request.body));
  int64_t records = 0;
  Step(work, kUnlimitedWork, TakenBefore(request.body).records, records);
  Finish(work);
  reply.Set(200, kTextType, "OK");
}

Task<void> TelemetryReceiver::Take(HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation) {
  const Line::Place place = co_await line_.Enter();
  // Lambda delivers refused batches again.
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
  // A byte may become three in the copy.
  const size_t copy = is_utf8 ? 0 : 3 * body.size();
  ByteCharge charge(account_);
  if (!charge.Grow(copy).ok() || !CanAllocate(copy))
    co_return reply.Set(429, kTextType, "there is no memory to repair the text");
  TelemetryWork work(body, clock_.Now().wall, is_utf8);
  const CutBatch before = TakenBefore(body);
  int64_t records = 0;
  while (!Step(work, kStepWork, before.records, records)) {
    if (cancellation.requested()) {
      const std::string_view done = body.substr(0, work.done_bytes());
      RememberCut(records > before.records
                      ? CutBatch{.bytes = done.size(), .hash = absl::HashOf(done), .records = records}
                      : before);
      co_return cut_short();
    }
    co_await Turn(executor_);
  }
  Finish(work);
  reply.Set(200, kTextType, "OK");
}

Task<void> TelemetryReceiver::WaitForWork() {
  if (line_.size() == 0) co_return;
  const Line::Place place = co_await line_.Enter();
}

bool TelemetryReceiver::Step(TelemetryWork& work, int64_t bytes, int64_t skipped, int64_t& records) {
  return work.Step(bytes, [this, skipped, &records](TelemetryRecord&& record) {
    if (++records > skipped) on_record_(std::move(record));
  });
}

TelemetryReceiver::CutBatch TelemetryReceiver::TakenBefore(std::string_view body) {
  for (auto cut = cut_.begin(); cut != cut_.end(); ++cut) {
    // The same records may come with more behind them.
    if (cut->bytes > body.size() || absl::HashOf(body.substr(0, cut->bytes)) != cut->hash) continue;
    const CutBatch found = *cut;
    cut_.erase(cut);
    return found;
  }
  return {};
}

void TelemetryReceiver::RememberCut(CutBatch cut) {
  if (cut.records == 0) return;
  if (cut_.size() == kMaxCutBatches) cut_.pop_front();
  cut_.push_back(cut);
}

void TelemetryReceiver::Finish(TelemetryWork& work) {
  TelemetryBatch batch = work.Take();
  counts_ += batch.counts;
  if (first_problem_.empty()) first_problem_ = std::move(batch.first_problem);
  if (on_batch_) on_batch_();
}

}  // namespace thaw
