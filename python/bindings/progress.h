// Tells Python how far a long computation has come, and lets Python end it.
//
// Used by the thread that released the GIL.

#ifndef THAW_PYTHON_BINDINGS_PROGRESS_H_
#define THAW_PYTHON_BINDINGS_PROGRESS_H_

#include <cstdint>
#include <optional>

#include "pybind11/typing.h"
#include "python/bindings/gil.h"

namespace thaw::python {

using GivenProgress = std::optional<pybind11::typing::Callable<pybind11::object(int64_t)>>;

// Handles signals and calls `progress`, if there is one, with the GIL. Returns whether Python raised: the
// exception stays set until the GIL is back, since it must not pass through the computation.
inline bool TellProgress(GilReleased& released, const GivenProgress& progress, int64_t done) {
  const GilReleased::Back back(released);
  if (PyErr_CheckSignals() != 0) return true;
  if (!progress.has_value()) return false;
  PyObject* const answer = OrPark([&progress, done] {
    return PyObject_CallFunction(progress->ptr(), "L", static_cast<long long>(done));
  });
  Py_XDECREF(answer);
  return answer == nullptr;
}

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_PROGRESS_H_
