#include "cc/lambda/api/initialization_type.h"

namespace thaw {

InitializationTraits InitializationTraitsOf(EnvironmentKind kind) {
  switch (kind) {
    case EnvironmentKind::kProvisionedConcurrency:
      return {.initialized_ahead = true};
    case EnvironmentKind::kSnapStart:
      return {.initialized_ahead = true, .restored_from_snapshot = true};
    case EnvironmentKind::kManagedInstances:
      return {.invoke_events = false,
              .concurrent_invocations = true,
              .freezes = false,
              .initialized_ahead = true,
              .telemetry_schema = "2025-01-29"};
    case EnvironmentKind::kOutsideLambda:
      return {.freezes = false};
    case EnvironmentKind::kOnDemand:
    case EnvironmentKind::kOtherLambda:
      break;
  }
  return {};
}

}  // namespace thaw
