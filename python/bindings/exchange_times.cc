// ExchangeTimes: how long the parts of one exchange took.

#include "cc/net/exchange_times.h"

#include <optional>

#include "absl/time/time.h"
#include "python/bindings/bindings.h"
#include "python/bindings/pickling.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using Optional = std::optional<absl::Duration>;

// Reads a part of the dial; none if the exchange had none.
Optional OfDial(const ExchangeTimes& times, Optional (*part)(const DialTimes&)) {
  return times.dial.has_value() ? part(*times.dial) : std::nullopt;
}
Optional NameLookup(const ExchangeTimes& times) {
  return OfDial(times, [](const DialTimes& dial) { return dial.name_lookup; });
}
Optional Connect(const ExchangeTimes& times) {
  return OfDial(times, [](const DialTimes& dial) { return Optional(dial.connect); });
}
Optional Tls(const ExchangeTimes& times) {
  return OfDial(times, [](const DialTimes& dial) { return dial.tls; });
}
bool Resumed(const ExchangeTimes& times) { return times.dial.has_value() && times.dial->resumed; }

py::object Seconds(const Optional& value) { return py::cast(Face<Optional>::To(value)); }

py::dict ToDict(const ExchangeTimes& self) {
  py::dict dict;
  dict["waited"] = ToSeconds(self.waited);
  dict["name_lookup"] = Seconds(NameLookup(self));
  dict["connect"] = Seconds(Connect(self));
  dict["tls"] = Seconds(Tls(self));
  dict["resumed"] = Resumed(self);
  dict["reused"] = self.reused;
  dict["shared"] = self.shared;
  dict["epoch"] = self.epoch;
  dict["first_byte"] = ToSeconds(self.first_byte);
  dict["last_byte"] = ToSeconds(self.last_byte);
  return dict;
}

}  // namespace

template <>
struct Pickled<DialTimes> {
  static py::object Out(const DialTimes& value) {
    return MembersOut(value, &DialTimes::name_lookup, &DialTimes::connect, &DialTimes::tls,
                      &DialTimes::resumed);
  }
  static DialTimes In(py::handle object) {
    return MembersIn<DialTimes>(object, &DialTimes::name_lookup, &DialTimes::connect, &DialTimes::tls,
                                &DialTimes::resumed);
  }
};

void BindExchangeTimes(py::module_& module) {
  using T = ExchangeTimes;
  py::class_<T> type(module, "ExchangeTimes", R"(How long the parts of one exchange took, in seconds.

The monotonic clock measures them. A request that was not answered has none:

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     result = client.send("http://127.0.0.1:1/", b"")
>>> result.times is None, result.elapsed < 5.0
(True, True)
)");
  BindPickling(type, &T::waited, &T::dial, &T::reused, &T::shared, &T::epoch, &T::first_byte, &T::last_byte);
  const auto seconds = [](auto part) {
    return [part](const T& self) { return Face<Optional>::To(part(self)); };
  };
  type.def_property_readonly(
          "waited", [](const T& self) { return ToSeconds(self.waited); },
          "How long the request waited for its connection, a dial included.")
      .def_property_readonly("name_lookup", seconds(&NameLookup),
                             "The part of the dial that found the host's address; None without a dial, or if "
                             "the host is an address.")
      .def_property_readonly("connect", seconds(&Connect),
                             "The part of the dial that connected TCP; None without a dial.")
      .def_property_readonly("tls", seconds(&Tls),
                             "The part of the dial that TLS took; None without a dial or without TLS.")
      .def_property_readonly("resumed", &Resumed, "Whether the dial's TLS resumed an earlier session.")
      .def_property_readonly(
          "reused", [](const T& self) { return self.reused; },
          "Whether the connection had carried a request before, so that there was no dial.")
      .def_property_readonly(
          "shared", [](const T& self) { return self.shared; },
          "Whether another request handed the connection over without its being idle.")
      .def_property_readonly(
          "epoch", [](const T& self) { return self.epoch; },
          "The epoch of the connection: how often the client had been told of a resume.")
      .def_property_readonly(
          "first_byte", [](const T& self) { return ToSeconds(self.first_byte); },
          "The time from the moment when the request had its connection to the answer's first byte.")
      .def_property_readonly(
          "last_byte", [](const T& self) { return ToSeconds(self.last_byte); },
          "The time from the same moment to the answer's last byte.")
      .def("to_dict", &ToDict, "Every field as a plain value.")
      .def("__repr__", [](const T& self) { return Repr("ExchangeTimes", ToDict(self)); });
}

}  // namespace thaw::python
