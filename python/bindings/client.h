// The thaw.Client object.

#ifndef THAW_PYTHON_BINDINGS_CLIENT_H_
#define THAW_PYTHON_BINDINGS_CLIENT_H_

#include "python/bindings/call.h"

namespace thaw::python {

// The object that Python holds: one native loop thread, shared with the flushers on it.
struct ClientFace {
  LoopHandle loop;
};

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_CLIENT_H_
