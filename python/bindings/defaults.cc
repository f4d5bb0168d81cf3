#include "python/bindings/defaults.h"

#include "cc/config/environment.h"
#include "cc/config/environment_kind.h"

namespace thaw::python {

ClientOptions DefaultClientOptions() {
  return thaw::DefaultClientOptions(EnvironmentKindOf(Environment::OfProcess()));
}

}  // namespace thaw::python
