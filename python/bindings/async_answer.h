// Makes asyncio futures of the results of native threads. Those threads never take the GIL: they put a number
// into a mailbox and wake the event loop, which reads the mailbox on its own thread and resolves the futures
// there.
//
//   AsyncAnswer answer =
//       MakeAsyncAnswer([call] { return py::cast(call->result); }, [call] { Cancel(call); });
//   Start(call, answer.Resolver());
//   return answer.future();
//
// Everything here except the resolver requires the GIL.

#ifndef THAW_PYTHON_BINDINGS_ASYNC_ANSWER_H_
#define THAW_PYTHON_BINDINGS_ASYNC_ANSWER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "pybind11/pybind11.h"

namespace thaw::python {

// The answers that one running event loop waits for.
class AwaitedAnswers;

class AsyncAnswer {
 public:
  AsyncAnswer(std::shared_ptr<AwaitedAnswers> awaited, uint64_t number, pybind11::object future)
      : awaited_(std::move(awaited)), number_(number), future_(std::move(future)) {}

  pybind11::object future() const { return future_; }
  // Returns a function to be run once, by any thread, with or without the GIL, when the answer can be made.
  absl::AnyInvocable<void()> Resolver() const;
  // Call instead of a resolver if there will be no answer; the future must not have been handed out.
  void Withdraw();

 private:
  std::shared_ptr<AwaitedAnswers> awaited_;
  uint64_t number_;
  pybind11::object future_;
};

// Makes a future of the event loop that runs in this thread; RuntimeError if there is none. `make` runs on
// that thread and returns the future's result, or raises its exception. `cancel` runs there if the future is
// cancelled.
AsyncAnswer MakeAsyncAnswer(absl::AnyInvocable<pybind11::object()> make, absl::AnyInvocable<void()> cancel);

// Makes a future of the running event loop that has its result already.
pybind11::object ResolvedFuture(const pybind11::object& result);

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_ASYNC_ANSWER_H_
