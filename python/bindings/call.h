// Runs calls from Python in a client's thread: waited for with the GIL released, or as an asyncio future.
//
//   SendResult result = WaitFor<SendResult>(loop, [&](ClientLoop& loop, Cancellation& cancellation) {
//     return loop.client().Send(request, options, cancellation);
//   });
//
// Each task started here gets a Cancellation of its own, which is requested by the client's end, by Ctrl-C
// and by the future's cancellation. A task always runs to its end; WaitFor returns only then. Everything here
// requires the GIL.

#ifndef THAW_PYTHON_BINDINGS_CALL_H_
#define THAW_PYTHON_BINDINGS_CALL_H_

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "pybind11/pybind11.h"
#include "python/bindings/async_answer.h"
#include "python/bindings/client_loop.h"
#include "python/bindings/gil.h"
#include "python/bindings/status.h"

namespace thaw::python {

// An asyncio.Future of a T, for signatures.
template <typename T>
class Future : public pybind11::object {
 public:
  explicit Future(pybind11::object future) : pybind11::object(std::move(future)) {}
};

// Releases the loop without the GIL, which the loop's thread may need before it can end.
using LoopHandle = std::shared_ptr<ClientLoop>;
LoopHandle MakeLoopHandle(std::shared_ptr<ClientLoop> loop);

// Raises Forked after a fork.
void CheckUsable(const ClientLoop& loop);
[[noreturn]] void RaiseClosed();

// Set once by the loop's thread.
class Signal {
 public:
  void Set() {
    const absl::MutexLock lock(mutex_);
    set_ = true;
  }
  // Waits without the GIL. Returns true as soon as the signal is set, false after `limit`.
  bool Wait(absl::Duration limit) {
    const absl::MutexLock lock(mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&set_), limit);
  }

 private:
  absl::Mutex mutex_;
  bool set_ ABSL_GUARDED_BY(mutex_) = false;
};

// Waits with the GIL released and checks for signals now and then. When a signal handler raises (Ctrl-C),
// calls `cancel`, waits for the end nevertheless, and then raises the handler's exception.
void WaitInterruptibly(Signal& done, absl::AnyInvocable<void()> cancel);

// A task on a loop: its result and its cancellation.
template <typename T>
struct Call {
  // For the loop's thread only: exists while the task runs.
  std::optional<Cancellation> cancellation;
  // Set before `done`, read after it.
  std::optional<T> result;
  Signal done;
};

template <typename T>
void Cancel(const LoopHandle& loop, std::shared_ptr<Call<T>> call) {
  loop->Post([call = std::move(call)] {
    if (call->cancellation.has_value())
      call->cancellation->Request(absl::CancelledError("cancelled by the caller"));
  });
}

// Starts the task that `start` returns; `finish` runs on the loop's thread when it has ended. Returns false
// if the client is closed.
template <typename T>
bool StartCall(const LoopHandle& loop, std::shared_ptr<Call<T>> call,
               absl::AnyInvocable<Task<T>(ClientLoop&, Cancellation&)> start,
               absl::AnyInvocable<void()> finish) {
  ClientLoop* const on = loop.get();
  return loop->Post(
      [on, call = std::move(call), start = std::move(start), finish = std::move(finish)]() mutable {
        call->cancellation.emplace(&on->closing());
        Task<T> task = start(*on, *call->cancellation);
        // Objects that `start` refers to live until the task has ended.
        Spawn<T>(on->executor(), std::move(task),
                 [call, scope = ClientLoop::CallScope(*on), start = std::move(start),
                  finish = std::move(finish)](T result) mutable {
                   call->cancellation.reset();
                   call->result.emplace(std::move(result));
                   finish();
                 });
      });
}

// Runs a task to its end and returns its result. Raises Closed, Forked, or a signal handler's exception.
template <typename T>
T WaitFor(const LoopHandle& loop, absl::AnyInvocable<Task<T>(ClientLoop&, Cancellation&)> start) {
  CheckUsable(*loop);
  const auto call = std::make_shared<Call<T>>();
  if (!StartCall<T>(loop, call, std::move(start), [call = call.get()] { call->done.Set(); })) RaiseClosed();
  WaitInterruptibly(call->done, [&loop, &call] { Cancel(loop, call); });
  return *std::move(call->result);
}

// Runs a short function on the loop's thread and returns its result. Raises as WaitFor does.
template <typename Function, typename T = std::invoke_result_t<Function, ClientLoop&>>
T RunOn(const LoopHandle& loop, Function function) {
  CheckUsable(*loop);
  struct State {
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    Signal done;
  };
  const auto state = std::make_shared<State>();
  const bool posted = loop->Post([on = loop.get(), state, function = std::move(function)]() mutable {
    if constexpr (std::is_void_v<T>) {
      function(*on);
    } else {
      state->result.emplace(function(*on));
    }
    state->done.Set();
  });
  if (!posted) RaiseClosed();
  {
    const GilReleased released;
    state->done.Wait(absl::InfiniteDuration());
  }
  if constexpr (!std::is_void_v<T>) return *std::move(state->result);
}

// Runs a task and returns an asyncio future of `to_python(result)`. Cancelling the future cancels the task.
// Raises RuntimeError if no event loop runs in this thread.
template <typename T>
Future<T> StartAsync(const LoopHandle& loop, absl::AnyInvocable<Task<T>(ClientLoop&, Cancellation&)> start,
                     pybind11::object (*to_python)(T)) {
  CheckUsable(*loop);
  const auto call = std::make_shared<Call<T>>();
  AsyncAnswer answer = MakeAsyncAnswer([call, to_python] { return to_python(*std::move(call->result)); },
                                       [loop, call] { Cancel(loop, call); });
  if (!StartCall<T>(loop, call, std::move(start), answer.Resolver())) {
    answer.Withdraw();
    RaiseClosed();
  }
  return Future<T>(answer.future());
}

}  // namespace thaw::python

namespace pybind11::detail {
template <typename T>
struct handle_type_name<thaw::python::Future<T>> {
  static constexpr auto name = const_name("asyncio.Future[") + make_caster<T>::name + const_name("]");
};
}  // namespace pybind11::detail

#endif  // THAW_PYTHON_BINDINGS_CALL_H_
