// Makes log entries of telemetry records, by the configuration's rules, and hands them to the pipeline of
// logs.
//
//   LogIntake logs({.processing = std::move(processing), .facts = facts}, pipelines);
//   takers.Add("logs", [&](const TelemetryRecord& record) { logs.Take(record); });
//   logs.HandOver(last);   // at the beginning of each flush
//
// Lines become entries of a batch as they come. A full batch is compressed at once, so that little is left to
// do at the end of an invocation; it waits for the next flush. All batches count against the budget of bytes.
// Batches that wait may fill a part of that budget, and are evicted for data of any other kind. The oldest
// batches of the invocation that writes most are dropped first and counted, and a line that is added to that
// invocation says how many lines are missing.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_LOG_INTAKE_H_
#define THAW_CC_EXTENSION_LOG_INTAKE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/extension/pipelines.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/flushable.h"
#include "cc/flush/log_flusher.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/logs/log_batch.h"
#include "cc/logs/log_entry.h"
#include "cc/logs/log_processor.h"
#include "cc/telemetry/telemetry_records.h"

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

class LogIntake : private ByteBudget::Holder {
 public:
  // `pipelines` must outlive the intake and have a pipeline of logs.
  LogIntake(LogIntakeOptions options, Pipelines& pipelines);
  LogIntake(const LogIntake&) = delete;
  LogIntake& operator=(const LogIntake&) = delete;
  ~LogIntake() override;

  // Sets a function that is called for each invocation of which a line says that memory was exhausted.
  void set_on_out_of_memory(LogProcessor::OnOutOfMemory on_out_of_memory) {
    processor_.set_on_out_of_memory(std::move(on_out_of_memory));
  }

  void Take(const TelemetryRecord& record);
  // Hands all lines that were taken so far to the pipeline; if `last`, also lines that wait for an
  // invocation's id.
  void HandOver(bool last);

  const LogIntakeCounts& counts() const { return counts_; }
  const LogProcessorCounts& processor_counts() const { return processor_.counts(); }

 private:
  // A batch that is compressed, and that no flush has tried to send.
  struct Ready {
    EncodedRequest request;
    int64_t entries = 0;
    size_t bytes = 0;
    std::string request_id;  // of all its lines; empty if they are of several invocations
  };

  void Add(const LogEntry& entry);
  void SetTags();
  // Compresses the open batch.
  void CloseBatch();
  // Drops batches until those that are ready fit into their part of the budget.
  void EndFlood();
  // Implements ByteBudget::Holder: batches that are ready are evicted before data that a flush tried to send.
  std::optional<uint64_t> OldestEvictable() const override;
  void EvictOldest() override;
  // Returns a batch's bytes to the budget when it leaves `ready_`.
  void Uncount(const Ready& ready);
  // Adds a line to the open batch for each invocation whose lines were dropped.
  void TellOfMissing();
  // Hands one batch to the pipeline.
  void HandOver(LogBatch batch);
  void HandOver(Ready batch);
  // Returns ResourceExhausted if the outbox has no room for so many bytes without evicting anything.
  absl::Status RoomFor(size_t bytes) const;
  void CountHandedOver(int64_t lines, const absl::Status& added);
  void CountTurnedAway(int64_t lines, const absl::Status& why);
  size_t most_ready_bytes() const;

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
  std::deque<Ready> ready_;  // the oldest first
  size_t ready_bytes_ = 0;
  std::map<std::string, int64_t> missing_;  // lines that were dropped, by request id
  absl::Time last_time_;                    // of the last line
  LogIntakeCounts counts_;
  LogProcessor processor_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_LOG_INTAKE_H_
