// Releases the GIL for a while, and calls Python code, such that the end of the interpreter kills nothing.
//
//   {
//     const GilReleased released;
//     done.Wait(limit);
//   }  // the GIL is back here
//
// Once the interpreter ends, CPython 3.11 ends each other thread that asks for the GIL by pthread_exit, which
// unwinds its stack: through C++ destructors that would need the GIL, and through noexcept functions, where
// it is std::terminate. Such a thread is parked here instead, as CPython 3.14 does with all of them: it
// sleeps until the process is gone, and its stack is never unwound.

#ifndef THAW_PYTHON_BINDINGS_GIL_H_
#define THAW_PYTHON_BINDINGS_GIL_H_

#include <type_traits>

#include "absl/time/time.h"
#include "pybind11/pybind11.h"
#include "python/bindings/call_or_park.h"

namespace thaw::python {

// Runs `call`, one call of Python's C interface that may run Python code or take the GIL, and returns its result.
// `call` must own nothing.
template <typename Call>
auto OrPark(const Call& call) {
  using Result = decltype(call());
  if constexpr (std::is_void_v<Result>) {
    CallOrPark([](void* given) { (*static_cast<const Call*>(given))(); }, const_cast<Call*>(&call));
  } else {
    struct Run {
      const Call& call;
      Result result;
    };
    Run run{.call = call, .result = {}};
    CallOrPark(
        [](void* given) {
          Run& of_it = *static_cast<Run*>(given);
          of_it.result = of_it.call();
        },
        &run);
    return run.result;
  }
}

// Works like OrPark, for a call that returns a new reference, or null if Python raised; then throws
// error_already_set.
template <typename Call>
pybind11::object CallPython(const Call& call) {
  PyObject* const result = OrPark(call);
  if (result == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(result);
}

// Releases the GIL while it lives, so that other threads may run Python code.
class GilReleased {
 public:
  GilReleased();
  ~GilReleased();
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

  // Takes the GIL back while it lives.
  class Back {
   public:
    explicit Back(GilReleased& released) : released_(released) { released_.Take(); }
    ~Back() { released_.Release(); }
    Back(const Back&) = delete;
    Back& operator=(const Back&) = delete;

   private:
    GilReleased& released_;
  };

 private:
  void Take();
  void Release();

  PyThreadState* state_ = nullptr;
};

// Waits until no thread is inside a GilReleased any more; false after `limit`.
bool AwaitReleasedThreads(absl::Duration limit);
// Call in the child of a fork, whose one thread holds the GIL.
void ForgetReleasedThreads();

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_GIL_H_
