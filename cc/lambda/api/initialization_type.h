// What each way of starting a function means for an extension, said once.
//
//   const InitializationTraits traits = InitializationTraitsOf(EnvironmentKindOf(environment));
//   api.Register(name, traits.invoke_events ? … );
//
// Source: AWS's documentation of the Extensions API, of the Telemetry API and of managed instances.

#ifndef THAW_CC_LAMBDA_API_INITIALIZATION_TYPE_H_
#define THAW_CC_LAMBDA_API_INITIALIZATION_TYPE_H_

#include <string_view>

#include "cc/config/environment_kind.h"

namespace thaw {

struct InitializationTraits {
  // INVOKE may be registered for. Managed instances refuse it (403): invocations are known by telemetry only.
  bool invoke_events = true;
  // Many invocations at once in one environment: nothing is "the current" one.
  bool concurrent_invocations = false;
  // The environment is frozen whenever every party has asked for /next.
  bool freezes = true;
  // Initialised ahead of the first invocation as a rule, not because of it.
  bool initialized_ahead = false;
  // Goes on from a snapshot that other environments go on from too: nothing random may be in it.
  bool restored_from_snapshot = false;
  // Of the Telemetry API, to subscribe with.
  std::string_view telemetry_schema = "2022-12-13";
};

InitializationTraits InitializationTraitsOf(EnvironmentKind kind);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_INITIALIZATION_TYPE_H_
