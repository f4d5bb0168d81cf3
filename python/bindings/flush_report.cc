// FlushReport: the result of one flush.

#include "cc/flush/flush_report.h"

#include <map>
#include <string>

#include "cc/flush/drop_reason.h"
#include "python/bindings/bindings.h"
#include "python/bindings/counts.h"
#include "python/bindings/pickling.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

py::dict ToDict(const FlushReport& self) {
  py::dict dict;
  dict["payloads"] = self.payloads;
  dict["delivered"] = self.delivered;
  dict["retained"] = self.retained;
  dict["dropped"] = NonzeroCountsToMap(self.dropped);
  dict["requests"] = self.requests;
  dict["attempts"] = self.attempts;
  dict["possible_duplicates"] = self.possible_duplicates;
  dict["additional_delivered"] = self.additional_delivered;
  dict["additional_dropped"] = NonzeroCountsToMap(self.additional_dropped);
  dict["refused_by_status"] = self.refused_by_status;
  py::list failures;
  for (const ExchangeFailure& failure : self.failures) failures.append(py::cast(failure).attr("to_dict")());
  dict["failures"] = failures;
  py::list exchanges;
  for (const ExchangeTimes& times : self.exchanges) exchanges.append(py::cast(times).attr("to_dict")());
  dict["exchanges"] = exchanges;
  dict["errors"] = self.errors;
  dict["additional_retained"] = self.additional_retained;
  dict["held"] = self.held;
  dict["out_of_reach"] = self.out_of_reach;
  dict["skipped"] = self.skipped;
  dict["stalled"] = self.stalled;
  dict["elapsed"] = ToSeconds(self.elapsed);
  return dict;
}

}  // namespace

// Pickles the counts by the names of the reasons that occurred.
template <>
struct Pickled<DropCounts> {
  static py::object Out(const DropCounts& counts) { return py::cast(NonzeroCountsToMap(counts)); }
  static DropCounts In(py::handle object) { return CountsFromDict<DropCounts>(object.cast<py::dict>()); }
};

namespace {

// Makes a getter of a member.
constexpr auto kRead = [](auto member) { return [member](const FlushReport& self) { return self.*member; }; };

// Counts of the outcomes of payloads and requests.
void BindCounts(py::class_<FlushReport>& type) {
  type.def_property_readonly("payloads", kRead(&FlushReport::payloads),
                             "Payloads that ended: delivered and dropped.")
      .def_property_readonly("delivered", kRead(&FlushReport::delivered),
                             "Payloads that the intake accepted.")
      .def_property_readonly("retained", kRead(&FlushReport::retained), "Payloads still kept at the end.")
      .def_property_readonly(
          "dropped", [](const FlushReport& self) { return NonzeroCountsToMap(self.dropped); },
          "Payloads given up, by reason.")
      .def_property_readonly("requests", kRead(&FlushReport::requests), "Requests given to the client.")
      .def_property_readonly("attempts", kRead(&FlushReport::attempts), "Tries, as the client counts them.")
      .def_property_readonly("possible_duplicates", kRead(&FlushReport::possible_duplicates),
                             "Payloads delivered after an earlier try that the intake may have accepted, "
                             "too.")
      .def_property_readonly("additional_delivered", kRead(&FlushReport::additional_delivered),
                             "Requests that additional endpoints accepted.")
      .def_property_readonly(
          "additional_dropped",
          [](const FlushReport& self) { return NonzeroCountsToMap(self.additional_dropped); },
          "Requests to additional endpoints that were given up, by reason.")
      .def_property_readonly("additional_retained", kRead(&FlushReport::additional_retained),
                             "Requests to additional endpoints still kept at the end.")
      .def_property_readonly("held", kRead(&FlushReport::held),
                             "Requests that are not sent again before the shutdown, since the intake may "
                             "have them after several tries.")
      .def_property_readonly("refused_by_status", kRead(&FlushReport::refused_by_status),
                             "Requests refused for good, by status.");
}

// Why and how the flush ended.
void BindOutcome(py::class_<FlushReport>& type) {
  type.def_property_readonly("failures", kRead(&FlushReport::failures), "Each failed try.")
      .def_property_readonly("exchanges", kRead(&FlushReport::exchanges),
                             "The times of each request that was answered, with any status, in the order "
                             "in which they ended; of all flushes together, the latest 100.")
      .def_property_readonly("errors", kRead(&FlushReport::errors), "The errors that were logged.")
      .def_property_readonly(
          "skipped", kRead(&FlushReport::skipped),
          "Whether a destination was out of reach (its breaker was open), so that its requests were not "
          "tried.")
      .def_property_readonly("stalled", kRead(&FlushReport::stalled),
                             "Whether it ended because there was no progress.")
      .def_property_readonly(
          "out_of_reach", kRead(&FlushReport::out_of_reach),
          "Each destination that could not be reached or refused everything: which, since when and why.")
      .def(
          "raise_for_failure",
          [](const FlushReport& self) {
            if (!self.all_delivered()) RaiseUndelivered(self);
          },
          "Raises the error of whatever was not delivered, to additional endpoints too: Unreachable, "
          "Refused, "
          "DeadlineExceeded and so on by the last failure, which is its `failure`; the text says how much is "
          "kept, how much dropped and why. Returns None if everything was delivered.")
      .def_property_readonly(
          "elapsed", [](const FlushReport& self) { return ToSeconds(self.elapsed); },
          "The time that it took, in seconds of the monotonic clock.")
      .def("to_dict", &ToDict, "Every field as a plain value.")
      .def("__repr__", [](const FlushReport& self) {
        py::dict shown;
        for (const auto& [key, value] : ToDict(self)) {
          if (PyObject_IsTrue(value.ptr()) == 1) shown[key] = value;
        }
        return Repr("FlushReport", shown);
      });
}

}  // namespace

void BindFlushReport(py::module_& module) {
  using R = FlushReport;
  py::class_<R> type(module, "FlushReport", R"(The outcome of one flush, or of all flushes together.

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     flusher = thaw.TraceFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
...     flusher.add(thaw.TracePayload.from_msgpack(b"\x91\x91\x81\xa7span_id\x01"))
...     report = flusher.flush(deadline=2.0)
1
>>> report.delivered, report.retained, report.dropped, report.attempts, report.failures[0].fault.name
(0, 1, {}, 1, 'REFUSED')
>>> try:
...     report.raise_for_failure()
... except thaw.Unreachable as error:
...     print(error.failure.fault.name, str(error)[:56])
REFUSED not everything was delivered: 0 delivered, 1 kept; http:
)");
  BindPickling(type, &R::payloads, &R::delivered, &R::dropped, &R::retained, &R::requests, &R::attempts,
               &R::possible_duplicates, &R::additional_delivered, &R::additional_dropped,
               &R::additional_retained, &R::held, &R::refused_by_status, &R::failures, &R::exchanges,
               &R::errors, &R::skipped, &R::stalled, &R::out_of_reach, &R::cause, &R::elapsed);
  BindCounts(type);
  BindOutcome(type);
}

}  // namespace thaw::python
