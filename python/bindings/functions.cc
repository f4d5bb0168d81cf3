#include "python/bindings/functions.h"

#include <structmember.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "python/bindings/gil.h"

namespace thaw::python {
namespace py = pybind11;
namespace {

// Objects of thaw._calls, which `import thaw` has run: the exception that says what is wrong with a call, and
// the inspect.Signature of a signature's text.
py::handle explain;
py::handle wrong_type;  // the same, or None if all arguments fit
py::handle signature_of;
py::handle class_signature;
// The __reduce_ex__ of types that can be pickled, and of those that can't.
py::handle reduce;
py::handle refuse_to_reduce;
PyTypeObject* function_type = nullptr;
PyTypeObject* bound_metaclass = nullptr;

struct Function {
  PyObject_HEAD vectorcallfunc call;
  PyObject* native;        // pybind11's
  PyTypeObject* receiver;  // type of its first argument; null if it has no receiver. Lives as long as it
  bool constructs;         // __init__, __setstate__: its receiver is not initialised yet
  PyObject* module;
  PyObject* name;
  PyObject* qualified_name;
  PyObject* label;  // shown in errors: "Client.send()", "ClientOptions.max_attempts"
};
Function& AsFunction(PyObject* object) { return *reinterpret_cast<Function*>(object); }

const py::detail::function_record* RecordOf(PyObject* native) {
  return py::detail::function_record_ptr_from_PyObject(PyCFunction_GET_SELF(native));
}

bool IsBound(PyObject* object) {
  PyTypeObject* const metaclass = Py_TYPE(reinterpret_cast<PyObject*>(Py_TYPE(object)));
  return metaclass == bound_metaclass || PyType_IsSubtype(metaclass, bound_metaclass) != 0;
}

// Returns the type's name without its module.
const char* NameOf(PyTypeObject* type) {
  const char* const dot = std::strrchr(type->tp_name, '.');
  return dot == nullptr ? type->tp_name : dot + 1;
}
const char* KindOf(PyObject* object) { return object == Py_None ? "None" : NameOf(Py_TYPE(object)); }

// -- Calls -------------------------------------------------------------------------------------------------

bool CheckReceiver(const Function& function, PyObject* const* arguments, size_t count) {
  if (function.receiver == nullptr) return true;
  if (count == 0 || PyObject_TypeCheck(arguments[0], function.receiver) == 0) {
    PyErr_Format(PyExc_TypeError, "%U is for a %s, not for %s", function.label, NameOf(function.receiver),
                 count == 0 ? "nothing" : KindOf(arguments[0]));
    return false;
  }
  return true;
}

bool CheckInitialised(const Function& function, PyObject* const* arguments, size_t count) {
  for (size_t i = function.constructs ? 1 : 0; i < count; ++i) {
    if (IsInitialised(arguments[i])) continue;
    PyErr_Format(PyExc_TypeError, "%U was given a %s whose __init__ has not run", function.label,
                 KindOf(arguments[i]));
    return false;
  }
  return true;
}

// Returns whether pybind11 found no way to take the arguments: its text lists every signature, and the
// arguments' values, which may be secrets.
bool IsUnexplained(const py::error_already_set& error) {
  if (!error.matches(PyExc_TypeError)) return false;
  Py_ssize_t size = 0;
  const py::object text = py::reinterpret_steal<py::object>(PyObject_Str(error.value().ptr()));
  const char* const bytes = text ? PyUnicode_AsUTF8AndSize(text.ptr(), &size) : nullptr;
  if (bytes == nullptr) {
    PyErr_Clear();
    return false;
  }
  const std::string_view said(bytes, static_cast<size_t>(size));
  return absl::StrContains(said, "(): incompatible function arguments. The following argument types") ||
         absl::StrContains(said, "(): incompatible constructor arguments. The following argument types");
}

// Raises the exception that `judge`, a function of thaw._calls, returns for a call. Returns false if it is None.
bool RaiseVerdict(py::handle judge, const Function& function, PyObject* const* arguments, size_t count,
                  PyObject* names) {
  py::list positional;
  for (size_t i = function.receiver == nullptr ? 0 : 1; i < count; ++i)
    positional.append(py::handle(arguments[i]));
  py::dict named;
  for (Py_ssize_t i = 0; names != nullptr && i < PyTuple_GET_SIZE(names); ++i) {
    named[py::handle(PyTuple_GET_ITEM(names, i))] = py::handle(arguments[count + static_cast<size_t>(i)]);
  }
  const py::str text(RecordOf(function.native)->signature);
  const py::object exception = CallPython([&] {
    return PyObject_CallFunctionObjArgs(judge.ptr(), function.label, text.ptr(), positional.ptr(),
                                        named.ptr(), function.receiver == nullptr ? Py_False : Py_True,
                                        nullptr);
  });
  if (exception.is_none()) return false;
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  return true;
}

void Explain(const Function& function, PyObject* const* arguments, size_t count, PyObject* names) {
  try {
    py::error_already_set error;
    if (IsUnexplained(error)) {
      RaiseVerdict(explain, function, arguments, count, names);
    } else {
      error.restore();
    }
  } catch (py::error_already_set& error) {
    error.restore();
  }
}

// Returns whether UTF-8 has the text of every keyword, as it has that of every parameter. pybind11 writes the
// keywords into its error where no exception is caught, so that another one would end the process.
bool AreKeywordsUtf8(PyObject* names) {
  for (Py_ssize_t i = 0; names != nullptr && i < PyTuple_GET_SIZE(names); ++i) {
    if (PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i)) != nullptr) continue;
    PyErr_Clear();
    return false;
  }
  return true;
}

// Returns whether the object can be made an integer by losing a fraction, as decimal.Decimal can; pybind11 would
// do so for a parameter that is an integer. A float it refuses.
bool MayLoseFraction(PyObject* object) {
  const PyNumberMethods* const methods = Py_TYPE(object)->tp_as_number;
  return methods != nullptr && methods->nb_int != nullptr && methods->nb_index == nullptr &&
         PyFloat_Check(object) == 0;
}

// Checks what pybind11 doesn't. `all` is the number of arguments, those with keywords included.
bool CheckArguments(const Function& function, PyObject* const* arguments, size_t count, size_t all,
                    PyObject* names) {
  if (AreKeywordsUtf8(names) && std::none_of(arguments, arguments + all, &MayLoseFraction)) return true;
  try {
    return !RaiseVerdict(wrong_type, function, arguments, count, names);
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  }
}

PyObject* CallFunction(PyObject* self, PyObject* const* arguments, size_t flags, PyObject* names) {
  const Function& function = AsFunction(self);
  const auto count = static_cast<size_t>(PyVectorcall_NARGS(flags));
  const size_t all = count + (names == nullptr ? 0 : static_cast<size_t>(PyTuple_GET_SIZE(names)));
  if (!CheckReceiver(function, arguments, count) || !CheckInitialised(function, arguments, all) ||
      !CheckArguments(function, arguments, count, all, names)) {
    return nullptr;
  }
  PyObject* const result = PyObject_Vectorcall(function.native, arguments, count, names);
  if (result == nullptr && PyErr_ExceptionMatches(PyExc_TypeError))
    Explain(function, arguments, count, names);
  return result;
}

// -- The type ----------------------------------------------------------------------------------------------

void Delete(PyObject* self) {
  Function& function = AsFunction(self);
  PyTypeObject* const type = Py_TYPE(self);
  Py_XDECREF(function.native);
  Py_XDECREF(function.module);
  Py_XDECREF(function.name);
  Py_XDECREF(function.qualified_name);
  Py_XDECREF(function.label);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* Bind(PyObject* self, PyObject* object, PyObject*) {
  if (AsFunction(self).receiver == nullptr || object == nullptr) return Py_NewRef(self);
  return PyMethod_New(self, object);
}

PyObject* Show(PyObject* self) {
  return PyUnicode_FromFormat("<function thaw.%U>", AsFunction(self).qualified_name);
}

PyObject* Name(PyObject* self, void*) { return Py_NewRef(AsFunction(self).name); }
PyObject* QualifiedName(PyObject* self, void*) { return Py_NewRef(AsFunction(self).qualified_name); }
PyObject* Module(PyObject* self, void*) { return Py_NewRef(AsFunction(self).module); }
int SetModule(PyObject* self, PyObject* module, void*) {
  if (module == nullptr) {
    PyErr_SetString(PyExc_TypeError, "a function has a module");
    return -1;
  }
  Py_SETREF(AsFunction(self).module, Py_NewRef(module));
  return 0;
}
// Returns the written text; pybind11 puts the signature before it, which __signature__ has anyway.
PyObject* Documentation(PyObject* self, void*) {
  const char* const text = RecordOf(AsFunction(self).native)->doc;
  if (text == nullptr || *text == '\0') return Py_NewRef(Py_None);
  return PyUnicode_FromString(text);
}
PyObject* SignatureText(PyObject* self, void*) {
  return PyUnicode_FromString(RecordOf(AsFunction(self).native)->signature);
}
PyObject* Signature(PyObject* self, void*) {
  PyObject* const text = SignatureText(self, nullptr);
  if (text == nullptr) return nullptr;
  PyObject* const signature = PyObject_CallOneArg(signature_of.ptr(), text);
  Py_DECREF(text);
  return signature;
}
// Pickles the function by its name, as any function: unpickling finds it again.
PyObject* Reduce(PyObject* self, PyObject*) { return Py_NewRef(AsFunction(self).qualified_name); }

PyTypeObject* MakeFunctionType() {
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(Function, call), READONLY, nullptr}, {}};
  static PyGetSetDef attributes[] = {{"__name__", &Name, nullptr, nullptr, nullptr},
                                     {"__qualname__", &QualifiedName, nullptr, nullptr, nullptr},
                                     {"__module__", &Module, &SetModule, nullptr, nullptr},
                                     {"__doc__", &Documentation, nullptr, nullptr, nullptr},
                                     {"__signature__", &Signature, nullptr, nullptr, nullptr},
                                     {}};
  static PyMethodDef methods[] = {{"__reduce__", &Reduce, METH_NOARGS, nullptr}, {}};
  static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&Delete)},
                                {Py_tp_call, reinterpret_cast<void*>(&PyVectorcall_Call)},
                                {Py_tp_descr_get, reinterpret_cast<void*>(&Bind)},
                                {Py_tp_repr, reinterpret_cast<void*>(&Show)},
                                {Py_tp_members, members},
                                {Py_tp_getset, attributes},
                                {Py_tp_methods, methods},
                                {0, nullptr}};
  static PyType_Spec spec = {"thaw._native.function", sizeof(Function), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             slots};
  PyObject* const type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  return reinterpret_cast<PyTypeObject*>(type);
}

// -- Wrapping ----------------------------------------------------------------------------------------------

// Returns the pybind11 function behind a function or a class's attribute; null if there is none.
py::handle NativeOf(py::handle object) {
  PyObject* function = object.ptr();
  if (PyInstanceMethod_Check(function)) function = PyInstanceMethod_GET_FUNCTION(function);
  if (!PyCFunction_Check(function)) return {};
  PyObject* const self = PyCFunction_GET_SELF(function);
  if (self == nullptr || py::detail::function_record_ptr_from_PyObject(self) == nullptr) return {};
  return function;
}

// `label`: null means the qualified name, as a call.
py::object Wrap(py::handle native, py::handle type, const std::string& qualified_name, bool has_receiver,
                const char* label = nullptr) {
  PyObject* const object = function_type->tp_alloc(function_type, 0);
  if (object == nullptr) throw py::error_already_set();
  py::object made = py::reinterpret_steal<py::object>(object);
  Function& function = AsFunction(object);
  const py::detail::function_record* const record = RecordOf(native.ptr());
  const std::string name =
      record->name[0] == '\0' ? qualified_name.substr(qualified_name.rfind('.') + 1) : record->name;
  function.call = &CallFunction;
  function.native = native.inc_ref().ptr();
  function.receiver = has_receiver ? reinterpret_cast<PyTypeObject*>(type.ptr()) : nullptr;
  function.constructs = record->is_constructor;
  function.module = py::str("thaw").release().ptr();
  function.name = py::str(name).release().ptr();
  function.qualified_name = py::str(qualified_name).release().ptr();
  std::string shown = label != nullptr ? label : qualified_name + "()";
  if (name == "__init__") shown = qualified_name.substr(0, qualified_name.rfind('.')) + "()";
  function.label = py::str(shown).release().ptr();
  return made;
}

py::object WrapProperty(py::handle given, py::handle type, const std::string& qualified_name) {
  const auto part = [&](const char* name) -> py::object {
    const py::object function = given.attr(name);
    const py::handle native = NativeOf(function);
    return native ? Wrap(native, type, qualified_name, true, qualified_name.c_str()) : function;
  };
  const py::object property =
      py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&PyProperty_Type));
  return property(part("fget"), part("fset"), part("fdel"), given.attr("__doc__"));
}

// Replaces pybind11's "No constructor defined!".
int RefuseToConstruct(PyObject* self, PyObject*, PyObject*) {
  PyErr_Format(PyExc_TypeError, "%s objects are made by thaw alone: there is no constructor",
               Py_TYPE(self)->tp_name);
  return -1;
}

newfunc allocate_bound = nullptr;

// The base of all bound types has no C++ type: pybind11 would throw through Python's frames. copyreg makes an
// object of it for the old pickle protocols.
PyObject* AllocateUnlessBase(PyTypeObject* type, PyObject* arguments, PyObject* named) {
  if (!py::detail::all_type_info(type).empty()) return allocate_bound(type, arguments, named);
  PyErr_Format(PyExc_TypeError, "%s has no objects of its own", NameOf(type));
  return nullptr;
}

// inspect.signature finds nothing at classes that have no __init__ of their own.
void GiveSignature(py::handle type, const char* text) {
  type.attr("__signature__") = class_signature(type, text);
}

void WrapClass(py::handle type) {
  const py::handle constructor =
      PyDict_GetItemString(reinterpret_cast<PyTypeObject*>(type.ptr())->tp_dict, "__init__");
  if (!constructor || !NativeOf(constructor)) {
    reinterpret_cast<PyTypeObject*>(type.ptr())->tp_init = &RefuseToConstruct;
    GiveSignature(type, "() -> None");
  }
  const auto class_name = type.attr("__name__").cast<std::string>();
  // All types have the same tp_new, so that the base's __new__ may be called for each.
  reinterpret_cast<PyTypeObject*>(type.ptr())->tp_new = &AllocateUnlessBase;
  const bool pickles =
      PyDict_GetItemString(reinterpret_cast<PyTypeObject*>(type.ptr())->tp_dict, "__setstate__") != nullptr;
  type.attr("__reduce_ex__") = pickles ? reduce : refuse_to_reduce;
  const py::dict members =
      py::reinterpret_steal<py::dict>(PyDict_Copy(reinterpret_cast<PyTypeObject*>(type.ptr())->tp_dict));
  for (const auto& [key, value] : members) {
    const auto name = key.cast<std::string>();
    const std::string qualified_name = absl::StrCat(class_name, ".", name);
    if (name == "_pybind11_conduit_v1_") {
      // The attribute gives other extension modules the bare pointer, which nothing here uses.
      if (PyObject_DelAttr(type.ptr(), key.ptr()) != 0) throw py::error_already_set();
    } else if (const py::handle native = NativeOf(value)) {
      type.attr(key) = Wrap(native, type, qualified_name, true);
    } else if (PyObject_TypeCheck(value.ptr(), &PyProperty_Type)) {
      type.attr(key) = WrapProperty(value, type, qualified_name);
    } else if (PyObject_TypeCheck(value.ptr(), &PyStaticMethod_Type)) {
      const py::object inner = value.attr("__func__");
      if (const py::handle function = NativeOf(inner)) {
        type.attr(key) = py::staticmethod(Wrap(function, type, qualified_name, false));
      }
    }
  }
}

}  // namespace

bool IsInitialised(py::handle object) {
  if (!IsBound(object.ptr())) return true;
  auto* const instance = reinterpret_cast<py::detail::instance*>(object.ptr());
  // The holder does not tell: an object that refers to a part of another one has none.
  if (instance->simple_layout) return instance->simple_value_holder[0] != nullptr;
  py::detail::values_and_holders all(instance);
  for (const auto& each : all) {
    if (each.value_ptr() == nullptr) return false;
  }
  return true;
}

void RaiseWrongType(const std::string& what, std::string_view wanted, py::handle given) {
  PyErr_SetString(PyExc_TypeError,
                  absl::StrCat(what, " must be ", wanted, ", not ", KindOf(given.ptr())).c_str());
  throw py::error_already_set();
}

void WrapFunctions(py::module_& module) {
  const py::module_ calls = py::module_::import("thaw._calls");
  explain = py::object(calls.attr("explain")).release();
  signature_of = py::object(calls.attr("signature")).release();
  wrong_type = py::object(calls.attr("wrong_type")).release();
  class_signature = py::object(calls.attr("ClassSignature")).release();
  reduce = py::object(calls.attr("reduce")).release();
  refuse_to_reduce = py::object(calls.attr("refuse_to_reduce")).release();
  bound_metaclass = py::detail::get_internals().default_metaclass;
  function_type = MakeFunctionType();
  auto* const base = reinterpret_cast<PyTypeObject*>(py::detail::get_internals().instance_base);
  allocate_bound = std::exchange(base->tp_new, &AllocateUnlessBase);
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const py::cast_error&) {
      PyErr_SetString(PyExc_TypeError, "an object within the arguments has the wrong type");
    }
  });
  const py::dict names = py::reinterpret_steal<py::dict>(PyDict_Copy(PyModule_GetDict(module.ptr())));
  for (const auto& [key, value] : names) {
    if (PyExceptionClass_Check(value.ptr())) {
      GiveSignature(value, "(*args: object) -> None");
    } else if (Py_TYPE(value.ptr()) == bound_metaclass) {
      WrapClass(value);
    } else if (const py::handle native = NativeOf(value)) {
      module.attr(key) = Wrap(native, {}, key.cast<std::string>(), false);
    }
  }
}

}  // namespace thaw::python
