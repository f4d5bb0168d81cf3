// Receives Lambda's telemetry: the listener on port 8999, which only the sandbox reaches.
//
//   const auto on_record = [&](const TelemetryRecord& record) { tracker.OnTelemetry(record); };
//   TelemetryReceiver receiver(executor, clock, on_record);
//   HttpServer server(executor, clock, {}, receiver.Routes());
//
// A batch is answered with 200 even if only parts of it could be read: Lambda redelivers refused batches, and
// bytes that could not be read once can't be read then. Without memory for it, the batch is answered with
// 429. A batch whose reading ends before all of it is read, at the server's deadline, is answered with 503 and
// comes again: the records that were passed on already are skipped then, so that each is passed on once.
//
// A small batch is read within its turn of the loop, and a larger one in steps, between which other work has its
// turn. Batches are read one after the other, in the order in which they came.
//
// One thread: the server's.

#ifndef THAW_CC_AGENT_TELEMETRY_RECEIVER_H_
#define THAW_CC_AGENT_TELEMETRY_RECEIVER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "cc/agent/http_route.h"
#include "cc/base/byte_account.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/line.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

class TelemetryReceiver {
 public:
  // Largest batch: far more than the largest that one can subscribe for.
  static constexpr size_t kMaxBatchBytes = 8 << 20;

  // `executor` and `clock` must outlive the receiver. Each record is passed on while its batch is read; then
  // `on_batch` is called, once for each batch. `account`: is charged with a batch that has to be repaired;
  // may be null, and must outlive the receiver.
  TelemetryReceiver(Executor& executor, const Clock& clock,
                    absl::AnyInvocable<void(TelemetryRecord&&)> on_record,
                    absl::AnyInvocable<void()> on_batch = nullptr, ByteAccount* account = nullptr)
      : executor_(executor),
        clock_(clock),
        on_record_(std::move(on_record)),
        on_batch_(std::move(on_batch)),
        account_(account),
        line_(executor) {}
  TelemetryReceiver(const TelemetryReceiver&) = delete;
  TelemetryReceiver& operator=(const TelemetryReceiver&) = delete;

  // The routes refer to the receiver.
  std::vector<HttpRoute> Routes();

  // Waits until the batches that have come by now are read.
  Task<void> WaitForWork();

  const TelemetryCounts& counts() const { return counts_; }
  // Says what was wrong with the first part that could not be read; empty if all could.
  const std::string& first_problem() const { return first_problem_; }

 private:
  // A batch of which only the beginning was read.
  struct CutBatch {
    size_t bytes = 0;     // of the beginning
    uint64_t hash = 0;    // of these bytes
    int64_t records = 0;  // that were passed on
  };
  // The number of such batches that are remembered; the oldest is forgotten first.
  static constexpr size_t kMaxCutBatches = 16;

  // Returns the beginning of `body` that was read when it came before, and forgets it; empty if there is none.
  CutBatch TakenBefore(std::string_view body);
  void RememberCut(CutBatch cut);
  void TakeAtOnce(HttpServerRequest& request, HttpReply& reply);
  // Reads large batches, and those that came behind one, one after the other.
  Task<void> Take(HttpServerRequest& request, HttpReply& reply, Cancellation& cancellation);
  // Returns whether all is read. Passes each record on but for the first `skipped`, and counts them in `records`.
  bool Step(TelemetryWork& work, int64_t bytes, int64_t skipped, int64_t& records);
  // Counts a batch that is read, and says so.
  void Finish(TelemetryWork& work);

  Executor& executor_;
  const Clock& clock_;
  absl::AnyInvocable<void(TelemetryRecord&&)> on_record_;
  absl::AnyInvocable<void()> on_batch_;
  ByteAccount* const account_;
  Line line_;
  TelemetryCounts counts_;
  std::string first_problem_;
  std::deque<CutBatch> cut_;
};

}  // namespace thaw

#endif  // THAW_CC_AGENT_TELEMETRY_RECEIVER_H_
