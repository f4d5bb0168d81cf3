// Converts C++ values to Python: durations are float seconds, enums are enum.Enum or their lower-case name,
// option structs are keyword arguments and attributes.
//
// Everything here requires the GIL.

#ifndef THAW_PYTHON_BINDINGS_VALUES_H_
#define THAW_PYTHON_BINDINGS_VALUES_H_

#include <cmath>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/printable.h"
#include "pybind11/pybind11.h"
#include "pybind11/stl.h"
#include "python/bindings/enums.h"
#include "python/bindings/status.h"

namespace thaw::python {

namespace py = pybind11;

inline double ToSeconds(absl::Duration duration) { return absl::ToDoubleSeconds(duration); }

// Raises InvalidArgument, naming `what`, if the number is invalid.
inline absl::Duration FromSeconds(double seconds, std::string_view what) {
  if (std::isnan(seconds)) Raise(absl::InvalidArgumentError(absl::StrCat(what, " is not a number")));
  return absl::Seconds(seconds);
}

// Converts a time limit: None is no limit.
inline absl::Duration FromLimit(std::optional<double> seconds, std::string_view what) {
  return seconds.has_value() ? FromSeconds(*seconds, what) : absl::InfiniteDuration();
}

// A text: pybind11 would also take bytes for a std::string.
struct GivenText {
  std::string text;
  operator const std::string&() const { return text; }
  auto operator<=>(const GivenText&) const = default;
};

// A bool: pybind11 would also take anything that has a truth value.
struct GivenBool {
  bool value = false;
  operator bool() const { return value; }
};

// Returns the value of an enum by its member or by the member's lower-case name.
template <typename Enum>
Enum ToEnum(const std::variant<Enum, GivenText>& given, std::string_view what) {
  if (const Enum* value = std::get_if<Enum>(&given)) return *value;
  const std::string& name = std::get<GivenText>(given).text;
  std::string names;
  for (const EnumMember<Enum>& member : EnumMembers<Enum>()) {
    if (member.lower_name == name) return member.value;
    absl::StrAppend(&names, names.empty() ? "" : ", ", member.lower_name);
  }
  Raise(absl::InvalidArgumentError(absl::StrCat(what, " is \"", Printable(name), "\", not one of: ", names)));
}

template <typename Enum>
std::string LowerName(Enum value) {
  for (const EnumMember<Enum>& member : EnumMembers<Enum>()) {
    if (member.value == value) return member.lower_name;
  }
  return "unknown";
}

// The name of a file: a text, or an os.PathLike.
struct GivenPath {
  std::string path;
};

// -- Option structs ------------------------------------------------------------------------------

template <typename Member>
struct Face;

// `FaceOf`: the type that Python passes and gets for it.
template <typename Struct, typename Member, typename FaceOf = Face<Member>>
struct Field {
  using Face = FaceOf;
  const char* name;
  Member Struct::* member;
  const char* text;
  // Masks a text that may hold a secret for repr; null: repr shows the text.
  std::string (*mask)(std::string_view) = nullptr;
};
template <typename Struct, typename Member>
Field(const char*, Member Struct::*, const char*, std::string (*)(std::string_view) = nullptr)
    -> Field<Struct, Member>;

template <typename Member>
struct Face {
  using Given = Member;
  using Shown = Member;
  static Member From(const Given& given, std::string_view) { return given; }
  static Shown To(const Member& member) { return member; }
  static py::object Plain(const Member& member) { return py::cast(member); }
};
template <>
struct Face<std::string> {
  using Given = GivenText;
  using Shown = std::string;
  static std::string From(const Given& given, std::string_view) { return given.text; }
  static std::string To(const std::string& member) { return member; }
  static py::object Plain(const std::string& member) { return py::cast(member); }
};
template <>
struct Face<bool> {
  using Given = GivenBool;
  using Shown = bool;
  static bool From(Given given, std::string_view) { return given.value; }
  static bool To(bool member) { return member; }
  static py::object Plain(bool member) { return py::bool_(member); }
};
template <>
struct Face<std::vector<std::string>> {
  using Given = std::vector<GivenText>;
  using Shown = std::vector<std::string>;
  static std::vector<std::string> From(const Given& given, std::string_view) {
    return {given.begin(), given.end()};
  }
  static std::vector<std::string> To(const std::vector<std::string>& member) { return member; }
  static py::object Plain(const std::vector<std::string>& member) { return py::cast(member); }
};
template <>
struct Face<absl::Duration> {
  using Given = double;
  using Shown = double;
  static absl::Duration From(double given, std::string_view what) { return FromSeconds(given, what); }
  static double To(absl::Duration member) { return ToSeconds(member); }
  static py::object Plain(absl::Duration member) { return py::float_(ToSeconds(member)); }
};
template <>
struct Face<std::optional<absl::Duration>> {
  using Given = std::optional<double>;
  using Shown = std::optional<double>;
  static std::optional<absl::Duration> From(const Given& given, std::string_view what) {
    if (!given.has_value()) return std::nullopt;
    return FromSeconds(*given, what);
  }
  static Shown To(const std::optional<absl::Duration>& member) {
    if (!member.has_value()) return std::nullopt;
    return ToSeconds(*member);
  }
  static py::object Plain(const std::optional<absl::Duration>& member) { return py::cast(To(member)); }
};
template <typename Enum>
  requires std::is_enum_v<Enum>
struct Face<Enum> {
  using Given = std::variant<Enum, GivenText>;
  using Shown = Enum;
  static Enum From(const Given& given, std::string_view what) { return ToEnum<Enum>(given, what); }
  static Enum To(Enum member) { return member; }
  static py::object Plain(Enum member) { return py::str(LowerName(member)); }
};

// Bytes of a path that are not UTF-8 are surrogates in its text, as everywhere in Python.
struct PathFace {
  using Given = GivenPath;
  using Shown = py::str;
  static std::string From(const Given& given, std::string_view) { return given.path; }
  static py::str To(const std::string& member) {
    PyObject* const text =
        PyUnicode_DecodeFSDefaultAndSize(member.data(), static_cast<Py_ssize_t>(member.size()));
    if (text == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::str>(text);
  }
  static py::object Plain(const std::string& member) { return To(member); }
};

// Returns "Name(a=1, b='x')" with the fields of `shown`.
inline std::string Repr(std::string_view name, const py::dict& shown) {
  std::string text = absl::StrCat(name, "(");
  std::string_view separator;
  for (const auto& [key, value] : shown) {
    absl::StrAppend(&text, separator, key.cast<std::string>(), "=", py::repr(value).cast<std::string>());
    separator = ", ";
  }
  return text + ")";
}

// Returns the fields as plain values: all of them, or those that differ from Struct{}.
template <typename Struct, typename... Fields>
py::dict PlainFields(const Struct& self, const std::tuple<Fields...>& fields, bool all) {
  py::dict dict;
  const Struct usual;
  const auto add = [&](const auto& field) {
    using Face = typename std::decay_t<decltype(field)>::Face;
    const py::object plain = Face::Plain(self.*field.member);
    if (all || !plain.equal(Face::Plain(usual.*field.member))) dict[field.name] = plain;
  };
  std::apply([&add](const Fields&... field) { (add(field), ...); }, fields);
  return dict;
}

// Binds what makes a struct of fields that are given by name: the constructor and replace().
template <typename Struct, typename... Fields, typename Defaults, typename Check>
void BindMakers(py::class_<Struct>& type, const std::tuple<Fields...>& fields, Defaults defaults, Check check,
                const char* text) {
  const auto fill = [fields, check](Struct options,
                                    const std::optional<typename Fields::Face::Given>&... given) {
    std::apply(
        [&](const Fields&... field) {
          ((given.has_value() ? void(options.*field.member = Fields::Face::From(*given, field.name))
                              : void()),
           ...);
        },
        fields);
    check(options);
    return options;
  };
  std::apply(
      [&](const Fields&... field) {
        type.def(py::init([fill, defaults](const std::optional<typename Fields::Face::Given>&... given) {
                   return fill(defaults(), given...);
                 }),
                 text, py::kw_only(), (py::arg(field.name) = py::none())...);
        type.def(
            "replace",
            [fill](const Struct& self, const std::optional<typename Fields::Face::Given>&... given) {
              return fill(self, given...);
            },
            "A copy with the given fields set to other values.", py::kw_only(),
            (py::arg(field.name) = py::none())...);
      },
      fields);
}

template <typename Struct, typename Field>
void BindField(py::class_<Struct>& type, const Field& field) {
  using Face = typename Field::Face;
  type.def_property(
      field.name,
      [member = field.member](const Struct& self) -> typename Face::Shown { return Face::To(self.*member); },
      [member = field.member, what = field.name](Struct& self, const typename Face::Given& given) {
        self.*member = Face::From(given, what);
      },
      field.text);
}

// Binds pickling. A field that a pickle lacks has its default.
template <typename Struct, typename... Fields>
void BindPickleOfFields(py::class_<Struct>& type, const std::tuple<Fields...>& fields) {
  type.def(py::pickle([fields](const Struct& self) { return PlainFields(self, fields, true); },
                      [fields](const py::dict& state) {
                        Struct options;
                        const auto read = [&](const auto& field) {
                          using Face = typename std::decay_t<decltype(field)>::Face;
                          if (!state.contains(field.name)) return;
                          const auto given = state[field.name].template cast<typename Face::Given>();
                          options.*field.member = Face::From(given, field.name);
                        };
                        std::apply([&read](const Fields&... field) { (read(field), ...); }, fields);
                        return options;
                      }));
}

// Makes `type` a struct of options: keyword-only constructor over `defaults()`, attributes, to_dict(),
// replace(), pickling, == and a repr of the differences from Struct{}. `check` raises if the combination is
// invalid.
template <typename Struct, typename... Fields, typename Defaults, typename Check>
void BindOptions(py::class_<Struct>& type, const char* name, const std::tuple<Fields...>& fields,
                 Defaults defaults, Check check, const char* text) {
  BindMakers(type, fields, defaults, check, text);
  std::apply([&type](const Fields&... field) { (BindField(type, field), ...); }, fields);
  BindPickleOfFields(type, fields);
  type.def(
      "to_dict", [fields](const Struct& self) { return PlainFields(self, fields, true); },
      "Every field as a plain value: durations in seconds, enums by their lower-case name.");
  type.def(
      "__eq__",
      [fields](const Struct& self, const Struct& other) {
        return PlainFields(self, fields, true).equal(PlainFields(other, fields, true));
      },
      py::is_operator());
  type.attr("__hash__") = py::none();
  type.def("__repr__", [fields, name](const Struct& self) {
    py::dict shown = PlainFields(self, fields, false);
    const auto mask = [&shown](const auto& field) {
      if (field.mask != nullptr && shown.contains(field.name))
        shown[field.name] = field.mask(shown[field.name].template cast<std::string>());
    };
    std::apply([&mask](const auto&... field) { (mask(field), ...); }, fields);
    return Repr(name, shown);
  });
}

}  // namespace thaw::python

namespace pybind11::detail {
template <>
struct type_caster<thaw::python::GivenText> {
  PYBIND11_TYPE_CASTER(thaw::python::GivenText, const_name("str"));

  bool load(handle source, bool) {
    if (!PyUnicode_Check(source.ptr())) return false;
    Py_ssize_t size = 0;
    const char* const bytes = PyUnicode_AsUTF8AndSize(source.ptr(), &size);
    if (bytes == nullptr) {
      PyErr_Clear();
      return false;
    }
    value.text.assign(bytes, static_cast<size_t>(size));
    return true;
  }
  static handle cast(const thaw::python::GivenText& given, return_value_policy policy, handle parent) {
    return make_caster<std::string>::cast(given.text, policy, parent);
  }
};

template <>
struct type_caster<thaw::python::GivenBool> {
  PYBIND11_TYPE_CASTER(thaw::python::GivenBool, const_name("bool"));

  // numpy's bool is one, too.
  bool load(handle source, bool) {
    type_caster<bool> plain;
    if (!plain.load(source, /*convert=*/false)) return false;
    value.value = cast_op<bool>(plain);
    return true;
  }
  static handle cast(thaw::python::GivenBool given, return_value_policy, handle) {
    return handle(given.value ? Py_True : Py_False).inc_ref();
  }
};

template <>
struct type_caster<thaw::python::GivenPath> {
  PYBIND11_TYPE_CASTER(thaw::python::GivenPath, const_name("str | os.PathLike[str]"));

  bool load(handle source, bool) {
    const bool is_path =
        PyUnicode_Check(source.ptr()) || PyBytes_Check(source.ptr()) ||
        PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(source.ptr())), "__fspath__");
    if (!is_path) return false;
    const object path = reinterpret_steal<object>(PyOS_FSPath(source.ptr()));
    // The caller sees the exception that `__fspath__` raises, or that of a result of a wrong type.
    if (!path) throw error_already_set();
    object bytes;
    if (path) {
      bytes = PyUnicode_Check(path.ptr()) ? reinterpret_steal<object>(PyUnicode_EncodeFSDefault(path.ptr()))
                                          : path;
    }
    if (!bytes) {
      PyErr_Clear();
      return false;
    }
    value.path = {PyBytes_AS_STRING(bytes.ptr()), static_cast<size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
    return true;
  }
};
}  // namespace pybind11::detail

#endif  // THAW_PYTHON_BINDINGS_VALUES_H_
