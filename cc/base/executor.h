// Runs work from a queue that one thread serves.
//
// Everything above this interface (pool, client, retry, flush) runs on one executor's thread and takes no
// locks. There are two implementations: the event loop of `net`, and the simulation, which runs the queue one
// step at a time so that a freeze can fall between any two steps.

#ifndef THAW_CC_BASE_EXECUTOR_H_
#define THAW_CC_BASE_EXECUTOR_H_

#include "absl/functional/any_invocable.h"

namespace thaw {

class Executor {
 public:
  virtual ~Executor() = default;

  // Queues `work`; never runs it inside the call. May be called from any thread.
  virtual void Post(absl::AnyInvocable<void()> work) = 0;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_EXECUTOR_H_
