// The state of one flush of one pipeline.

#ifndef THAW_CC_FLUSH_FLUSH_RUN_H_
#define THAW_CC_FLUSH_FLUSH_RUN_H_

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/key_look_ups.h"
#include "cc/flush/peers_rules.h"

namespace thaw {

struct FlushRun {
  FlushRun(Executor& executor, Cancellation* parent, absl::Duration deadline, bool last)
      : cancellation(parent), deadline(deadline), last(last), key_look_ups(executor, last) {}

  // Returns whether the flush was ended before its deadline, by its caller.
  bool cut_short() const { return cancellation.requested() && !deadline_passed; }

  Cancellation cancellation;
  const absl::Duration deadline;
  const bool last;               // PipelineFlusher::Shutdown
  bool deadline_passed = false;  // the deadline ended the flush
  FlushReport report;
  KeyLookUps key_look_ups;
  PeersState peers;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSH_RUN_H_
