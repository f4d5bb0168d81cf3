// Boots thaw._native: every type is bound in its own file.

#include "pybind11/pybind11.h"
#include "python/bindings/bindings.h"
#include "python/bindings/status.h"

PYBIND11_MODULE(_native, module) {
  module.doc() = "The native core of thaw. Import thaw, not this.";
  thaw::python::BindErrors(module);
  thaw::python::BindClock(module);
  thaw::python::BindExchangeFailure(module);
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
  thaw::python::BindSimulate(module);
}
