#include "python/bindings/defaults.h"

namespace thaw::python {

ClientOptions DefaultClientOptions() { return ClientOptions(); }

}  // namespace thaw::python
