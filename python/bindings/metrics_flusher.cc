// MetricsPayload and MetricsFlusher.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/clock/clock.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/metric_flusher.h"
#include "cc/metrics/aggregator.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_points.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/metrics/series_payload.h"
#include "cc/metrics/sketch_payload.h"
#include "cc/metrics/statsd_event.h"
#include "python/bindings/bindings.h"
#include "python/bindings/flusher.h"
#include "python/bindings/request.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

// Limits the memory of one payload while it is made.
constexpr size_t kMostBytes = size_t{64} << 20;

struct MetricsPayloadFace {
  MetricReport payload;
  int64_t samples = 0;
  int64_t dropped = 0;
  int64_t others = 0;
  std::map<std::string, int64_t> refused;
};

// The time at which all values were measured.
class OneTime : public Clock {
 public:
  explicit OneTime(absl::Time time) { now_.wall = time; }

  ClockReading Now() const override { return now_; }
  AlarmId SetAlarm(absl::Duration, LateAlarm, absl::AnyInvocable<void()>) override { return kNoAlarm; }
  bool CancelAlarm(AlarmId) override { return false; }
  std::optional<absl::Duration> UntilAlarm(AlarmId) const override { return std::nullopt; }

 private:
  ClockReading now_;
};

class Samples : public MetricSink {
 public:
  explicit Samples(Aggregator& aggregator) : aggregator_(aggregator) {}
  void Add(const MetricSample& sample) override { aggregator_.Add(sample, MetricOwner::kFunction); }

 private:
  Aggregator& aggregator_;
};

class Encoder : public MetricPointTaker {
 public:
  Encoder(absl::Span<const std::string> tags, MetricReport& report)
      : series_tags_(EncodeSeriesTags(tags)), sketch_tags_(EncodeSketchTags(tags)), report_(report) {}

  void TakeSeries(const MetricLabel& label, SeriesType type, absl::Span<const SeriesPoint> points) override {
    AppendSeries(label, type, points, series_tags_, report_.series);
  }
  void TakeSketches(const MetricLabel& label, absl::Span<const SketchPoint> points) override {
    AppendSketches(label, points, sketch_tags_, report_.sketches);
  }

 private:
  const std::string series_tags_;
  const std::string sketch_tags_;
  MetricReport& report_;
};

MetricsPayloadFace FromDogStatsd(const py::buffer& lines, double timestamp,
                                 const std::vector<GivenText>& tags) {
  if (!std::isfinite(timestamp))
    Raise(absl::InvalidArgumentError(absl::StrCat("timestamp is ", timestamp, "; it must be finite")));
  OneTime clock(absl::UnixEpoch() + FromSeconds(timestamp, "timestamp"));
  ByteBudget budget(kMostBytes);
  Aggregator aggregator({.max_bytes = kMostBytes}, clock, budget);
  Samples samples(aggregator);
  MetricsPayloadFace made;
  DogStatsdParser parser(
      {}, samples, [&made](const StatsdEvent&) { ++made.others; },
      [&made](const ServiceCheck&) { ++made.others; });
  py::buffer_info holder;
  parser.Parse(BytesOf(lines, holder));
  parser.counts().Visit([&made](std::string_view name, int64_t value, std::string_view) {
    constexpr std::string_view kRefused = "refused_";
    if (value > 0 && name.starts_with(kRefused))
      made.refused[std::string(name.substr(kRefused.size()))] = value;
  });
  std::vector<std::string> common;
  for (const GivenText& tag : tags) common.push_back(tag.text);
  Encoder encoder(common, made.payload);
  aggregator.Drain(Aggregator::Scope::kAll, encoder);
  made.samples = aggregator.counts().samples;
  made.dropped = aggregator.counts().dropped;
  return made;
}

py::dict ToDict(const MetricsPayloadFace& self) {
  py::dict dict;
  dict["samples"] = self.samples;
  dict["points"] = self.payload.series.points;
  dict["sketches"] = self.payload.sketches.points;
  dict["refused"] = self.refused;
  dict["others"] = self.others;
  dict["dropped"] = self.dropped;
  dict["size"] = self.payload.size();
  return dict;
}

void BindMetricsPayload(py::module_& module) {
  py::class_<MetricsPayloadFace> type(module, "MetricsPayload",
                                      R"(Metrics that were measured at one time, as the intake gets them.

Lines of DogStatsD are aggregated as in the extension: counts are added up, the newest value of a gauge counts,
distributions become sketches, histograms and sets become series. It holds the intake's protobuf.

>>> import thaw
>>> payload = thaw.MetricsPayload.from_dogstatsd(b"hits:1|c\nhits:2|c\nms:1.5:2|d\nx", timestamp=15.0)
>>> payload.samples, payload.points, payload.sketches, payload.refused
(3, 1, 1, {'form': 1})
>>> thaw.MetricsPayload.from_dogstatsd(b"hits:1|c", timestamp=float("nan"))
Traceback (most recent call last):
    ...
thaw.InvalidArgument: timestamp is nan; it must be finite
)");
  type.def_static(
      "from_dogstatsd", &FromDogStatsd,
      "`lines`: bytes, with line feeds between lines. `timestamp`: of all values that have no time of their own, "
      "in seconds since 1970; the intake gets the beginning of its ten seconds. `tags`: name:value, of every "
      "metric beside its own. A line that can't be read costs that line. Raises InvalidArgument for a "
      "timestamp that is no time.",
      py::arg("lines"), py::kw_only(), py::arg("timestamp"), py::arg("tags") = std::vector<GivenText>());
  type.def_property_readonly(
      "samples", [](const MetricsPayloadFace& self) { return self.samples; },
      "Number of lines that were aggregated.");
  type.def_property_readonly(
      "points", [](const MetricsPayloadFace& self) { return self.payload.series.points; },
      "Number of points of series: counts and gauges.");
  type.def_property_readonly(
      "sketches", [](const MetricsPayloadFace& self) { return self.payload.sketches.points; },
      "Number of sketches: distributions.");
  type.def_property_readonly(
      "refused", [](const MetricsPayloadFace& self) { return self.refused; },
      "Number of lines that can't be read, by reason.");
  type.def_property_readonly(
      "others", [](const MetricsPayloadFace& self) { return self.others; },
      "Number of lines that are events or service checks, which are left out.");
  type.def_property_readonly(
      "dropped", [](const MetricsPayloadFace& self) { return self.dropped; },
      "Number of lines for which there was no room.");
  type.def_property_readonly(
      "size", [](const MetricsPayloadFace& self) { return self.payload.size(); }, "Bytes as protobuf.");
  type.def("to_dict", &ToDict, "Every count as a plain value.");
  type.def("__repr__", [](const MetricsPayloadFace& self) {
    py::dict shown;
    for (const auto& [key, value] : ToDict(self))
      if (PyObject_IsTrue(value.ptr()) == 1) shown[key] = value;
    return Repr("MetricsPayload", shown);
  });
}

}  // namespace

void BindMetricsFlusher(py::module_& module) {
  BindMetricsPayload(module);
  BindFlusher<MetricReportFlusher, MetricsPayloadFace>(
      module, "MetricsFlusher",
      R"(Delivers metrics: keeps payloads until the intake took them.

Series and sketches of a payload go to /api/v2/series and /api/beta/sketches below the endpoint; a payload is
delivered when both parts are. What the intake may have taken is not sent again but dropped, counted as
ambiguous_dropped: a count twice is wrong. Lives on its client's thread, and as long as the client. Any thread
may call it.

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     flusher = thaw.MetricsFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
...     flusher.add(thaw.MetricsPayload.from_dogstatsd(b"hits:1|c", timestamp=15.0))
...     report = flusher.flush(deadline=2.0)
...     report.delivered, report.retained
1
(0, 1)
)");
}

}  // namespace thaw::python
