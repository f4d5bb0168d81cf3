// StatsPayload and StatsFlusher.

#include "cc/flush/stats_flusher.h"

#include <string_view>
#include <utility>

#include "cc/stats/stats_payload.h"
#include "python/bindings/bindings.h"
#include "python/bindings/flusher.h"
#include "python/bindings/request.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

struct StatsPayloadFace {
  StatsPayload payload;
};

StatsPayloadFace FromMsgpack(const py::buffer& body) {
  py::buffer_info holder;
  return {Unwrap(StatsPayload::FromMsgpack(BytesOf(body, holder)), Source::kPayload)};
}

py::dict ToDict(const StatsPayloadFace& self) {
  py::dict dict;
  self.payload.counts().Visit([&dict](const char* name, int64_t value, const char*) { dict[name] = value; });
  dict["size"] = self.payload.size();
  dict["first_problem"] = self.payload.first_problem();
  return dict;
}

void BindStatsPayload(py::module_& module) {
  py::class_<StatsPayloadFace> type(module, "StatsPayload", R"(The stats of one request of a tracer.

Made from the body of a /v0.6/stats request: MessagePack, a map. The host name is made empty, as the intake
wants it of a function; the start of each bucket stays. A group that can't be understood is left out and
counted.

>>> import thaw
>>> thaw.StatsPayload.from_msgpack(b"\x81\xa5Stats\x90").buckets
0
>>> thaw.StatsPayload.from_msgpack(b"\x90")
Traceback (most recent call last):
    ...
thaw.PayloadError: at byte 0: expected a map, found an array
)");
  type.def_static("from_msgpack", &FromMsgpack,
                  "Raises PayloadError, which names the byte, what was expected there and what was found.",
                  py::arg("body"));
  const auto count = [](int64_t StatsCounts::* member) {
    return [member](const StatsPayloadFace& self) { return self.payload.counts().*member; };
  };
#define THAW_BIND(name, text) \
  type.def_property_readonly(#name, count(&StatsCounts::name), "Number of " text ".");
  THAW_STATS_COUNTS(THAW_BIND)
#undef THAW_BIND
  type.def_property_readonly(
      "size", [](const StatsPayloadFace& self) { return self.payload.size(); }, "Bytes as MessagePack.");
  type.def_property_readonly(
      "first_problem", [](const StatsPayloadFace& self) { return self.payload.first_problem(); },
      "The fault of the first part that was left out, with its byte; empty: none was left out.");
  type.def("to_dict", &ToDict, "Every count as a plain value.");
  type.def("__repr__", [](const StatsPayloadFace& self) {
    py::dict shown;
    for (const auto& [key, value] : ToDict(self))
      if (PyObject_IsTrue(value.ptr()) == 1) shown[key] = value;
    return Repr("StatsPayload", shown);
  });
}

}  // namespace

void BindStatsFlusher(py::module_& module) {
  BindStatsPayload(module);
  BindFlusher<StatsFlusher, StatsPayloadFace>(module, "StatsFlusher",
                                              R"(Delivers stats: keeps payloads until the intake took them.

What the intake may have taken is not sent again but dropped, counted as ambiguous_dropped: a count twice is
wrong. Lives on its client's thread, and as long as the client. Any thread may call it.

>>> import thaw
>>> with thaw.Client() as client:
...     flusher = thaw.StatsFlusher(client, endpoint="https://127.0.0.1:1", api_key="key")
...     flusher.options.retry_ambiguous
False
)");
}

}  // namespace thaw::python
