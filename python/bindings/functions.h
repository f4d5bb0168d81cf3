// Every function of the module as Python code meets it: over each one that pybind11 made lies an object that
//   - refuses receivers of another type, and objects whose __init__ never ran, which pybind11 would read as
//   they are;
//   - says which argument is wrong and what was meant, in place of pybind11's list of all that is possible;
//   - has a __signature__.
//
//   type.def("send", &Send, ...);     // as ever
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

// False: an object of a bound type whose __init__ has not run to its end. True of all others.
bool IsInitialised(pybind11::handle object);

// TypeError: "requests[3] must be thaw.Request, not str".
[[noreturn]] void RaiseWrongType(const std::string& what, std::string_view wanted, pybind11::handle given);

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_FUNCTIONS_H_
