// Defaults that depend on where the process runs.

#ifndef THAW_PYTHON_BINDINGS_DEFAULTS_H_
#define THAW_PYTHON_BINDINGS_DEFAULTS_H_

#include "cc/net/client_options.h"

namespace thaw::python {

// Reads os.environ as it is now. Requires the GIL.
ClientOptions DefaultClientOptions();

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_DEFAULTS_H_
