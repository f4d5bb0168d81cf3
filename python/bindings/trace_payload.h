// The thaw.TracePayload object.

#ifndef THAW_PYTHON_BINDINGS_TRACE_PAYLOAD_H_
#define THAW_PYTHON_BINDINGS_TRACE_PAYLOAD_H_

#include "cc/trace/trace_payload.h"

namespace thaw::python {

struct TracePayloadFace {
  TracePayload payload;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_TRACE_PAYLOAD_H_
