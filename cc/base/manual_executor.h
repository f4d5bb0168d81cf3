// An executor that runs its queue only when told to, one step at a time, on the caller's thread. Tests and
// the simulation use it.

#ifndef THAW_CC_BASE_MANUAL_EXECUTOR_H_
#define THAW_CC_BASE_MANUAL_EXECUTOR_H_

#include <cstdint>
#include <deque>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "cc/base/executor.h"

namespace thaw {

class ManualExecutor : public Executor {
 public:
  void Post(absl::AnyInvocable<void()> work) override { queue_.push_back(std::move(work)); }

  // Runs the oldest entry. Returns false if the queue is empty.
  bool Step() {
    if (queue_.empty()) return false;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    ++steps_;
    work();
    return true;
  }
  // Runs until the queue is empty.
  void RunAll() {
    while (Step()) {
    }
  }
  bool idle() const { return queue_.empty(); }
  int64_t steps() const { return steps_; }
  // The number of entries so far, those that have run included.
  int64_t posted() const { return steps_ + static_cast<int64_t>(queue_.size()); }

 private:
  std::deque<absl::AnyInvocable<void()>> queue_;
  int64_t steps_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_MANUAL_EXECUTOR_H_
