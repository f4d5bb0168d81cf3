// Declares the functions that module.cc calls: one per bound type, each in its own file.

#ifndef THAW_PYTHON_BINDINGS_BINDINGS_H_
#define THAW_PYTHON_BINDINGS_BINDINGS_H_

#include "pybind11/pybind11.h"

namespace thaw::python {

void BindClock(pybind11::module_& module);
void BindExchangeFailure(pybind11::module_& module);
void BindExchangeTimes(pybind11::module_& module);
void BindClientOptions(pybind11::module_& module);
void BindConfig(pybind11::module_& module);
void BindRequest(pybind11::module_& module);
void BindSendResult(pybind11::module_& module);
void BindStats(pybind11::module_& module);
void BindClient(pybind11::module_& module);
void BindFlusherOptions(pybind11::module_& module);
void BindFlushReport(pybind11::module_& module);
void BindTracePayload(pybind11::module_& module);
void BindTraceFlusher(pybind11::module_& module);
void BindStatsFlusher(pybind11::module_& module);
void BindLogsFlusher(pybind11::module_& module);
void BindMetricsFlusher(pybind11::module_& module);
void BindSketch(pybind11::module_& module);
void BindDogStatsd(pybind11::module_& module);
void BindSimulate(pybind11::module_& module);
void BindExplore(pybind11::module_& module);

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_BINDINGS_H_
