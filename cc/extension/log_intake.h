// Makes log entries of telemetry records, by the configuration's rules, and hands them to the pipeline of
// logs.
//
//   LogIntake logs({.processing = std::move(processing), .facts = facts}, pipelines);
//   takers.Add("logs", [&](const TelemetryRecord& record) { logs.Take(record); });
//   logs.HandOver(last);   // at the beginning of each flush
//
// Lines become entries of a batch as they come. A full batch is compressed at once, so that little is left to
// do at the end of an invocation; it waits for the next flush (ready_logs.h). All batches count against the
// budget of bytes. Where batches were dropped, a line that is added to their invocation says how many lines
// are missing.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_LOG_INTAKE_H_
#define THAW_CC_EXTENSION_LOG_INTAKE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/extension/pipelines.h"
#include "cc/extension/ready_logs.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/flushable.h"
#include "cc/flush/log_flusher.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/logs/log_batch.h"
#include "cc/logs/log_entry.h"
#include "cc/logs/log_processor.h"
#include "cc/telemetry/telemetry_records.h"
#include "cc/trace/span_view.h"

namespace thaw {

// X(name, what it counts)
#define THAW_LOG_INTAKE_COUNTS(X)                                                        \
  X(batches, "batches that were handed over")                                            \
  X(entries, "lines in them")                                                            \
  X(cut, "lines that were cut, since the intake takes no longer ones")                   \
  X(flooded, "lines dropped because their invocation wrote more than there is room for") \
  X(turned_away, "lines dropped because data that could not be delivered leave no room for them")

struct LogIntakeCounts {
  THAW_DECLARE_COUNTS(THAW_LOG_INTAKE_COUNTS)
};

struct LogIntakeOptions {
  LogProcessorOptions processing;
  FunctionFacts facts;
};

class LogIntake {
 public:
  // `pipelines` must outlive the intake and have a pipeline of logs.
  LogIntake(LogIntakeOptions options, Pipelines& pipelines);
  LogIntake(const LogIntake&) = delete;
  LogIntake& operator=(const LogIntake&) = delete;

  // Sets a function that is called for each invocation of which a line says that memory was exhausted.
  void set_on_out_of_memory(LogProcessor::OnOutOfMemory on_out_of_memory) {
    processor_.set_on_out_of_memory(std::move(on_out_of_memory));
  }

  void Take(const TelemetryRecord& record);
  // Takes a tracer's span of an invocation: that of a durable function names the execution.
  void OnInvocationSpan(const SpanView& span);
  // Hands all lines that were taken so far to the pipeline; if `last`, also lines that wait for an
  // invocation's id.
  void HandOver(bool last);

  // Returns the number of lines that came since the last HandOver(), or that wait for their invocation.
  int64_t not_handed_over() const {
    return open_.entries + ready_.lines() + static_cast<int64_t>(processor_.waiting());
  }

  const LogIntakeCounts& counts() const { return counts_; }
  const LogProcessorCounts& processor_counts() const { return processor_.counts(); }

 private:
  void Add(const LogEntry& entry);
  void SetTags();
  // Compresses the open batch.
  void CloseBatch();
  // Adds a line to the open batch for each invocation whose lines were dropped.
  void TellOfMissing();
  // Hands one batch to the pipeline.
  void HandOver(LogBatch batch);
  void HandOver(ReadyLogs::Batch batch);
  // Returns ResourceExhausted if the outbox has no room for so many bytes without evicting anything.
  absl::Status RoomFor(size_t bytes) const;
  void CountHandedOver(int64_t lines, const absl::Status& added);
  void CountTurnedAway(int64_t lines, const absl::Status& why);

  Pipelines& pipelines_;
  // Calls to the flusher that is switched on: that of the intake, or that of an Observability Pipelines
  // worker.
  std::function<absl::StatusOr<std::vector<EncodedRequest>>(LogBatch)> encode_part_;
  std::function<absl::Status(std::vector<EncodedRequest>)> add_parts_;
  std::function<absl::Status(LogBatch)> add_;
  std::function<size_t(const EncodedRequest&)> bytes_of_;
  const Flushable* flusher_ = nullptr;

  FunctionFacts facts_;
  LogEntryWriter writer_;
  LogBatch open_;
  std::string open_request_id_;
  bool open_is_mixed_ = false;
  ByteCharge open_charge_;
  absl::Time last_time_;  // of the last line
  LogIntakeCounts counts_;
  ReadyLogs ready_;
  LogProcessor processor_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_LOG_INTAKE_H_
