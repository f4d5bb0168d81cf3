// TraceFlusher.

#include "cc/flush/trace_flusher.h"

#include "python/bindings/bindings.h"
#include "python/bindings/flusher.h"
#include "python/bindings/trace_payload.h"

namespace thaw::python {

void BindTraceFlusher(py::module_& module) {
  BindFlusher<TraceFlusher, TracePayloadFace>(module, "TraceFlusher",
                                              R"(Delivers traces: keeps payloads until the intake took them.

Lives on its client's thread, and as long as the client. Any thread may call it.

>>> import thaw
>>> with thaw.Client(thaw.ClientOptions(max_attempts=1)) as client:
...     flusher = thaw.TraceFlusher(client, endpoint="http://127.0.0.1:1", api_key="key")
...     flusher.add(thaw.TracePayload.from_msgpack(b"\x91\x91\x81\xa7span_id\x01"))
...     report = flusher.flush(deadline=2.0)
...     report.delivered, report.retained, flusher.retained
1
(0, 1, 1)
)");
}

}  // namespace thaw::python
