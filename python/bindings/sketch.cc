// DDSketch.

#include <cmath>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/protobuf_writer.h"
#include "cc/sketch/agent_sketch.h"
#include "python/bindings/bindings.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

// Raises InvalidArgument, naming `what`, unless the number is finite.
double Finite(double value, std::string_view what) {
  if (!std::isfinite(value)) {
    Raise(absl::InvalidArgumentError(absl::StrCat(what, " is ", value, "; it must be finite")));
  }
  return value;
}

void Insert(AgentSketch& self, double value, double weight) {
  if (!(Finite(weight, "weight") > 0)) {
    Raise(absl::InvalidArgumentError(absl::StrCat("weight is ", weight, "; it must be above 0")));
  }
  self.Insert(Finite(value, "value"), weight);
}

double Quantile(const AgentSketch& self, double q) {
  if (!(q >= 0 && q <= 1)) {
    Raise(absl::InvalidArgumentError(absl::StrCat("q is ", q, "; it must be between 0 and 1")));
  }
  return self.Quantile(q);
}

double ValueOf(int64_t key) {
  if (key < -AgentSketch::kMaxKey || key > AgentSketch::kMaxKey) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("key is ", key, "; the highest is ", AgentSketch::kMaxKey, ", of either sign")));
  }
  return AgentSketch::ValueOf(static_cast<int32_t>(key));
}

std::map<int32_t, int64_t> BinsOf(const AgentSketch& self) {
  std::map<int32_t, int64_t> bins;
  for (const AgentSketch::Bin& bin : self.bins()) bins[bin.key] += bin.count;
  return bins;
}

py::bytes ToProtobuf(const AgentSketch& self) {
  ProtobufWriter writer;
  self.Encode(writer);
  return py::bytes(writer.bytes().data(), writer.size());
}

py::dict Summary(const AgentSketch& self) {
  py::dict dict;
  dict["count"] = self.count();
  dict["min"] = self.min();
  dict["max"] = self.max();
  dict["sum"] = self.sum();
  dict["average"] = self.average();
  return dict;
}

}  // namespace

void BindSketch(py::module_& module) {
  py::class_<AgentSketch> type(module, "DDSketch",
                               R"(A histogram in the form in which Datadog merges distributions.

Quantiles are right to within 1/128 of the value. What is kept does not depend on the order in which values and
sketches are added. One sketch must not be used by two threads at once.

>>> import thaw
>>> times = thaw.DDSketch([12.5, 12.5, 40.0])
>>> times.count, times.sum, times.bins
(3, 65.0, {1501: 2, 1576: 1})
>>> other = thaw.DDSketch()
>>> other.insert(-3.0, weight=10)
>>> times.merge(other)
>>> times.count, times.min
(13, -3.0)
)");
  type.def(py::init([](const std::vector<double>& values) {
             AgentSketch sketch;
             for (const double value : values) Insert(sketch, value, 1);
             return sketch;
           }),
           "Raises InvalidArgument for a value that is not finite.",
           py::arg("values") = std::vector<double>());
  type.def(
      "insert", &Insert,
      "Counts a value `weight` times. Raises InvalidArgument unless both are finite and the weight is above "
      "0.",
      py::arg("value"), py::arg("weight") = 1.0);
  type.def(
      "merge",
      [](AgentSketch& self, const AgentSketch& other) {
        // A sketch that is added to itself must not change while it is read.
        self.Merge(&self == &other ? AgentSketch(other) : other);
      },
      "Adds all values that were inserted into the other sketch.", py::arg("other"));
  type.def("quantile", &Quantile,
           "Returns the value below which the part `q`, 0 to 1, of all values is. Raises InvalidArgument "
           "for another `q`.",
           py::arg("q"));
  type.def_static(
      "key_of", [](double value) { return AgentSketch::KeyOf(Finite(value, "value")); },
      "Returns the key of the bin that counts a value.", py::arg("value"));
  type.def_static(
      "value_of", &ValueOf,
      "Returns the value that stands for all values of a key; infinity for the highest, 32767. Raises "
      "InvalidArgument beyond it.",
      py::arg("key"));
  type.def_property_readonly("count", &AgentSketch::count, "Number of values.");
  type.def_property_readonly("min", &AgentSketch::min, "The least value; 0 if there is none.");
  type.def_property_readonly("max", &AgentSketch::max, "The largest value; 0 if there is none.");
  type.def_property_readonly("sum", &AgentSketch::sum, "The sum of all values.");
  type.def_property_readonly("average", &AgentSketch::average, "The mean of all values; 0 if there is none.");
  type.def_property_readonly("bins", &BinsOf, "How many values each key has, in the order of keys.");
  type.def("to_protobuf", &ToProtobuf, "Returns the fields of a protobuf Dogsketch, except for its time.");
  type.def("to_dict", &Summary, "The summary of all values, without bins.");
  type.def("__repr__", [](const AgentSketch& self) { return Repr("DDSketch", Summary(self)); });
}

}  // namespace thaw::python
