// One record of the Telemetry API as a typed value.
//
//   if (const auto* done = std::get_if<PlatformRuntimeDone>(&record.record)) Finish(done->request_id);
//
// Values; any thread. Source of the format: AWS's Telemetry API, schemas 2022-07-01, 2022-12-13 and 2025-01-29.

#ifndef THAW_CC_TELEMETRY_TELEMETRY_RECORD_H_
#define THAW_CC_TELEMETRY_TELEMETRY_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/declare_enum.h"

namespace thaw {

// Result of a phase, in the platform's terms.
// X(enumerator, name, the result)
#define THAW_TELEMETRY_STATUSES(X)                       \
  X(kUnknown, unknown, "the platform's word is unknown") \
  X(kSuccess, success, "it succeeded")                   \
  X(kError, error, "the handler failed")                 \
  X(kFailure, failure, "the runtime failed")             \
  X(kTimeout, timeout, "it took too long")
THAW_DECLARE_ENUM(TelemetryStatus, kTelemetryStatuses, THAW_TELEMETRY_STATUSES)

// The phase in which the function was initialised.
enum class InitPhase { kUnknown, kInit, kInvoke, kSnapStart };

// A part of a phase: "responseLatency", "responseDuration", "runtimeOverhead".
struct TelemetrySpan {
  std::string name;
  absl::Time start = absl::InfinitePast();  // InfinitePast if missing
  absl::Duration duration;
};

// The part of a runtime version that marks durable functions, whose executions outlive an environment:
// "python:3.14.DurableFunction.v6".
inline constexpr std::string_view kDurableRuntime = ".DurableFunction";
inline bool IsDurable(std::string_view runtime_version) {
  return runtime_version.find(kDurableRuntime) != std::string_view::npos;
}

// The record types, each named as the platform names it, less "platform.". A missing text is empty; a missing
// number or duration is nullopt.

struct PlatformInitStart {
  std::string initialization_type;
  InitPhase phase = InitPhase::kUnknown;
  std::string runtime_version;
  std::string runtime_version_arn;
  std::string function_name;
  std::string function_version;
  std::string instance_id;
  std::optional<int64_t> instance_max_memory;  // as the platform reports it; its unit isn't documented
};

struct PlatformInitRuntimeDone {
  std::string initialization_type;
  InitPhase phase = InitPhase::kUnknown;
  TelemetryStatus status = TelemetryStatus::kUnknown;
  std::string error_type;
  std::vector<TelemetrySpan> spans;
};

struct PlatformInitReport {
  std::string initialization_type;
  InitPhase phase = InitPhase::kUnknown;
  TelemetryStatus status = TelemetryStatus::kUnknown;
  std::string error_type;
  std::optional<absl::Duration> duration;
  std::vector<TelemetrySpan> spans;
};

struct PlatformStart {
  std::string request_id;  // never empty, here and below
  std::string version;
  std::string function_arn;
  std::string tracing_header;  // "Root=…;Parent=…;Sampled=…"
};

struct PlatformRuntimeDone {
  std::string request_id;
  TelemetryStatus status = TelemetryStatus::kUnknown;
  std::string error_type;
  std::optional<absl::Duration> duration;
  std::optional<int64_t> produced_bytes;
  std::vector<TelemetrySpan> spans;
  std::string tracing_header;
};

struct PlatformReport {
  std::string request_id;
  TelemetryStatus status = TelemetryStatus::kUnknown;
  std::string error_type;
  std::optional<absl::Duration> duration;
  std::optional<absl::Duration> billed_duration;
  std::optional<int64_t> memory_size_megabytes;
  std::optional<int64_t> max_memory_used_megabytes;
  std::optional<absl::Duration> init_duration;
  std::optional<absl::Duration> restore_duration;
  std::optional<absl::Duration> billed_restore_duration;
  std::vector<TelemetrySpan> spans;
  std::string tracing_header;
};

struct PlatformRestoreStart {
  std::string function_name;
  std::string function_version;
  std::string runtime_version;
  std::string runtime_version_arn;
  std::string instance_id;
  std::optional<int64_t> instance_max_memory;
};

struct PlatformRestoreRuntimeDone {
  TelemetryStatus status = TelemetryStatus::kUnknown;
  std::string error_type;
  std::vector<TelemetrySpan> spans;
};

struct PlatformRestoreReport {
  TelemetryStatus status = TelemetryStatus::kUnknown;
  std::string error_type;
  std::optional<absl::Duration> duration;
  std::vector<TelemetrySpan> spans;
};

struct PlatformExtension {
  std::string name;
  std::string state;
  std::vector<std::string> events;
  std::string error_type;
};

struct PlatformTelemetrySubscription {
  std::string name;
  std::string state;
  std::vector<std::string> types;
};

// The platform lost records before delivery.
struct PlatformLogsDropped {
  std::string reason;
  int64_t dropped_records = 0;
  int64_t dropped_bytes = 0;
};

// A line that the function, or an extension, wrote: the whole of `record` as JSON, mostly a string or an
// object. Well-formed and UTF-8. Valid during the call that passes it.
struct FunctionLog {
  std::string_view json;
};
struct ExtensionLog {
  std::string_view json;
};

struct TelemetryRecord {
  absl::Time time;
  std::variant<FunctionLog, ExtensionLog, PlatformInitStart, PlatformInitRuntimeDone, PlatformInitReport,
               PlatformStart, PlatformRuntimeDone, PlatformReport, PlatformRestoreStart,
               PlatformRestoreRuntimeDone, PlatformRestoreReport, PlatformExtension,
               PlatformTelemetrySubscription, PlatformLogsDropped>
      record;
};

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_TELEMETRY_RECORD_H_
