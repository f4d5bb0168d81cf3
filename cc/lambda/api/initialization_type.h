// The consequences for an extension of each way of starting a function.
//
//   const InitializationTraits traits = InitializationTraitsOf(EnvironmentKindOf(environment));
//   if (traits.invoke_events) events.push_back(ExtensionEvent::kInvoke);
//
// Source: AWS's documentation of the Extensions API, of the Telemetry API and of managed instances.

#ifndef THAW_CC_LAMBDA_API_INITIALIZATION_TYPE_H_
#define THAW_CC_LAMBDA_API_INITIALIZATION_TYPE_H_

#include <string_view>

#include "cc/config/environment_kind.h"

namespace thaw {

struct InitializationTraits {
  // The extension may register for INVOKE. Managed instances refuse it (403): only telemetry tells of
  // invocations.
  bool invoke_events = true;
  // Many invocations run at once in one environment: none is "the current" one.
  bool concurrent_invocations = false;
  // The environment is frozen whenever every party has called /next.
  bool freezes = true;
  // The environment is usually initialised ahead of the first invocation, not because of it.
  bool initialized_ahead = false;
  // The environment resumes from a snapshot that others resume from too: it must hold nothing random.
  bool restored_from_snapshot = false;
  // The schema version to subscribe to the Telemetry API with.
  std::string_view telemetry_schema = "2022-12-13";
};

InitializationTraits InitializationTraitsOf(EnvironmentKind kind);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_INITIALIZATION_TYPE_H_
