// Asks Lambda to deliver telemetry: platform records, and the log lines of the function and of extensions.
//
//   TelemetrySubscription subscription{.schema_version = std::string(traits.telemetry_schema)};
//   absl::StatusOr<TelemetrySupport> support =
//       co_await SubscribeToTelemetry(runtime_api, extensions.identifier(), subscription, cancellation);
//
// The listener must be up before the call, and the call must come before the first /next. Subscribing again
// replaces the subscription. Each one costs the function memory: a buffer of max_bytes.
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
  // Log lines to deliver besides platform records, which are always delivered.
  bool function_logs = false;
  bool extension_logs = false;
  uint16_t port = 8999;  // the listener's, on the sandbox's own address
  // A batch is delivered when any of these is reached. The timeout is the shortest that Lambda allows, since
  // ends of invocations are learnt from the records.
  absl::Duration buffering_timeout = absl::Milliseconds(25);
  int max_items = 1000;
  size_t max_bytes = 262'144;

  // InvalidArgument names the field, its value and what Lambda allows.
  absl::Status Validate() const;
};

enum class TelemetrySupport {
  kSubscribed,
  kNotSupported,  // 202: this environment, usually an emulator, delivers no telemetry
};

// Takes at most 1 s. Errors: InvalidArgument from Validate(); else those of RuntimeApi::Send.
Task<absl::StatusOr<TelemetrySupport>> SubscribeToTelemetry(RuntimeApi& api, std::string identifier,
                                                            TelemetrySubscription subscription,
                                                            Cancellation& cancellation);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_TELEMETRY_SUBSCRIPTION_H_
