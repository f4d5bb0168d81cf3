#include "cc/extension/invocation_bridge.h"

#include <utility>

#include "cc/lambda/invocation/invocation_span.h"

namespace thaw {

void InvocationBridge::OnInvoke(std::string_view request_id, const Invocation* invocation) {
  InvocationStart start = InvocationStart::kWarm;
  std::optional<PlatformEnd> end;
  bool reported = false;
  // Records may overtake /next. The invocation may be evicted within the next call.
  if (invocation != nullptr) {
    start = invocation->started_as;
    if (invocation->ended()) end = PlatformEndOf(*invocation, clock_.Now().wall);
    reported = invocation->report.has_value();
  }
  assembler_.OnInvoke(request_id, {.cold_start = start == InvocationStart::kCold,
                                   .proactive_initialization = start == InvocationStart::kProactive});
  if (end.has_value()) assembler_.OnEnd(request_id, *std::move(end));
  if (reported) assembler_.OnReport(request_id);
}

void InvocationBridge::InvocationStarted(const Invocation& invocation) {
  // Other environments learn of the invocation from INVOKE.
  if (!invoke_events_) assembler_.OnInvoke(invocation.request_id, {});
}

void InvocationBridge::InvocationEnded(const Invocation& invocation) {
  assembler_.OnEnd(invocation.request_id, PlatformEndOf(invocation, clock_.Now().wall));
}

void InvocationBridge::InvocationReported(const Invocation& invocation) {
  assembler_.OnReport(invocation.request_id);
}

void InvocationBridge::InitializationChanged(const Initialization& initialization) {
  if (!initialization.start.has_value()) return;
  // Lambda gives the variable that names the runtime only to the function.
  const std::string& version = initialization.start->record.runtime_version;
  if (version != std::exchange(runtime_version_, version)) intake_.SetRuntimeVersion(version);
  std::optional<absl::Duration> duration;
  if (initialization.report.has_value()) duration = initialization.report->record.duration;
  assembler_.OnEnvironmentStart(/*is_restore=*/false, initialization.start->time, duration);
}

void InvocationBridge::RestoreChanged(const Restore& restore) {
  if (!restore.start.has_value()) return;
  if (restored_ != restore.start->time) {
    restored_ = restore.start->time;
    pipelines_.Forget();
  }
  std::optional<absl::Duration> duration;
  if (restore.report.has_value()) duration = restore.report->record.duration;
  assembler_.OnEnvironmentStart(/*is_restore=*/true, restore.start->time, duration);
}

}  // namespace thaw
