// The limits of what pipelines keep and of what an outage may cost. The pipelines of a process share them.
//
//   const SharedLimits limits = MakeSharedLimits(executor, clock, {.outbox_bytes = 8 << 20});
//   PipelineFlusher traces(executor, clock, client, options, "traces", {endpoint}, limits);
//
// One thread: the executor's.

#ifndef THAW_CC_FLUSH_SHARED_LIMITS_H_
#define THAW_CC_FLUSH_SHARED_LIMITS_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/outage_budget.h"

namespace thaw {

// The comment of each field is its docstring in Python, too (python/bindings/option_texts.py).
struct LimitOptions {
  // Limits the bytes of everything kept: untried, being sent, failed. Beyond it, new data evicts data that
  // was tried, or is turned away.
  size_t outbox_bytes = 32 << 20;
  OutageOptions outage;  // what an outage may cost

  // Returns InvalidArgument, naming the field and its value, if an option is out of range.
  absl::Status Validate() const;
};

struct SharedLimits {
  std::shared_ptr<ByteBudget> bytes;
  std::shared_ptr<OutageBudget> outage;
};

// Executor and clock must outlive the limits.
SharedLimits MakeSharedLimits(Executor& executor, Clock& clock, const LimitOptions& options);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_SHARED_LIMITS_H_
