#include "python/bindings/trace_payload.h"

#include <string>
#include <string_view>
#include <utility>

#include "cc/trace/tracer_headers.h"
#include "python/bindings/bindings.h"
#include "python/bindings/gil.h"
#include "python/bindings/request.h"
#include "python/bindings/status.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

TracePayloadFace FromMsgpack(const py::buffer& body, const GivenHeaders& headers) {
  py::buffer_info holder;
  const std::string_view bytes = BytesOf(body, holder);
  const HttpHeaders given = ToHeaders(headers);
  // Some headers stay with the payload.
  for (const auto& [name, value] : given) {
    ThrowIfError(CheckHeaderValue("the value of the header " + name, value));
  }
  TracerHeaders tracer = TracerHeaders::FromRequest(given);
  // Other threads may run unless they could change the bytes meanwhile.
  absl::StatusOr<TracePayload> payload = absl::UnknownError("");
  if (PyBytes_Check(body.ptr())) {
    const GilReleased released;
    payload = TracePayload::FromMsgpack(bytes, std::move(tracer));
  } else {
    payload = TracePayload::FromMsgpack(bytes, std::move(tracer));
  }
  return {Unwrap(std::move(payload), Source::kPayload)};
}

py::dict ToDict(const TracePayloadFace& self) {
  py::dict dict;
  self.payload.counts().Visit([&dict](const char* name, int64_t value, const char*) { dict[name] = value; });
  dict["size"] = self.payload.size();
  dict["first_problem"] = self.payload.first_problem();
  return dict;
}

}  // namespace

void BindTracePayload(py::module_& module) {
  py::class_<TracePayloadFace> type(module, "TracePayload", R"(The traces of one request of a tracer.

Made from the body of a /v0.4/traces request: MessagePack, an array of traces, each an array of span maps. It
holds the intake's protobuf, made in one pass. A span that can't be understood is left out and counted; its
neighbours stay.

>>> import thaw
>>> payload = thaw.TracePayload.from_msgpack(b"\x91\x91\x81\xa7span_id\x01", {"Datadog-Meta-Lang": "python"})
>>> payload.spans, payload.chunks
(1, 1)
>>> thaw.TracePayload.from_msgpack(b"\x80")
Traceback (most recent call last):
    ...
thaw.PayloadError: at byte 0: expected an array, found a map
)");
  type.def_static(
      "from_msgpack", &FromMsgpack,
      "`headers`: those of the tracer's request (Datadog-Meta-Lang and so on). Raises PayloadError, which "
      "names the byte, what was expected there and what was found.",
      py::arg("body"), py::arg("headers") = GivenHeaders());
  const auto count = [](int64_t TraceCounts::* member) {
    return [member](const TracePayloadFace& self) { return self.payload.counts().*member; };
  };
#define THAW_BIND(name, text) \
  type.def_property_readonly(#name, count(&TraceCounts::name), "Number of " text ".");
  THAW_TRACE_COUNTS(THAW_BIND)
#undef THAW_BIND
  type.def_property_readonly(
      "size", [](const TracePayloadFace& self) { return self.payload.size(); }, "Bytes as protobuf.");
  type.def_property_readonly(
      "first_problem", [](const TracePayloadFace& self) { return self.payload.first_problem(); },
      "The fault of the first part that was left out, with its byte; empty: none was left out.");
  type.def("to_dict", &ToDict, "Every count as a plain value.");
  type.def("__repr__", [](const TracePayloadFace& self) {
    py::dict shown;
    for (const auto& [key, value] : ToDict(self))
      if (PyObject_IsTrue(value.ptr()) == 1) shown[key] = value;
    return Repr("TracePayload", shown);
  });
}

}  // namespace thaw::python
