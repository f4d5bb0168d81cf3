// The events that /next returns.

#ifndef THAW_CC_TELEMETRY_LAMBDA_EVENT_H_
#define THAW_CC_TELEMETRY_LAMBDA_EVENT_H_

#include <string>
#include <variant>

#include "absl/time/time.h"

namespace thaw {

// An invocation begins. Missing texts are empty.
struct InvokeEvent {
  absl::Time deadline = absl::InfiniteFuture();  // default if none was given
  std::string request_id;
  std::string function_arn;    // with the qualifier of the call
  std::string tracing_header;  // "Root=…;Parent=…;Sampled=…"; often missing
};

enum class ShutdownReason {
  kSpindown,  // the environment is no longer needed
  kTimeout,   // the invocation took too long
  kFailure,   // the runtime or an extension failed
  kOther,     // anything else: stop now
};

struct ShutdownEvent {
  absl::Time deadline;
  ShutdownReason reason = ShutdownReason::kOther;
  std::string reason_text;  // as the platform wrote it
};

using LambdaEvent = std::variant<InvokeEvent, ShutdownEvent>;

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_LAMBDA_EVENT_H_
