// Waits in a task.

#ifndef THAW_CC_CLOCK_SLEEP_H_
#define THAW_CC_CLOCK_SLEEP_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"

namespace thaw {

// Returns OK after `delay` on the monotonic clock, or the cancellation's reason if it is requested first.
inline Task<absl::Status> Sleep(Executor& executor, Clock& clock, absl::Duration delay,
                                Cancellation& cancellation) {
  Completion<absl::Status> woken(executor);
  const Alarm alarm(clock, delay, [&woken] { woken.Set(absl::OkStatus()); });
  const auto registration =
      cancellation.OnRequest([&woken](const absl::Status& reason) { woken.Set(reason); });
  co_return co_await woken;
}

}  // namespace thaw

#endif  // THAW_CC_CLOCK_SLEEP_H_
