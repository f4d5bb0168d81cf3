// Runs a long computation without the GIL, which looks for signals and reports its progress to a Python function.
//
//   return WithProgress(progress, [&](ReportProgress report) { return Simulate(options, report); });
//
// Call with the GIL, from a thread that Python code runs on.

#ifndef THAW_PYTHON_BINDINGS_PROGRESS_H_
#define THAW_PYTHON_BINDINGS_PROGRESS_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "pybind11/pybind11.h"
#include "pybind11/typing.h"
#include "python/bindings/gil.h"
#include "python/bindings/log_lines.h"

namespace thaw::python {

using GivenProgress = std::optional<pybind11::typing::Callable<pybind11::object(int64_t)>>;

// Reports how far the computation is. Returns false if it must end, since Python has raised an exception.
using ReportProgress = absl::FunctionRef<bool(int64_t)>;

// Returns the result of `compute`, which is called without the GIL and with a `ReportProgress`. Its log lines are
// not written, since failures are simulated. Throws error_already_set if a signal's handler or `progress` raised.
template <typename Compute>
auto WithProgress(const GivenProgress& progress, const Compute& compute) {
  bool raised = false;
  auto result = [&] {
    GilReleased released;
    const NoLogLines quiet;
    return compute([&](int64_t done) {
      if (raised) return false;
      const GilReleased::Back back(released);
      // An exception must not cross the computation; it stays set until the GIL is back here.
      raised = PyErr_CheckSignals() != 0;
      if (!raised && progress.has_value()) {
        PyObject* const answer = OrPark([&progress, done] {
          return PyObject_CallFunction(progress->ptr(), "L", static_cast<long long>(done));
        });
        raised = answer == nullptr;
        Py_XDECREF(answer);
      }
      return !raised;
    });
  }();
  if (raised) throw pybind11::error_already_set();
  return result;
}

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_PROGRESS_H_
