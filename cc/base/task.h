// Task<T>: a lazy C++20 coroutine with one awaiter.
//
//   Task<int> Two() { co_return 2; }
//   Task<int> Four() { co_return co_await Two() + co_await Two(); }
//   void Start(Executor& executor) { Spawn<int>(executor, Four(), [](int four) { ... }); }
//
// A task starts when it is awaited (or spawned) and always runs to its end: work that must stop early is told
// so (Cancellation, Transport::Close) and returns. The awaiter destroys the frame. No exception may leave a
// task: errors are reported as Status, and an exception here is a bug that ends the process with its message.
//
// Arguments of a task are copied into its frame; a reference argument must outlive the task. GCC 12 can
// destroy a lambda's captures twice when the lambda is written inside a `co_await` expression: give such a
// lambda a name first.

#ifndef THAW_CC_BASE_TASK_H_
#define THAW_CC_BASE_TASK_H_

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "cc/base/executor.h"

namespace thaw {

template <typename T>
class Task;

namespace internal_task {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
      return finished.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T Take() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void Take() const noexcept {}
};

}  // namespace internal_task

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal_task::Promise<T>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        handle.promise().continuation = awaiting;
        return handle;
      }
      T await_resume() const { return handle.promise().Take(); }
    };
    return Awaiter{handle_};
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace internal_task {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// A coroutine that owns itself: its frame is destroyed when it ends.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept {
      return {std::coroutine_handle<promise_type>::from_promise(const_cast<promise_type&>(*this))};
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};

template <typename T>
Detached RunDetached(Task<T> task, absl::AnyInvocable<void(T)> done) {
  T result = co_await std::move(task);
  if (done) done(std::move(result));
}
inline Detached RunDetached(Task<void> task, absl::AnyInvocable<void()> done) {
  co_await std::move(task);
  if (done) done();
}

}  // namespace internal_task

// Starts `task` from the executor's queue and passes its result to `done`, on the executor's thread.
template <typename T>
  requires(!std::is_void_v<T>)
void Spawn(Executor& executor, Task<T> task, absl::AnyInvocable<void(T)> done = nullptr) {
  executor.Post(
      [handle = internal_task::RunDetached<T>(std::move(task), std::move(done)).handle] { handle.resume(); });
}
inline void Spawn(Executor& executor, Task<void> task, absl::AnyInvocable<void()> done = nullptr) {
  executor.Post(
      [handle = internal_task::RunDetached(std::move(task), std::move(done)).handle] { handle.resume(); });
}

}  // namespace thaw

#endif  // THAW_CC_BASE_TASK_H_
