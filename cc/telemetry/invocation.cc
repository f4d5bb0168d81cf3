#include "cc/telemetry/invocation.h"

#include <algorithm>

namespace thaw {
namespace {

InvocationOutcome OutcomeOf(TelemetryStatus status) {
  switch (status) {
    case TelemetryStatus::kSuccess:
      return InvocationOutcome::kSuccess;
    case TelemetryStatus::kError:
      return InvocationOutcome::kError;
    case TelemetryStatus::kFailure:
      return InvocationOutcome::kFailure;
    case TelemetryStatus::kTimeout:
      return InvocationOutcome::kTimeout;
    case TelemetryStatus::kUnknown:
      break;
  }
  return InvocationOutcome::kUnknown;
}

// Returns whether all memory was used. Successful invocations may do so too.
bool UsedAllMemory(const PlatformReport& report) {
  return report.memory_size_megabytes.has_value() && report.max_memory_used_megabytes.has_value() &&
         *report.max_memory_used_megabytes >= *report.memory_size_megabytes;
}

size_t MemoryOf(const std::vector<TelemetrySpan>& spans) {
  size_t bytes = spans.capacity() * sizeof(TelemetrySpan);
  for (const TelemetrySpan& span : spans) bytes += span.name.capacity();
  return bytes;
}

}  // namespace

InvocationOutcome Invocation::outcome() const {
  InvocationOutcome outcome = InvocationOutcome::kUnknown;
  if (runtime_done.has_value()) outcome = OutcomeOf(runtime_done->record.status);
  if (outcome == InvocationOutcome::kUnknown && report.has_value())
    outcome = OutcomeOf(report->record.status);
  if (outcome == InvocationOutcome::kUnknown && concluded.has_value()) outcome = concluded->record;
  if (outcome == InvocationOutcome::kError || outcome == InvocationOutcome::kFailure) {
    if (error_type() == "Runtime.OutOfMemory" || (report.has_value() && UsedAllMemory(report->record))) {
      return InvocationOutcome::kOutOfMemory;
    }
  }
  return outcome;
}

bool Invocation::ends_environment() const {
  TelemetryStatus status = TelemetryStatus::kUnknown;
  if (runtime_done.has_value()) status = runtime_done->record.status;
  if (status == TelemetryStatus::kUnknown && report.has_value()) status = report->record.status;
  if (status == TelemetryStatus::kFailure || status == TelemetryStatus::kTimeout) return true;
  // A handler's error leaves the runtime alive, a process that is gone does not.
  return status == TelemetryStatus::kError &&
         (error_type() == "Runtime.ExitError" || error_type() == "Runtime.OutOfMemory");
}

std::string_view Invocation::error_type() const {
  if (runtime_done.has_value() && !runtime_done->record.error_type.empty()) {
    return runtime_done->record.error_type;
  }
  if (report.has_value()) return report->record.error_type;
  return {};
}

std::optional<absl::Time> Invocation::start_time() const {
  if (start.has_value()) return start->time;
  if (invoke.has_value()) return invoke->time;
  return std::nullopt;
}

std::optional<absl::Duration> Invocation::duration() const {
  if (runtime_done.has_value() && runtime_done->record.duration.has_value()) {
    return runtime_done->record.duration;
  }
  if (!runtime_done.has_value() && report.has_value()) {
    for (const TelemetrySpan& span : report->record.spans) {
      if (span.name == "responseLatency") return span.duration;
    }
    return report->record.duration;
  }
  if (runtime_done.has_value() && start.has_value()) {
    // If the clock stepped back between the two, the duration is zero.
    return std::max(runtime_done->time - start->time, absl::ZeroDuration());
  }
  return std::nullopt;
}

std::optional<absl::Duration> Invocation::until_shutdown() const {
  const std::optional<absl::Time> began = start_time();
  if (!shut_down.has_value() || !began.has_value()) return std::nullopt;
  const absl::Time end = invoke.has_value() ? std::min(*shut_down, invoke->record.deadline) : *shut_down;
  return std::max(end - *began, absl::ZeroDuration());
}

std::optional<absl::Duration> Invocation::post_runtime() const {
  if (!runtime_done.has_value() || !next_called.has_value()) return std::nullopt;
  return std::max(*next_called - runtime_done->time, absl::ZeroDuration());
}

size_t Invocation::memory() const {
  size_t bytes = sizeof(*this) + request_id.capacity();
  if (invoke.has_value()) {
    const InvokeEvent& event = invoke->record;
    bytes += event.request_id.capacity() + event.function_arn.capacity() + event.tracing_header.capacity();
  }
  if (start.has_value()) {
    const PlatformStart& record = start->record;
    bytes += record.request_id.capacity() + record.version.capacity() + record.function_arn.capacity() +
             record.tracing_header.capacity();
  }
  const auto add_end = [&bytes](const auto& record) {
    bytes += record.request_id.capacity() + record.error_type.capacity() + record.tracing_header.capacity() +
             MemoryOf(record.spans);
  };
  if (runtime_done.has_value()) add_end(runtime_done->record);
  if (report.has_value()) add_end(report->record);
  return bytes;
}

}  // namespace thaw
