// Makes value types picklable, so that they can be copied and sent to other processes: as tuples of their
// members. Objects whose members are the same are equal, and have the same hash.
//
//   BindPickling(type, &ClockReading::wall, &ClockReading::monotonic, &ClockReading::boot);
//
// Unpickling gives exactly the pickled value; the texts of peers may be any bytes.

#ifndef THAW_PYTHON_BINDINGS_PICKLING_H_
#define THAW_PYTHON_BINDINGS_PICKLING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "pybind11/pybind11.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {

// Converts a member to a plain object and back.
template <typename T>
struct Pickled {
  static py::object Out(const T& value) { return py::cast(value); }
  static T In(py::handle object) { return object.cast<T>(); }
};
template <typename T>
  requires std::is_base_of_v<py::object, T>
struct Pickled<T> {
  static py::object Out(const T& value) { return value; }
  static T In(py::handle object) { return object.cast<T>(); }
};
template <>
struct Pickled<std::string> {
  static py::object Out(const std::string& value) { return py::bytes(value); }
  static std::string In(py::handle object) { return object.cast<std::string>(); }
};
template <typename T>
struct Pickled<std::optional<T>> {
  static py::object Out(const std::optional<T>& value) {
    if (!value.has_value()) return py::none();
    return py::make_tuple(Pickled<T>::Out(*value));
  }
  static std::optional<T> In(py::handle object) {
    if (object.is_none()) return std::nullopt;
    return Pickled<T>::In(object.cast<py::tuple>()[0]);
  }
};
template <typename T>
struct Pickled<std::vector<T>> {
  static py::object Out(const std::vector<T>& values) {
    py::list list;
    for (const T& value : values) list.append(Pickled<T>::Out(value));
    return list;
  }
  static std::vector<T> In(py::handle object) {
    std::vector<T> values;
    for (const py::handle item : object.cast<py::list>()) values.push_back(Pickled<T>::In(item));
    return values;
  }
};
template <typename A, typename B>
struct Pickled<std::pair<A, B>> {
  static py::object Out(const std::pair<A, B>& value) {
    return py::make_tuple(Pickled<A>::Out(value.first), Pickled<B>::Out(value.second));
  }
  static std::pair<A, B> In(py::handle object) {
    const auto both = object.cast<py::tuple>();
    return {Pickled<A>::In(both[0]), Pickled<B>::In(both[1])};
  }
};
// A Duration consists of seconds and quarters of a nanosecond; the infinite ones are floats.
template <>
struct Pickled<absl::Duration> {
  static py::object Out(absl::Duration value) {
    if (value == absl::InfiniteDuration() || value == -absl::InfiniteDuration()) {
      return py::float_(absl::ToDoubleSeconds(value));
    }
    absl::Duration rest;
    const int64_t seconds = absl::IDivDuration(value, absl::Seconds(1), &rest);
    return py::make_tuple(seconds, absl::IDivDuration(rest, absl::Nanoseconds(1) / 4, &rest));
  }
  static absl::Duration In(py::handle object) {
    if (py::isinstance<py::float_>(object)) return absl::Seconds(object.cast<double>());
    const auto [seconds, quarters] = object.cast<std::pair<int64_t, int64_t>>();
    return absl::Seconds(seconds) + quarters * (absl::Nanoseconds(1) / 4);
  }
};
template <>
struct Pickled<absl::Time> {
  static py::object Out(absl::Time value) { return Pickled<absl::Duration>::Out(value - absl::UnixEpoch()); }
  static absl::Time In(py::handle object) { return absl::UnixEpoch() + Pickled<absl::Duration>::In(object); }
};
template <>
struct Pickled<absl::Status> {
  static py::object Out(const absl::Status& value) {
    return py::make_tuple(value.raw_code(), py::bytes(std::string(value.message())));
  }
  static absl::Status In(py::handle object) {
    const auto both = object.cast<py::tuple>();
    return {static_cast<absl::StatusCode>(both[0].cast<int>()), both[1].cast<std::string>()};
  }
};

// Converts a struct to a tuple of its members and back.
template <typename Struct, typename... Members>
py::tuple MembersOut(const Struct& value, Members Struct::*... members) {
  return py::make_tuple(Pickled<Members>::Out(value.*members)...);
}
template <typename Struct, typename... Members>
Struct MembersIn(py::handle object, Members Struct::*... members) {
  const auto state = object.cast<py::tuple>();
  if (state.size() != sizeof...(Members)) {
    Raise(absl::InvalidArgumentError(absl::StrCat("a pickle of ", state.size(), " members, not of ",
                                                  sizeof...(Members), ": another version of thaw made it")));
  }
  auto value = Struct();  // a list is not made of {}
  size_t next = 0;
  ((value.*members = Pickled<Members>::In(state[next++])), ...);
  return value;
}

// Compares objects by what `out` returns for them. `key` returns what the hash is made of: something that is
// the same for equal objects.
template <typename Struct, typename Out, typename Key>
void BindEquality(py::class_<Struct>& type, Out out, Key key) {
  type.def(
      "__eq__", [out](const Struct& self, const Struct& other) { return out(self).equal(out(other)); },
      py::is_operator());
  type.def("__hash__", [key](const Struct& self) { return py::hash(key(self)); });
}

template <typename Struct, typename... Members>
void BindPickling(py::class_<Struct>& type, Members Struct::*... members) {
  const auto out = [members...](const Struct& self) { return MembersOut(self, members...); };
  type.def(
      py::pickle(out, [members...](const py::tuple& state) { return MembersIn<Struct>(state, members...); }));
  // Members may be lists and dicts, which have no hash.
  BindEquality(type, out, [out](const Struct& self) { return py::repr(out(self)); });
}

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_PICKLING_H_
