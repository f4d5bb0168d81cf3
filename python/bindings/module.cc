// Boots thaw._native: every type is bound in its own file.

#include "pybind11/pybind11.h"
#include "python/bindings/bindings.h"
#include "python/bindings/functions.h"
#include "python/bindings/log_lines.h"
#include "python/bindings/status.h"

PYBIND11_MODULE(_native_of_main, module) {
  module.doc() = "The native core of thaw. Import thaw, not this.";
  thaw::python::InstallLogLines();
  thaw::python::BindErrors(module);
  thaw::python::BindClock(module);
  thaw::python::BindExchangeFailure(module);
  thaw::python::BindExchangeTimes(module);
  thaw::python::BindClientOptions(module);
  thaw::python::BindConfig(module);
  thaw::python::BindStats(module);
  thaw::python::BindRequest(module);
  thaw::python::BindSendResult(module);
  thaw::python::BindClient(module);
  thaw::python::BindFlusherOptions(module);
  thaw::python::BindFlushReport(module);
  thaw::python::BindTracePayload(module);
  thaw::python::BindTraceFlusher(module);
  thaw::python::BindStatsFlusher(module);
  thaw::python::BindLogsFlusher(module);
  thaw::python::BindMetricsFlusher(module);
  thaw::python::BindSketch(module);
  thaw::python::BindDogStatsd(module);
  thaw::python::BindSimulate(module);
  thaw::python::BindExplore(module);
  thaw::python::WrapFunctions(module);
}

// Entry point of `import thaw._native`. In a sub-interpreter of CPython 3.11, pybind11 would wait for ever:
// its internals ask for the main interpreter's GIL, which that interpreter holds.
PYBIND11_PLUGIN_IMPL(_native) {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_ImportError,
                    "thaw can't be imported in a sub-interpreter: its types and its threads are the main "
                    "interpreter's. Import it there, or in a process of its own");
    return nullptr;
  }
  return PyInit__native_of_main();
}
