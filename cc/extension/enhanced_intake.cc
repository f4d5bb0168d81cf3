#include "cc/extension/enhanced_intake.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cc/telemetry/telemetry_record.h"

namespace thaw {
namespace {

// Files, threads and bytes of /tmp are counted four times a second, or so rarely that counting takes this part of the
// time.
constexpr absl::Duration kInterval = absl::Milliseconds(250);
constexpr absl::Duration kLongestInterval = absl::Minutes(1);
constexpr int64_t kPartOfTime = 1000;

// A record that is older than this may have been delivered after a freeze: records take less than a tenth of a second.
constexpr absl::Duration kFresh = absl::Milliseconds(500);

}  // namespace

EnhancedIntake::EnhancedIntake(EnhancedIntakeOptions options, Clock& clock, ProcReader& reader,
                               MetricSink& sink, TracerSaysFailed tracer_says_failed)
    : managed_(options.metrics.managed),
      proc_(options.proc),
      clock_(clock),
      tracer_says_failed_(std::move(tracer_says_failed)),
      metrics_(std::move(options.metrics), sink),
      figures_(reader, managed_) {}

void EnhancedIntake::OnInvoke(std::string_view request_id, const Invocation* invocation) {
  may_freeze_ = false;
  if (invocation != nullptr && invocation->ended()) return;
  Begin(request_id);
}

void EnhancedIntake::InvocationStarted(const Invocation& invocation) {
  metrics_.Begin(invocation.request_id);
  // Other environments are told of the invocation by /next.
  if (managed_ && !invocation.ended()) Begin(invocation.request_id);
}

void EnhancedIntake::InvocationUpdated(const Invocation& invocation) {
  if (figures_.IsOpen(invocation.request_id) && invocation.ended()) End(invocation);
  metrics_.Take(invocation, tracer_says_failed_(invocation.request_id));
}

void EnhancedIntake::Begin(std::string_view request_id) {
  if (!proc_) return;
  const ClockReading began = clock_.Now();
  figures_.Begin(request_id);
  if (!alarm_.is_set() || !managed_) SetAlarm(began);
}

void EnhancedIntake::End(const Invocation& invocation) {
  const absl::Time now = clock_.Now().wall;
  const Figures figures = IsFresh(invocation, now) ? figures_.End(invocation.request_id)
                                                   : figures_.EndUnread(invocation.request_id);
  if (!figures_.open()) alarm_.Cancel();
  // The invocation is counted first: its figures have its tags.
  metrics_.Take(invocation, tracer_says_failed_(invocation.request_id));
  metrics_.TakeFigures(invocation.request_id, EndOf(invocation), figures);
}

bool EnhancedIntake::IsFresh(const Invocation& invocation, absl::Time now) const {
  if (managed_ || !may_freeze_) return true;
  // A shutdown for such a reason follows its invocation at once.
  if (invocation.concluded.has_value())
    return invocation.shut_down.has_value() && invocation.outcome() != InvocationOutcome::kUnknown;
  return now - EndOf(invocation) <= kFresh;
}

void EnhancedIntake::SetAlarm(const ClockReading& began) {
  sampled_ = clock_.Now();
  interval_ = std::clamp((sampled_.monotonic - began.monotonic) * kPartOfTime, kInterval, kLongestInterval);
  alarm_ = Alarm(clock_, interval_, [this] { OnAlarm(); });
}

void EnhancedIntake::OnAlarm() {
  if (!figures_.open()) return;
  const ClockReading now = clock_.Now();
  // After a freeze the invocation is over, though no record told of its end.
  if (may_freeze_ && LargestAdvance(sampled_, now) > interval_ + kFresh) return;
  figures_.Sample();
  SetAlarm(now);
}

void EnhancedIntake::InitializationChanged(const Initialization& initialization) {
  if (initialization.start.has_value()) {
    const PlatformInitStart& start = initialization.start->record;
    metrics_.OnEnvironment(IsDurable(start.runtime_version), start.initialization_type);
  }
  if (initialization.report.has_value() && initialization.report->record.duration.has_value())
    metrics_.OnInitDuration(initialization.report->time, *initialization.report->record.duration);
}

void EnhancedIntake::RestoreChanged(const Restore& restore) {
  if (restore.start.has_value()) metrics_.OnEnvironment(IsDurable(restore.start->record.runtime_version), "");
  if (restore.report.has_value() && restore.report->record.duration.has_value())
    metrics_.OnRestoreDuration(restore.report->time, *restore.report->record.duration);
}

void EnhancedIntake::OnShutdown() {
  if (std::exchange(shut_down_, true)) return;
  alarm_.Cancel();
  const absl::Time now = clock_.Now().wall;
  // Many invocations at once share the peaks of their environment.
  if (managed_ && proc_) metrics_.TakeFigures(now, figures_.TakePeaks());
  metrics_.OnShutdown(now);
}

}  // namespace thaw
