// Wraps every function of the module for Python code: over each one that pybind11 made lies an object that
//   - refuses receivers of another type, and objects whose __init__ never ran, which pybind11 would read
//     nevertheless;
//   - says which argument is wrong and what was expected, in place of pybind11's list of all signatures;
//   - has a __signature__.
//
//   type.def("send", &Send);           // as usual
//   WrapFunctions(module);            // once, at the end

#ifndef THAW_PYTHON_BINDINGS_FUNCTIONS_H_
#define THAW_PYTHON_BINDINGS_FUNCTIONS_H_

#include <string>
#include <string_view>

#include "pybind11/pybind11.h"

namespace thaw::python {

// Wraps all functions, methods and properties of the module and of its classes. A class without a constructor
// gets one that says so.
void WrapFunctions(pybind11::module_& module);

// Returns false for an object of a bound type whose __init__ has not run to its end, true for all others.
bool IsInitialised(pybind11::handle object);

// Raises TypeError: "requests[3] must be thaw.Request, not str".
[[noreturn]] void RaiseWrongType(const std::string& what, std::string_view wanted, pybind11::handle given);

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_FUNCTIONS_H_
