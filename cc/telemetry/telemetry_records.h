// Decodes the body of one POST of the Telemetry API into typed records.
//
//   const TelemetryBatch batch = DecodeTelemetry(body, now, [&](TelemetryRecord&& record) {
//     if (const auto* done = std::get_if<PlatformRuntimeDone>(&record.record)) ...
//   });
//   Add(batch.counts);
//
// A large body is decoded in steps:
//
//   TelemetryWork work(body, now, IsValidUtf8(body));
//   while (!work.Step(kStepWork, take)) co_await Turn(executor);
//   const TelemetryBatch batch = work.Take();
//
// Decodes element by element: an element of an unknown type, without use, cut off or invalid is left out and
// counted, and its neighbours are passed on. Text that is not UTF-8 is repaired (U+FFFD) and passed on.
// Unknown members are ignored; a member of a wrong type counts as missing, and is counted.
//
// A log record is passed on as its JSON text, checked and not copied; only platform records are parsed.
//
// Pure: no I/O, no clock. Source of the format: AWS's Telemetry API, schemas 2022-07-01, 2022-12-13 and
// 2025-01-29.

#ifndef THAW_CC_TELEMETRY_TELEMETRY_RECORDS_H_
#define THAW_CC_TELEMETRY_TELEMETRY_RECORDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/declare_counts.h"

namespace thaw {

// Result of a phase, in the platform's terms.
enum class TelemetryStatus { kUnknown, kSuccess, kError, kFailure, kTimeout };
std::string_view ToString(TelemetryStatus status);

// The phase in which the function was initialised.
enum class InitPhase { kUnknown, kInit, kInvoke, kSnapStart };

// A part of a phase: "responseLatency", "responseDuration", "runtimeOverhead".
struct TelemetrySpan {
  std::string name;
  absl::Time start = absl::InfinitePast();  // InfinitePast if missing
  absl::Duration duration;
};

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

// X(name, what it counts)
#define THAW_TELEMETRY_COUNTS(X)                                                                      \
  X(records, "records given on")                                                                      \
  X(repaired, "elements that were not UTF-8, given on with U+FFFD for bad parts")                     \
  X(times_replaced, "records without a time that can be read, given the time of their arrival")       \
  X(members_ignored, "members of a wrong type or out of range, taken for missing")                    \
  X(unknown_types, "elements of a type that is not known, left out")                                  \
  X(incomplete, "elements left out for want of a record, or of a request id where there must be one") \
  X(malformed, "elements that were no JSON, no objects or nested too deep, left out")                 \
  X(bodies_refused, "bodies that were no array")                                                      \
  X(bodies_cut, "arrays that were not closed")                                                        \
  X(bodies_given_up, "arrays of so much that is broken that the rest was left out unread")            \
  X(platform_dropped_records, "records that the platform says it dropped")                            \
  X(platform_dropped_bytes, "bytes that the platform says it dropped")

struct TelemetryCounts {
  THAW_DECLARE_COUNTS(THAW_TELEMETRY_COUNTS)
  TelemetryCounts& operator+=(const TelemetryCounts& other) {
#define THAW_ADD(name, text) name += other.name;
    THAW_TELEMETRY_COUNTS(THAW_ADD)
#undef THAW_ADD
    return *this;
  }
};

struct TelemetryBatch {
  TelemetryCounts counts;
  // Says what was wrong with the first element that was left out or ignored, and at which byte; empty if none
  // was.
  std::string first_problem;
};

class TelemetryWork {
 public:
  // Work that each element counts for, beside its bytes.
  static constexpr int64_t kElementWork = 512;

  // `body` must outlive the work. `received` replaces a time that can't be read. `is_utf8`: IsValidUtf8(body);
  // otherwise text is repaired in a copy of up to three times the body.
  TelemetryWork(std::string_view body, absl::Time received, bool is_utf8);
  ~TelemetryWork();

  // Does about `work` bytes of work. Passes each record that it comes to on, in order, during the call. Returns
  // whether all is done.
  bool Step(int64_t work, absl::FunctionRef<void(TelemetryRecord&&)> give);
  // Returns the result so far.
  TelemetryBatch Take();

 private:
  class Decoder;

  const std::unique_ptr<Decoder> decoder_;
};

// Passes each record of `body` to `give`, in order, during the call. `received` replaces a time that can't be
// read.
TelemetryBatch DecodeTelemetry(std::string_view body, absl::Time received,
                               absl::FunctionRef<void(TelemetryRecord&&)> give);

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_TELEMETRY_RECORDS_H_
