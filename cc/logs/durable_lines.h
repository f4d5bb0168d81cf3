// Adds to the lines of a durable function the execution that their invocation belongs to. Only the tracer's span at
// the end of an invocation names it, so that lines wait for it.
//
//   DurableLines lines({.most_invocations = 5});
//   lines.Take(entry, emit);                       // at once, unless the function is durable
//   lines.set_durable();
//   lines.OnExecution(request_id, {.id = id, .name = name}, emit);
//   lines.Release(emit);                           // at the end: lines go without an execution
//
// Bounded in invocations and bytes: the lines of the oldest invocation go without an execution. A line that names its
// execution itself, or has no invocation, waits for nothing.
//
// One thread. The sink is called within the call that causes it.

#ifndef THAW_CC_LOGS_DURABLE_LINES_H_
#define THAW_CC_LOGS_DURABLE_LINES_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "cc/base/byte_account.h"
#include "cc/logs/held_logs.h"
#include "cc/logs/log_entry.h"

namespace thaw {

struct DurableLinesOptions {
  // Limits the invocations whose lines wait; 0: none waits.
  size_t most_invocations = 5;
  // Limits the lines of an invocation that wait.
  size_t most_bytes = size_t{256} << 10;
  // The account that held lines are charged to; may be null, and must outlive the lines.
  ByteAccount* account = nullptr;
};

// The tracer's account of an execution, as written inside a JSON string.
struct ExecutionFacts {
  std::string id;
  std::string name;
  std::string status;
  std::optional<bool> first_invocation;
};

class DurableLines {
 public:
  using Emit = absl::FunctionRef<void(const LogEntry&)>;

  explicit DurableLines(DurableLinesOptions options) : options_(options) {}
  DurableLines(const DurableLines&) = delete;
  DurableLines& operator=(const DurableLines&) = delete;

  // The runtime is that of durable functions.
  void set_durable() { durable_ = true; }
  // Passes the line to `emit`, or holds it.
  void Take(const LogEntry& entry, Emit emit);
  // Takes the execution of an invocation, and passes on the lines that waited for it.
  void OnExecution(std::string_view request_id, ExecutionFacts facts, Emit emit);
  // Passes on all lines that wait, without an execution.
  void Release(Emit emit);

  size_t bytes() const;
  // Returns the number of lines that wait.
  size_t size() const;

 private:
  // The number of executions that are remembered for late lines.
  static constexpr size_t kMostKnown = 16;

  struct Known {
    std::string request_id;
    ExecutionFacts facts;
  };
  struct Waiting {
    std::string request_id;
    HeldLogs lines;

    Waiting(std::string_view id, const DurableLinesOptions& options)
        : request_id(id), lines(options.most_bytes, options.account) {}
  };

  const ExecutionFacts* Find(std::string_view request_id) const;
  static LogEntry WithFacts(LogEntry entry, const ExecutionFacts& facts);

  const DurableLinesOptions options_;
  bool durable_ = false;
  std::deque<Known> known_;                       // the newest last
  std::deque<std::unique_ptr<Waiting>> waiting_;  // the oldest first
};

}  // namespace thaw

#endif  // THAW_CC_LOGS_DURABLE_LINES_H_
