#include "python/bindings/clock.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/clock.h"
#include "cc/clock/fake_clock.h"
#include "cc/clock/system_clock.h"
#include "python/bindings/bindings.h"
#include "python/bindings/pickling.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

double WallSeconds(const ClockReading& reading) { return ToSeconds(reading.wall - absl::UnixEpoch()); }

py::dict ToDict(const ClockReading& reading) {
  py::dict dict;
  dict["wall"] = WallSeconds(reading);
  dict["monotonic"] = ToSeconds(reading.monotonic);
  dict["boot"] = ToSeconds(reading.boot);
  return dict;
}

FakeClock::Step ToStep(std::optional<double> all, std::optional<double> wall, std::optional<double> monotonic,
                       std::optional<double> boot) {
  if (all.has_value() && (wall || monotonic || boot)) {
    Raise(absl::InvalidArgumentError(
        "either seconds for all three clocks or wall, monotonic and boot by name"));
  }
  if (all.value_or(0) < 0 || monotonic.value_or(0) < 0) {
    Raise(absl::InvalidArgumentError("the monotonic clock can't go back"));
  }
  const double rest = all.value_or(0);
  return {FromSeconds(wall.value_or(rest), "wall"), FromSeconds(monotonic.value_or(rest), "monotonic"),
          FromSeconds(boot.value_or(rest), "boot")};
}

void Move(FakeClockFace& self, FakeClockFace::Move move, FakeClock::Step step) {
  (self.clock.*move)(step);
  self.executor.RunAll();
  if (self.move_client != nullptr) self.move_client(move, step);
}

void BindReading(py::module_& module) {
  py::class_<ClockReading> reading(module, "ClockReading",
                                   R"(A reading of three clocks at one time; a freeze makes them disagree.

>>> import thaw
>>> thaw.FakeClock().now().to_dict()
{'wall': 1767225600.0, 'monotonic': 1000.0, 'boot': 2000.0}
)");
  BindPickling(reading, &ClockReading::wall, &ClockReading::monotonic, &ClockReading::boot);
  reading
      .def_property_readonly("wall", &WallSeconds,
                             "Seconds since 1970-01-01T00:00:00Z; steps when the clock is set.")
      .def_property_readonly(
          "monotonic", [](const ClockReading& self) { return ToSeconds(self.monotonic); },
          "Seconds since an arbitrary origin; never steps back.")
      .def_property_readonly(
          "boot", [](const ClockReading& self) { return ToSeconds(self.boot); },
          "Seconds as of `monotonic`, with the time for which the kernel knows that it was suspended.")
      .def(
          "largest_advance",
          [](const ClockReading& self, const ClockReading& later) {
            return ToSeconds(LargestAdvance(self, later));
          },
          "Returns the largest advance of the three clocks until `later`, in seconds; never negative.",
          py::arg("later"))
      .def("to_dict", &ToDict, "The three readings by name.")
      .def("__repr__", [](const ClockReading& self) { return Repr("ClockReading", ToDict(self)); });
}

void BindSystemClock(py::module_& module) {
  py::class_<SystemClockFace>(module, "Clock", R"(The machine's own clocks.

>>> import thaw
>>> earlier = thaw.Clock().now()
>>> thaw.Clock().now().monotonic >= earlier.monotonic
True
)")
      .def(py::init<>())
      .def(
          "now", [](const SystemClockFace&) { return ReadSystemClocks(); }, "Reads all three clocks.")
      .def("__repr__", [](const SystemClockFace&) { return "Clock()"; });
}

void BindFakeClock(py::module_& module) {
  py::class_<FakeClockFace, std::shared_ptr<FakeClockFace>>(
      module, "FakeClock",
      R"(A clock that you move, each of its three times by itself.

>>> import thaw
>>> clock = thaw.FakeClock()
>>> start = clock.now()
>>> clock.advance(1.5)                 # all three
>>> clock.advance(wall=90)             # a freeze that only the wall clock saw
>>> later = clock.now()
>>> later.wall - start.wall, later.monotonic - start.monotonic
(91.5, 1.5)
>>> start.largest_advance(later)
91.5

`Client(clock=clock)` makes one client run by it: its deadlines, delays and idle limits pass only as the clock
is moved, while its sockets are real. So a blocking call that waits for time alone waits for another thread
to move the clock. Simulations (thaw.simulate) have a fake clock of their own inside.
)")
      .def(py::init<>())
      .def(
          "now", [](const FakeClockFace& self) { return self.clock.Now(); }, "The present reading.")
      .def(
          "advance",
          [](FakeClockFace& self, std::optional<double> seconds, std::optional<double> wall,
             std::optional<double> monotonic, std::optional<double> boot) {
            Move(self, &FakeClock::Advance, ToStep(seconds, wall, monotonic, boot));
          },
          "Moves all three clocks by `seconds`, or each by its own step, as running time does. Steps may be "
          "negative, except monotonic.",
          py::arg("seconds") = py::none(), py::kw_only(), py::arg("wall") = py::none(),
          py::arg("monotonic") = py::none(), py::arg("boot") = py::none())
      .def(
          "freeze",
          [](FakeClockFace& self, std::optional<double> seconds, std::optional<double> wall,
             std::optional<double> monotonic, std::optional<double> boot) {
            Move(self, &FakeClock::Freeze, ToStep(seconds, wall, monotonic, boot));
          },
          "Moves the clocks in one go while nothing runs: what came due meanwhile is late.",
          py::arg("seconds") = py::none(), py::kw_only(), py::arg("wall") = py::none(),
          py::arg("monotonic") = py::none(), py::arg("boot") = py::none())
      .def("__repr__", [](const FakeClockFace& self) {
        return Repr("FakeClock", py::dict(py::arg("now") = self.clock.Now()));
      });
}

}  // namespace

void BindClock(py::module_& module) {
  BindReading(module);
  BindSystemClock(module);
  BindFakeClock(module);
}

}  // namespace thaw::python
