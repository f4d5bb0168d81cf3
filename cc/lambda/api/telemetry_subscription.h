// Asks Lambda to deliver telemetry: platform records, and the lines that function and extensions write.
//
//   TelemetrySubscription subscription{.schema_version = std::string(traits.telemetry_schema)};
//   absl::StatusOr<TelemetrySupport> support =
//       co_await SubscribeToTelemetry(runtime_api, extensions.identifier(), subscription, cancellation);
//
// The listener must be up before, and the call comes before the first /next. One may subscribe again; the
// latest holds. Each subscription costs the function memory: a buffer of max_bytes.
//
// Source: AWS's documentation of the Telemetry API, version 2022-07-01.

#ifndef THAW_CC_LAMBDA_API_TELEMETRY_SUBSCRIPTION_H_
#define THAW_CC_LAMBDA_API_TELEMETRY_SUBSCRIPTION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/lambda/api/runtime_api.h"

namespace thaw {

struct TelemetrySubscription {
  std::string schema_version = "2022-12-13";  // InitializationTraits::telemetry_schema
  // Besides platform records, which are always asked for.
  bool function_logs = false;
  bool extension_logs = false;
  uint16_t port = 8999;  // of the listener, on the sandbox's own address
  // A batch is delivered when any of these is reached. The shortest wait there is: an invocation's end is
  // known by it.
  absl::Duration buffering_timeout = absl::Milliseconds(25);
  int max_items = 1000;
  size_t max_bytes = 262'144;

  // InvalidArgument names the field, its value and what Lambda allows.
  absl::Status Validate() const;
};

enum class TelemetrySupport {
  kSubscribed,
  kNotSupported,  // 202: this environment, an emulator as a rule, delivers no telemetry
};

// Within 1 s. InvalidArgument by Validate(); else as RuntimeApi::Send.
Task<absl::StatusOr<TelemetrySupport>> SubscribeToTelemetry(RuntimeApi& api, std::string identifier,
                                                            TelemetrySubscription subscription,
                                                            Cancellation& cancellation);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_TELEMETRY_SUBSCRIPTION_H_
