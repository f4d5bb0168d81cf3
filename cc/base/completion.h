// Completion<T>: a value that arrives later, awaited by at most one task.
//
//   Completion<int> answer(executor);
//   ... answer.Set(42);                      // from a callback
//   const int value = co_await answer;       // from one task
//
// The awaiting task is resumed through the executor's queue, never inside Set(). The first Set()
// wins; later ones are ignored and return false, so that a timeout and an answer may race freely.
// The completion must outlive the wait: it usually lives in the awaiting task's frame.

#ifndef THAW_CC_BASE_COMPLETION_H_
#define THAW_CC_BASE_COMPLETION_H_

#include <coroutine>
#include <optional>
#include <utility>

#include "cc/base/executor.h"

namespace thaw {

template <typename T>
class Completion {
 public:
  explicit Completion(Executor& executor) : executor_(executor) {}
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  bool Set(T value) {
    if (value_.has_value() || taken_) return false;
    value_.emplace(std::move(value));
    if (waiter_) {
      executor_.Post([waiter = std::exchange(waiter_, nullptr)] { waiter.resume(); });
    }
    return true;
  }

  bool await_ready() const noexcept { return value_.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  T await_resume() {
    taken_ = true;
    T value = *std::move(value_);
    value_.reset();
    return value;
  }

 private:
  Executor& executor_;
  std::optional<T> value_;
  bool taken_ = false;
  std::coroutine_handle<> waiter_ = nullptr;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_COMPLETION_H_
