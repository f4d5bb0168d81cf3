// Makes log entries of telemetry records: decides which text, level and invocation a line has, and whether it is sent.
//
//   LogProcessor processor(std::move(options), [&](const LogEntry& entry) { ... });
//   processor.Take(record);          // each record, in the order of arrival
//   processor.ReleaseHeld();         // at the end
//
// A line belongs to the request that its record names; else to the recent invocation that its text names where
// runtimes do that; else to the last one that began, whether it is over or not. Lines that come before the first
// invocation wait for it: they are about its environment. On managed instances, where many invocations run at once,
// only the record itself tells.
//
// One thread. The sink is called within the call that causes it.

#ifndef THAW_CC_LOGS_LOG_PROCESSOR_H_
#define THAW_CC_LOGS_LOG_PROCESSOR_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/base/byte_account.h"
#include "cc/base/declare_counts.h"
#include "cc/logs/durable_lines.h"
#include "cc/logs/held_logs.h"
#include "cc/logs/log_entry.h"
#include "cc/logs/log_text.h"
#include "cc/logs/out_of_memory.h"
#include "cc/logs/processing_rules.h"
#include "cc/logs/recent_invocations.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

struct LogProcessorOptions {
  ProcessingRules rules;
  // Many invocations run at once: none is the current one.
  bool concurrent = false;
  // Limits the lines that wait for the first invocation, in bytes and in the time between the oldest of them and a
  // new one. Beyond it they are sent without a request.
  size_t most_held_bytes = size_t{256} << 10;
  absl::Duration most_held_time = absl::Minutes(5);
  // Limits the invocations of a durable function whose lines wait for their execution; 0: none waits.
  size_t most_durable_invocations = 5;
  // The account that held lines are charged to; may be null, and must outlive the processor.
  ByteAccount* account = nullptr;
};

// X(name, what it counts)
#define THAW_LOG_PROCESSOR_COUNTS(X)                                                       \
  X(lines, "lines of the function, of extensions and of the platform that were passed on") \
  X(left_out, "lines that a rule left out")                                                \
  X(masked, "lines in which a rule masked something")                                      \
  X(dropped_unmasked, "lines dropped because a rule that has to mask them can't be used")  \
  X(own_lines, "lines of this extension of no importance to others, left out")             \
  X(without_text, "log records that are neither a text nor an object, left out")           \
  X(no_memory, "large lines for whose processing there was no memory, left out")           \
  X(held, "lines that waited for the first invocation")                                    \
  X(without_request, "lines that were passed on without a request")                        \
  X(out_of_memory, "invocations of which a line said that memory was exhausted")

struct LogProcessorCounts {
  THAW_DECLARE_COUNTS(THAW_LOG_PROCESSOR_COUNTS)
};

class LogProcessor {
 public:
  using Sink = absl::AnyInvocable<void(const LogEntry&)>;
  using OnOutOfMemory = absl::AnyInvocable<void(std::string_view request_id, absl::Time time)>;

  LogProcessor(LogProcessorOptions options, Sink sink);
  LogProcessor(const LogProcessor&) = delete;
  LogProcessor& operator=(const LogProcessor&) = delete;

  // Sets a function that is called for each invocation of which a line says that memory was exhausted.
  void set_on_out_of_memory(OnOutOfMemory on_out_of_memory) {
    on_out_of_memory_ = std::move(on_out_of_memory);
  }

  void Take(const TelemetryRecord& record);
  // Takes the tracer's account of the execution that an invocation belongs to. Ids and texts are not escaped.
  void OnExecution(std::string_view request_id, ExecutionFacts facts);
  // Passes on the lines that wait for an invocation or its execution, without them.
  void ReleaseHeld();

  // Returns the number of lines that wait for an invocation or its execution.
  size_t waiting() const { return held_.size() + durable_.size(); }
  const LogProcessorCounts& counts() const { return counts_; }

 private:
  void TakePlatform(const TelemetryRecord& record);
  void TakeLine(absl::Time time, std::string_view json, bool of_function);
  // Does the same, and leaves it to TakeLine to free the reader's memory.
  void TakeText(absl::Time time, std::string_view json, bool of_function);
  void TakePlatformLine(absl::Time time, std::string_view request_id, std::string_view text, LogStatus status,
                        LogKind kind = LogKind::kLine);
  std::string_view RequestOf(const LogText& line, bool of_function) const;
  // Returns whether the line is one of this extension that nobody else needs; otherwise sets its level.
  static bool IsOwnDetail(LogText& line);
  void LookForOutOfMemory(const LogText& line, std::string_view request_id, absl::Time time);
  // Applies the rules and passes the entry on, or holds it.
  void Pass(LogEntry entry);
  // Applies the rules. Returns false if the line is left out; otherwise `text` may be the entry's.
  bool ApplyRules(LogEntry& entry, std::string_view& text);
  // Frees the memory that a large line needed.
  void ReleaseLarge();
  void Hold(const LogEntry& entry);
  void EmitHeld(std::string_view request_id);
  // Counts a line and passes it on, or holds it for its execution.
  void Emit(const LogEntry& entry);

  LogProcessorOptions options_;
  Sink sink_;
  LogTextReader reader_;
  OutOfMemoryDetector out_of_memory_;
  OnOutOfMemory on_out_of_memory_;
  RecentInvocations invocations_;
  HeldLogs held_;
  DurableLines durable_;
  ByteCharge charge_;   // for the next two, while they are large
  std::string text_;    // of a line, in one piece
  std::string masked_;  // after rules
  LogProcessorCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_LOG_PROCESSOR_H_
