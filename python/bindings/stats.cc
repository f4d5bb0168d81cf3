#include "python/bindings/stats.h"

#include "cc/base/declare_counts.h"
#include "python/bindings/bindings.h"
#include "python/bindings/counts.h"
#include "python/bindings/pickling.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

py::dict ToDict(const ConnectionStats& stats) {
  py::dict dict = CountsToDict(stats.counts);
  dict["open"] = stats.open;
  dict["idle"] = stats.idle;
  return dict;
}

py::dict ToDict(const ExchangeStats& stats) {
  py::dict dict = CountsToDict(stats.counts);
  dict["open"] = stats.open;
  return dict;
}

}  // namespace

template <>
struct Pickled<Histogram> {
  static py::object Out(const Histogram& histogram) {
    const Histogram::State state = histogram.state();
    py::dict buckets;
    for (size_t i = 0; i < state.buckets.size(); ++i) {
      if (state.buckets[i] != 0) buckets[py::int_(i)] = state.buckets[i];
    }
    return py::make_tuple(buckets, Pickled<absl::Duration>::Out(state.sum),
                          Pickled<absl::Duration>::Out(state.max), Pickled<absl::Duration>::Out(state.last));
  }
  static Histogram In(py::handle object) {
    const auto parts = object.cast<py::tuple>();
    Histogram::State state;
    for (const auto& [index, count] : parts[0].cast<py::dict>()) {
      const auto i = index.cast<size_t>();
      if (i < state.buckets.size()) state.buckets[i] = count.cast<uint32_t>();
    }
    state.sum = Pickled<absl::Duration>::In(parts[1]);
    state.max = Pickled<absl::Duration>::In(parts[2]);
    state.last = Pickled<absl::Duration>::In(parts[3]);
    return Histogram::FromState(state);
  }
};

// Pickles counts as a dict of their names; one that another version of thaw lacked is zero.
template <>
struct Pickled<ConnectionCounts> {
  static py::object Out(const ConnectionCounts& counts) {
    py::dict dict = ToDict(ConnectionStats{.counts = counts});
    counts.VisitHistograms([&dict](const char* name, const Histogram& histogram, const char*) {
      dict[name] = Pickled<Histogram>::Out(histogram);
    });
    return dict;
  }
  static ConnectionCounts In(py::handle object) {
    const auto dict = object.cast<py::dict>();
    auto counts = CountsFromDict<ConnectionCounts>(dict);
#define THAW_READ(name, text) \
  if (dict.contains(#name)) counts.name = Pickled<Histogram>::In(dict[#name]);
    THAW_CONNECTION_HISTOGRAMS(THAW_READ)
#undef THAW_READ
    return counts;
  }
};
template <>
struct Pickled<ExchangeCounts> {
  static py::object Out(const ExchangeCounts& counts) { return ToDict(ExchangeStats{.counts = counts}); }
  static ExchangeCounts In(py::handle object) {
    return CountsFromDict<ExchangeCounts>(object.cast<py::dict>());
  }
};

namespace {

template <typename Stats>
void BindCommon(py::class_<Stats>& type, const char* name) {
  type.def_property_readonly(
          "open", [](const Stats& self) { return self.open; }, "The number that is open now.")
      .def(
          "to_dict", [](const Stats& self) { return ToDict(self); }, "Every counter by its name.")
      .def("__repr__", [name](const Stats& self) {
        py::dict shown;
        for (const auto& [key, value] : ToDict(self)) {
          if (py::cast<int64_t>(value) != 0) shown[key] = value;
        }
        return Repr(name, shown);
      });
}

}  // namespace

void BindStats(py::module_& module) {
  py::class_<ConnectionStats> connections(
      module, "ConnectionStats",
      R"(Counts of a client's connections so far. The repr leaves out zeros.

>>> import thaw
>>> with thaw.Client() as client:
...     client.resume()
...     client.connections
ConnectionStats(resumes=1)
)");
  BindCommon(connections, "ConnectionStats");
  BindPickling(connections, &ConnectionStats::counts, &ConnectionStats::open, &ConnectionStats::idle);
  connections.def_property_readonly(
      "idle", [](const ConnectionStats& self) { return self.idle; },
      "The number of open connections that are idle now.");
#define THAW_BIND(name, text)        \
  connections.def_property_readonly( \
      #name, [](const ConnectionStats& self) { return self.counts.name; }, text);
  THAW_CONNECTION_COUNTS(THAW_BIND)
#undef THAW_BIND
#define THAW_BIND(name, text)                                                              \
  connections.def_property_readonly(                                                       \
      #name, [](const ConnectionStats& self) { return HistogramToMap(self.counts.name); }, \
      text ": count, sum, p50, p95, p99 and max, times in seconds");
  THAW_CONNECTION_HISTOGRAMS(THAW_BIND)
#undef THAW_BIND

  py::class_<ExchangeStats> exchanges(module, "ExchangeStats",
                                      R"(Counts of a client's exchanges so far. The repr leaves out zeros.

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     accepted = client.send("http://127.0.0.1:1/", budget=5.0).accepted
...     accepted, client.exchanges.requests, client.exchanges.attempts, client.exchanges.unreachable
(False, 1, 1, 1)
)");
  BindCommon(exchanges, "ExchangeStats");
  BindPickling(exchanges, &ExchangeStats::counts, &ExchangeStats::open);
#define THAW_BIND_2(name, text) \
  exchanges.def_property_readonly(#name, [](const ExchangeStats& self) { return self.counts.name; }, text);
#define THAW_BIND_3(retry_class, name, text) THAW_BIND_2(name, text)
#define THAW_BIND(...) THAW_PICK_COUNT(__VA_ARGS__, THAW_BIND_3, THAW_BIND_2, )(__VA_ARGS__)
  THAW_EXCHANGE_COUNTS(THAW_BIND)
#undef THAW_BIND
#undef THAW_BIND_3
#undef THAW_BIND_2
}

}  // namespace thaw::python
