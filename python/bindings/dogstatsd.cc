// parse_dogstatsd, and MetricSample and DogStatsdLines, which it returns.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/base/printable.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/statsd_event.h"
#include "pybind11/typing.h"
#include "python/bindings/bindings.h"
#include "python/bindings/pickling.h"
#include "python/bindings/request.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

// Text of a client. Bytes that are not UTF-8 become U+FFFD.
py::str ToText(std::string_view bytes) {
  PyObject* const text = PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace");
  if (text == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(text);
}

py::object ToSeconds(std::optional<absl::Time> time) {
  if (!time.has_value()) return py::none();
  return py::float_(absl::ToDoubleSeconds(*time - absl::UnixEpoch()));
}

py::list ToTexts(absl::Span<const std::string_view> given) {
  py::list texts;
  for (const std::string_view each : given) texts.append(ToText(each));
  return texts;
}

const char* WordOf(MetricType type) {
  switch (type) {
    case MetricType::kCount:
      return "count";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kDistribution:
      return "distribution";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kSet:
      return "set";
  }
  return "unknown";
}

struct SampleFace {
  py::str name;
  std::string type;
  std::vector<double> values;
  py::str member;
  double weight;
  py::object time;
  py::list tags;
};

struct LinesFace : MetricSink {
  void Add(const MetricSample& sample) override {
    samples.append(SampleFace{.name = ToText(sample.name),
                              .type = WordOf(sample.type),
                              .values = {sample.values.begin(), sample.values.end()},
                              .member = ToText(sample.member),
                              .weight = sample.weight,
                              .time = ToSeconds(sample.time),
                              .tags = ToTexts(sample.tags)});
  }
  void AddEvent(const StatsdEvent& event) {
    py::dict dict;
    dict["title"] = ToText(event.title);
    dict["text"] = ToText(event.text);
    dict["time"] = ToSeconds(event.time);
    dict["host"] = ToText(event.host);
    dict["aggregation_key"] = ToText(event.aggregation_key);
    dict["priority"] = ToText(event.priority);
    dict["source_type"] = ToText(event.source_type);
    dict["alert_type"] = ToText(event.alert_type);
    dict["tags"] = ToTexts(event.tags);
    events.append(std::move(dict));
  }
  void AddCheck(const ServiceCheck& check) {
    py::dict dict;
    dict["name"] = ToText(check.name);
    dict["status"] = static_cast<int>(check.status);
    dict["time"] = ToSeconds(check.time);
    dict["host"] = ToText(check.host);
    dict["message"] = ToText(check.message);
    dict["tags"] = ToTexts(check.tags);
    service_checks.append(std::move(dict));
  }

  py::list samples;
  py::list events;
  py::list service_checks;
  std::map<std::string, int64_t> refused;
  py::str first_refused;
};

// Raises for a prefix with which no name would be that of a metric; the parser only normalises what follows it.
void CheckPrefix(const std::string& prefix) {
  const bool usable =
      prefix.empty() || (absl::ascii_isalpha(static_cast<unsigned char>(prefix.front())) &&
                         std::all_of(prefix.begin(), prefix.end(), [](char c) {
                           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
                         }));
  if (!usable) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("name_prefix is \"", Printable(prefix),
                     "\"; it must begin with a letter, and consist of letters, digits, '_' and '.'")));
  }
}

LinesFace ParseDogStatsd(const py::buffer& datagram, const GivenText& name_prefix) {
  CheckPrefix(name_prefix.text);
  py::buffer_info holder;
  const std::string_view bytes = BytesOf(datagram, holder);
  LinesFace lines;
  DogStatsdParser parser(
      {.name_prefix = name_prefix.text}, lines, [&lines](const StatsdEvent& event) { lines.AddEvent(event); },
      [&lines](const ServiceCheck& check) { lines.AddCheck(check); });
  parser.Parse(bytes);
  parser.counts().Visit([&lines](const char* name, int64_t value, const char*) {
    constexpr std::string_view kRefused = "refused_";
    if (value > 0 && std::string_view(name).starts_with(kRefused))
      lines.refused[name + kRefused.size()] = value;
  });
  lines.first_refused = ToText(parser.first_refused());
  return lines;
}

py::dict ToDict(const SampleFace& self) {
  py::dict dict;
  dict["name"] = self.name;
  dict["type"] = self.type;
  dict["values"] = self.values;
  dict["member"] = self.member;
  dict["weight"] = self.weight;
  dict["time"] = self.time;
  dict["tags"] = self.tags;
  return dict;
}

void BindSample(py::module_& module) {
  py::class_<SampleFace> type(module, "MetricSample", R"(A line of DogStatsD: one report of a metric.

>>> import thaw
>>> (sample,) = thaw.parse_dogstatsd(b"page.time:12.5:20|d|@0.5|#env:prod").samples
>>> sample.name, sample.type, sample.values, sample.weight, sample.tags
('page.time', 'distribution', [12.5, 20.0], 2.0, ['env:prod'])
)");
  type.def_property_readonly(
      "name", [](const SampleFace& self) { return self.name; }, "The metric, normalised.");
  type.def_property_readonly(
      "type", [](const SampleFace& self) { return self.type; },
      "count, gauge, distribution, histogram (which timers are, too) or set.");
  type.def_property_readonly(
      "values", [](const SampleFace& self) { return self.values; }, "Its values; a set has none.");
  type.def_property_readonly(
      "member", [](const SampleFace& self) { return self.member; }, "The text that a set counts.");
  type.def_property_readonly(
      "weight", [](const SampleFace& self) { return self.weight; },
      "How many reports it stands for: 1 divided by the client's sample rate.");
  type.def_property_readonly(
      "time", [](const SampleFace& self) -> py::typing::Optional<py::float_> { return self.time; },
      "Seconds since 1970, of counts and gauges that say when they were measured.");
  type.def_property_readonly(
      "tags", [](const SampleFace& self) -> py::typing::List<py::str> { return self.tags; },
      "Its tags, normalised, in the client's order.");
  type.def("to_dict", &ToDict, "Every field as a plain value.");
  BindPickling(type, &SampleFace::name, &SampleFace::type, &SampleFace::values, &SampleFace::member,
               &SampleFace::weight, &SampleFace::time, &SampleFace::tags);
  type.def("__repr__", [](const SampleFace& self) { return Repr("MetricSample", ToDict(self)); });
}

}  // namespace

void BindDogStatsd(py::module_& module) {
  BindSample(module);
  py::class_<LinesFace> type(module, "DogStatsdLines", R"(The content of a datagram of DogStatsD.

>>> import thaw
>>> lines = thaw.parse_dogstatsd(b"a:1|c\nb:x|g\n_sc|db|2|m:down")
>>> len(lines.samples), lines.refused, lines.first_refused
(1, {'value': 1}, 'refused_value: b:x|g')
>>> lines.service_checks[0]["status"]
2
)");
  type.def_property_readonly(
      "samples", [](const LinesFace& self) -> py::typing::List<SampleFace> { return self.samples; },
      "Its metrics, in order.");
  type.def_property_readonly(
      "events",
      [](const LinesFace& self) -> py::typing::List<py::typing::Dict<py::str, py::object>> {
        return self.events;
      },
      "Its events: title, text, time, host, aggregation_key, priority, source_type, alert_type, tags.");
  type.def_property_readonly(
      "service_checks",
      [](const LinesFace& self) -> py::typing::List<py::typing::Dict<py::str, py::object>> {
        return self.service_checks;
      },
      "Its service checks: name, status, time, host, message, tags.");
  type.def_property_readonly(
      "refused", [](const LinesFace& self) { return self.refused; },
      "The number of lines that could not be read, by reason.");
  type.def_property_readonly(
      "first_refused", [](const LinesFace& self) { return self.first_refused; },
      "Why the first such line could not be read, and its beginning; empty if there is none.");
  BindPickling(type, &LinesFace::samples, &LinesFace::events, &LinesFace::service_checks, &LinesFace::refused,
               &LinesFace::first_refused);
  type.def("__repr__", [](const LinesFace& self) {
    py::dict shown;
    shown["samples"] = self.samples.size();
    shown["events"] = self.events.size();
    shown["service_checks"] = self.service_checks.size();
    shown["refused"] = self.refused;
    return Repr("DogStatsdLines", shown);
  });
  module.def(
      "parse_dogstatsd", &ParseDogStatsd,
      "Reads a datagram of the DogStatsD protocol, as the extension does. `name_prefix` stands before the "
      "name of each metric. A line that can't be read costs that line alone.",
      py::arg("datagram"), py::kw_only(), py::arg("name_prefix") = GivenText{});
}

}  // namespace thaw::python
