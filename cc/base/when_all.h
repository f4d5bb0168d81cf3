// Runs tasks side by side and ends when all of them have ended.
//
//   std::vector<Task<void>> tasks;
//   tasks.push_back(Send(first));
//   tasks.push_back(Send(second));
//   co_await WhenAll(executor, std::move(tasks));
//
// Each task starts from the executor's queue, in order. A task that must end early is told so by a
// Cancellation, as any other. One thread: the executor's.

#ifndef THAW_CC_BASE_WHEN_ALL_H_
#define THAW_CC_BASE_WHEN_ALL_H_

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"

namespace thaw {

// Ends when all of `tasks` have ended; at once if there are none.
inline Task<void> WhenAll(Executor& executor, std::vector<Task<void>> tasks) {
  if (tasks.empty()) co_return;
  Completion<bool> all(executor);
  size_t open = tasks.size();
  for (Task<void>& task : tasks) {
    Spawn(executor, std::move(task), [&all, &open] {
      if (--open == 0) all.Set(true);
    });
  }
  co_await all;
}

// The same for tasks with results: passes each result to `on_end`, in the order in which the tasks end.
// `on_end` must outlive the returned task.
template <typename T>
  requires(!std::is_void_v<T>)
Task<void> WhenAll(Executor& executor, std::vector<Task<T>> tasks, absl::FunctionRef<void(T)> on_end) {
  if (tasks.empty()) co_return;
  Completion<bool> all(executor);
  size_t open = tasks.size();
  for (Task<T>& task : tasks) {
    Spawn<T>(executor, std::move(task), [&all, &open, on_end](T result) {
      on_end(std::move(result));
      if (--open == 0) all.Set(true);
    });
  }
  co_await all;
}

}  // namespace thaw

#endif  // THAW_CC_BASE_WHEN_ALL_H_
