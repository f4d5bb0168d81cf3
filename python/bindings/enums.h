// Converts enums of C++ to members of Python's enum.Enum and back, without running any Python code:
// pybind11's own way calls the enum's type, which is written in Python, in the middle of native calls.
//
//   py::native_enum<OnResume> type(module, "OnResume", "enum.Enum", "...");
//   type.value("KEEP", OnResume::kKeep).finalize();
//   KeepMembers<OnResume>(module, "OnResume");
//
// Everything here requires the GIL.

#ifndef THAW_PYTHON_BINDINGS_ENUMS_H_
#define THAW_PYTHON_BINDINGS_ENUMS_H_

#include <string>
#include <type_traits>
#include <vector>

#include "absl/base/no_destructor.h"
#include "absl/strings/ascii.h"
#include "pybind11/pybind11.h"

namespace thaw::python {

template <typename Enum>
struct EnumMember {
  Enum value;
  pybind11::handle object;  // lives as long as the interpreter
  std::string lower_name;
};

// All members in their order; empty before KeepMembers.
template <typename Enum>
std::vector<EnumMember<Enum>>& EnumMembers() {
  static absl::NoDestructor<std::vector<EnumMember<Enum>>> members;
  return *members;
}

template <typename Enum>
void KeepMembers(const pybind11::module_& module, const char* name) {
  for (const pybind11::handle member : pybind11::iter(module.attr(name))) {
    const auto value = static_cast<Enum>(member.attr("value").cast<std::underlying_type_t<Enum>>());
    EnumMembers<Enum>().push_back(
        {value, member.inc_ref(), absl::AsciiStrToLower(member.attr("name").cast<std::string>())});
  }
}

}  // namespace thaw::python

namespace pybind11::detail {
template <typename Enum>
struct type_caster_enum_type_enabled<Enum, enable_if_t<std::is_enum<Enum>::value>> : std::false_type {};

template <typename Enum>
class type_caster<Enum, enable_if_t<std::is_enum<Enum>::value>> {
 public:
  PYBIND11_TYPE_CASTER(Enum, const_name<Enum>());

  bool load(handle source, bool) {
    for (const auto& member : thaw::python::EnumMembers<Enum>()) {
      if (!member.object.is(source)) continue;
      value = member.value;
      return true;
    }
    return false;
  }
  static handle cast(Enum given, return_value_policy, handle) {
    for (const auto& member : thaw::python::EnumMembers<Enum>()) {
      if (member.value == given) return member.object.inc_ref();
    }
    PyErr_SetString(PyExc_ValueError, "a value that its enum doesn't have");
    return {};
  }
};
}  // namespace pybind11::detail

#endif  // THAW_PYTHON_BINDINGS_ENUMS_H_
