// Resources that the pipelines of a process share: limits of the data they keep and of the time an outage may cost, and
// memory to compress in.
//
//   const SharedResources shared = MakeSharedResources(executor, clock, {.outbox_bytes = 8 << 20});
//   PipelineFlusher traces(executor, clock, client, options, "traces", {endpoint}, shared);
//
// One thread: the executor's.

#ifndef THAW_CC_FLUSH_SHARED_RESOURCES_H_
#define THAW_CC_FLUSH_SHARED_RESOURCES_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/compress.h"
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

struct SharedResources {
  std::shared_ptr<ByteBudget> bytes;
  std::shared_ptr<OutageBudget> outage;
  // Stays between flushes; null: each pipeline has memory of its own, which a flush frees.
  std::shared_ptr<ZstdMemory> zstd;
};

// Returns resources without memory to compress. Executor and clock must outlive them.
SharedResources MakeSharedResources(Executor& executor, Clock& clock, const LimitOptions& options);

}  // namespace thaw

#endif  // THAW_CC_FLUSH_SHARED_RESOURCES_H_
